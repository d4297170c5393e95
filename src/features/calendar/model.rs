//! Calendar years: as stored, and as the API shows them.

use std::ops::RangeInclusive;

use chrono::{Datelike, Weekday};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::schema::calendar_years;
use crate::kernel::time::LocalDate;
use crate::rules::calendar::BusinessCalendar;

/// Years that can be asked for and imported: public holidays were first arranged by an announcement for the year 2000.
pub const YEARS: RangeInclusive<i32> = 2000..=2100;

/// A row of `calendar_years`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = calendar_years, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct CalendarYearRow {
    /// The row.
    pub id: String,
    /// Version: one more with every import of the year.
    pub version: i64,
    /// The year.
    pub year: i64,
    /// The file, as imported.
    pub body: String,
}

/// A year of the business calendar, as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CalendarYear {
    /// The year.
    pub year: i32,
    /// Whether its public holidays are announced; before that, periods that rest on it are provisional.
    pub announced: bool,
    /// Mondays to Fridays that are days off.
    #[schema(example = json!(["2026-10-01"]))]
    pub days_off: Vec<String>,
    /// Saturdays and Sundays that are working days.
    #[schema(example = json!(["2026-10-10"]))]
    pub make_up_working_days: Vec<String>,
}

impl CalendarYear {
    /// What a calendar says of a year, where it differs from ordinary weeks.
    pub fn of(calendar: &BusinessCalendar, year: i32) -> Self {
        let mut shown = Self {
            year,
            announced: calendar.is_announced(year),
            days_off: Vec::new(),
            make_up_working_days: Vec::new(),
        };
        let first = LocalDate::from_ymd_opt(year, 1, 1);
        for day in first.into_iter().flat_map(|day| day.iter_days()).take_while(|day| day.year() == year) {
            let weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
            match (weekend, calendar.is_working_day(day).value) {
                (false, false) => shown.days_off.push(day.to_string()),
                (true, true) => shown.make_up_working_days.push(day.to_string()),
                _ => {}
            }
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announced_year_shows_its_days_off_and_make_up_days() {
        let year = CalendarYear::of(&BusinessCalendar::embedded(), 2026);
        assert!(year.announced);
        assert!(year.days_off.contains(&"2026-10-01".to_owned()));
        assert!(!year.days_off.contains(&"2026-10-03".to_owned()), "a Saturday is off without being said");
        assert!(year.make_up_working_days.contains(&"2026-10-10".to_owned()));
    }

    #[test]
    fn a_year_that_is_not_announced_is_ordinary_weeks_and_says_so() {
        let year = CalendarYear::of(&BusinessCalendar::embedded(), 2027);
        assert_eq!(
            year,
            CalendarYear { year: 2027, announced: false, days_off: Vec::new(), make_up_working_days: Vec::new() }
        );
    }
}
