//! Routes of evidence bundles.

use actix_web::http::header;
use actix_web::{HttpResponse, get, web};
use serde_json::json;

use super::{EntryQuery, MatterQuery, asked, check_lengths, filter};
use crate::app::App;
use crate::features::inspection::asked::Asked;
use crate::features::inspection::evidence::{TAR, prepare, stream};
use crate::features::inspection::model::EntryFilter;
use crate::features::lots::http::LotPath;
use crate::features::lots::queries as lots;
use crate::features::mandates::model::Matter;
use crate::http::extract::Caller;
use crate::http::problem::Problem;
use crate::ledger::Error;
use crate::refusals;

/// Takes away what a search finds, with what proves it.
///
/// For inspectors. A tar archive: the entries that the search finds, as of the instant of the look, opened as far as inspectors see
/// them; the tiles of the public log that prove them; checkpoint, keys and policy; a table of contents for spreadsheets;
/// and last the manifest with the digest of each, signed with the key of the promises. `sealbid verify bundle` checks it
/// offline. Entries that the published checkpoint does not cover yet are left out and counted in the manifest. **An archive without
/// its manifest is incomplete.** The look is on record first, number of entries and SHA-256 when it is made. Without `limit`
/// and `after`.
#[utoipa::path(tag = "inspection", operation_id = "get_evidence", params(EntryQuery), security(("bearer" = [])),
    responses((status = 200, body = Vec<u8>, content_type = "application/x-tar", description = "The archive."), (status = 400, body = Problem, content_type = "application/problem+json", description = "No matter number."), (status = 403, body = Problem, content_type = "application/problem+json", description = "No mandate in force."), (status = 409, body = Problem, content_type = "application/problem+json", description = "No checkpoint is published yet."), (status = 422, body = Problem, content_type = "application/problem+json", description = "Not valid.")))]
#[get("/v1/inspection/evidence")]
pub async fn get_evidence(
    app: web::Data<App>,
    caller: Caller,
    query: web::Query<EntryQuery>,
) -> Result<HttpResponse, Error> {
    let query = query.into_inner();
    let matter = Matter::read(query.matter.as_deref())?;
    if query.limit.is_some() || query.after.is_some() {
        return Err(refusals::body_invalid("evidence is whole, without limit and after").into());
    }
    let filter = filter(query)?;
    let question = json!({ "format": "evidence", "filter": filter });
    answer(asked(app, &caller, matter, filter, question).await?, &caller).await
}

/// Takes away what is on record of a lot, with what proves it.
///
/// For inspectors with a mandate for the lot. An archive as that of a search for the lot's entries: see there.
#[utoipa::path(tag = "inspection", operation_id = "get_lot_evidence", params(LotPath, MatterQuery), security(("bearer" = [])),
    responses((status = 200, body = Vec<u8>, content_type = "application/x-tar", description = "The archive."), (status = 400, body = Problem, content_type = "application/problem+json", description = "No matter number."), (status = 403, body = Problem, content_type = "application/problem+json", description = "No mandate in force."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such lot, or outside the mandate."), (status = 409, body = Problem, content_type = "application/problem+json", description = "No checkpoint is published yet."), (status = 422, body = Problem, content_type = "application/problem+json", description = "Not valid.")))]
#[get("/v1/inspection/lots/{lot}/evidence")]
pub async fn get_lot_evidence(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<LotPath>,
    query: web::Query<MatterQuery>,
) -> Result<HttpResponse, Error> {
    let matter = Matter::read(query.matter.as_deref())?;
    let lot = path.into_inner().lot;
    check_lengths(&[Some(&lot)])?;
    let filter = EntryFilter { lot: Some(lot.clone()), ..EntryFilter::default() };
    let question = json!({ "format": "evidence", "filter": filter });
    let asked = asked(app, &caller, matter.clone(), filter, question).await?;
    super::read(&asked.app, &caller, matter, move |conn, scope| {
        if !scope.covers(Some(&lot)) {
            return Err(refusals::not_found().into());
        }
        lots::lot(conn, &lot).map(drop)
    })
    .await?;
    answer(asked, &caller).await
}

async fn answer(asked: Asked, caller: &Caller) -> Result<HttpResponse, Error> {
    let language = caller.meta.language;
    let bundle = prepare(asked, language).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::VARY, "Accept-Language"))
        .insert_header((header::CONTENT_LANGUAGE, language.tag()))
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", bundle.file_name())))
        .content_type(TAR)
        .streaming(stream(bundle)))
}
