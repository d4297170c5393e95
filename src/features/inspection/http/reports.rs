//! The route of the ready reports.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, web};
use serde::Deserialize;
use serde_json::json;

use super::{MatterQuery, look, read};
use crate::app::App;
use crate::features::inspection::report::facts::Facts;
use crate::features::inspection::report::print::{Format, Print};
use crate::features::inspection::report::{REPORTS, ReportView, stream};
use crate::features::mandates::model::Matter;
use crate::features::opening::html::CONTENT_SECURITY_POLICY;
use crate::features::opening::http::wants_html;
use crate::http::extract::Caller;
use crate::http::problem::Problem;
use crate::ledger::Error;
use crate::refusals;

/// A lot's report in a path.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ReportPath {
    /// The lot.
    pub lot: String,
    /// `deadline` or `access`.
    pub report: String,
}

/// Shows a ready report about a lot, as JSON or as a page to print.
///
/// For inspectors with a mandate for the lot. `deadline` answers whether a late bid was let in: every bid and refusal with
/// received and recorded instants, the deadline then in force and who set it, restarts and outages around it. `access`
/// answers whether someone looked early: uses of the private key, reads of sealed payloads, denied attempts, powers,
/// configuration and sessions of staff in the lot's time; it ends with what it cannot show. Every line names its entry.
/// Before the opening sections about sealed facts say that they are sealed. With `Accept: text/html` it is a page;
/// Chinese or English by `Accept-Language`. The look is on record.
#[utoipa::path(tag = "inspection", operation_id = "get_report", params(ReportPath, MatterQuery), security(("bearer" = [])),
    responses((status = 200, description = "The report.", content((ReportView = "application/json"), (String = "text/html"))), (status = 400, body = Problem, content_type = "application/problem+json", description = "No matter number."), (status = 403, body = Problem, content_type = "application/problem+json", description = "No mandate in force."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such lot or report, or outside the mandate."), (status = 422, body = Problem, content_type = "application/problem+json", description = "Not valid.")))]
#[get("/v1/inspection/lots/{lot}/reports/{report}")]
pub async fn get_report(
    app: web::Data<App>,
    req: HttpRequest,
    caller: Caller,
    path: web::Path<ReportPath>,
    query: web::Query<MatterQuery>,
) -> Result<HttpResponse, Error> {
    let ReportPath { lot, report } = path.into_inner();
    let matter = Matter::read(query.matter.as_deref())?;
    super::check_lengths(&[Some(&lot), Some(&report)])?;
    let as_of = look(&app, &caller, &matter, json!({ "lot": lot, "report": report })).await?.1.at;
    let report = REPORTS.into_iter().find(|known| known.id == report).ok_or_else(refusals::not_found)?;
    let facts = read(&app, &caller, matter.clone(), move |conn, scope| {
        if !scope.covers(Some(&lot)) {
            return Err(refusals::not_found().into());
        }
        Facts::load(conn, &lot, matter, as_of)
    })
    .await?;
    let accept = req.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let format = if wants_html(accept) { Format::Html } else { Format::Json };
    let language = caller.meta.language;
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::VARY, "Accept, Accept-Language"))
        .insert_header((header::CONTENT_LANGUAGE, language.tag()));
    match format {
        Format::Json => response.content_type("application/json"),
        Format::Html => response
            .content_type("text/html; charset=utf-8")
            .insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY)),
    };
    Ok(response.streaming(stream(app.reader.clone(), report, facts, Print::new(format, language))))
}
