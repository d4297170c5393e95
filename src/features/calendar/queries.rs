//! Every read of the calendar.

use std::sync::OnceLock;

use diesel::prelude::*;

use super::model::CalendarYearRow;
use crate::db::Conn;
use crate::db::schema::calendar_years;
use crate::ledger::{Error, Result};
use crate::rules::calendar::BusinessCalendar;

/// The years that came with the program, parsed once: every act of a lot asks.
static EMBEDDED: OnceLock<BusinessCalendar> = OnceLock::new();

/// The calendar in force: the embedded years, overridden by imported ones.
///
/// # Errors
/// When an imported year cannot be read any more.
pub fn load(conn: &mut Conn) -> Result<BusinessCalendar> {
    let years: Vec<(i64, String)> = calendar_years::table
        .order(calendar_years::year.asc())
        .select((calendar_years::year, calendar_years::body))
        .load(conn)?;
    let mut calendar = EMBEDDED.get_or_init(BusinessCalendar::embedded).clone();
    for (year, body) in years {
        calendar.import(&body).map_err(|error| Error::damaged(format!("calendar year {year}: {error}")))?;
    }
    Ok(calendar)
}

/// An imported year.
///
/// # Errors
/// The database's.
pub fn year(conn: &mut Conn, year: i32) -> Result<Option<CalendarYearRow>> {
    Ok(calendar_years::table
        .filter(calendar_years::year.eq(i64::from(year)))
        .select(CalendarYearRow::as_select())
        .first(conn)
        .optional()?)
}
