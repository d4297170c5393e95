//! Use cases of the calendar.

use super::model::{CalendarYearRow, YEARS};
use super::queries;
use crate::kernel::digest::sha256;
use crate::kernel::id::CalendarYearId;
use crate::ledger::{Record, Result, Tx};
use crate::limits;
use crate::refusals;
use crate::rules::calendar::BusinessCalendar;

/// Takes one year's file of public holidays in place of what was known of that year, and returns the year.
///
/// # Errors
/// 422 when the file is not one of holidays.
pub fn import_year(tx: &mut Tx<'_>, json: &str) -> Result<i32> {
    let year = check(json)?;
    let digest = sha256(json.as_bytes());
    let record = || Record::new("calendar.imported").public("year", year).public("file_sha256", digest);
    match queries::year(tx.conn(), year)? {
        Some(old) => {
            let new = CalendarYearRow { body: json.to_owned(), ..old.clone() };
            tx.update(&old, new, record())?;
        }
        None => {
            let id = CalendarYearId::ordered(tx.now()).into_string();
            tx.insert(CalendarYearRow { id, version: 0, year: i64::from(year), body: json.to_owned() }, record())?;
        }
    }
    Ok(year)
}

/// Reads a file and says of which year it is.
fn check(json: &str) -> Result<i32> {
    if json.len() > limits::CALENDAR_FILE_BYTES {
        return Err(refusals::body_invalid(&format!(
            "a calendar year has at most {} bytes",
            limits::CALENDAR_FILE_BYTES
        ))
        .into());
    }
    let year = BusinessCalendar::default().import(json).map_err(|error| refusals::body_invalid(&error.to_string()))?;
    if !YEARS.contains(&year) {
        return Err(refusals::body_invalid(&format!("year: {} to {}", YEARS.start(), YEARS.end())).into());
    }
    Ok(year)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_holidays_tells_its_year() {
        let file = r#"{"year":2027,"papers":[],"days":[{"name":"元旦","date":"2027-01-01","isOffDay":true}]}"#;
        assert_eq!(check(file).expect("a file"), 2027);
    }

    #[test]
    fn a_file_that_is_no_calendar_of_our_years_is_refused() {
        let big = format!(r#"{{"year":2027,"days":[]}}{}"#, " ".repeat(limits::CALENDAR_FILE_BYTES));
        for file in [
            "",
            "{}",
            r#"{"year":1999,"days":[]}"#,
            r#"{"year":2027,"days":[{"date":"2029-01-01","isOffDay":true}]}"#,
            big.as_str(),
        ] {
            assert!(check(file).is_err(), "{}", &file[..file.len().min(60)]);
        }
    }
}
