//! Routes of the calendar.

use actix_web::{HttpResponse, get, web};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::{CalendarYear, YEARS};
use super::queries;
use crate::app::App;
use crate::http::problem::Problem;
use crate::ledger::Error;
use crate::refusals;

/// Registers the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(get_calendar_year);
}

/// A year in a path.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct YearPath {
    /// The year, 2000 to 2100.
    pub year: i32,
}

/// Shows a year of the business calendar.
///
/// Periods counted in working days rest on it. A year whose holidays are not announced yet is shown as ordinary weeks;
/// periods that reach into it are provisional.
#[utoipa::path(tag = "public", operation_id = "get_calendar_year", params(YearPath),
    responses((status = 200, body = CalendarYear, description = "The year."), (status = 404, body = Problem, content_type = "application/problem+json", description = "No such year.")))]
#[get("/v1/calendar/{year}")]
pub async fn get_calendar_year(app: web::Data<App>, path: web::Path<YearPath>) -> Result<HttpResponse, Error> {
    let year = path.into_inner().year;
    if !YEARS.contains(&year) {
        return Err(refusals::not_found().into());
    }
    let calendar = app.reader.read(queries::load).await?;
    Ok(HttpResponse::Ok().json(CalendarYear::of(&calendar, year)))
}
