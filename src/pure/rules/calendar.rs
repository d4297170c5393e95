//! The business calendar: which days are working days, and periods counted in them.
//!
//! Promise: a result that rests on a year whose holidays are not announced yet says `provisional`; the next autumn's
//! announcement may change it. An empty year is *not announced*, never *no holidays*.
//! Invariant: days are days of Asia/Shanghai and the first day of a period is not counted (Civil Code article 201).
//! Deliberately not here: the moment, and the rules that set periods.
//!
//! Data: announced public holidays and make-up working days of the People's Republic of China in the JSON form of the
//! public repository NateScarlet/holiday-cn (MIT), each with the source paper it follows. Imported years override.

use crate::kernel::time::LocalDate;
use crate::rules::catalogue::{G_01, G_02, RuleId};
use chrono::{Datelike, Days, Weekday};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Embedded years. The last one is there, and empty, because it is not announced.
const EMBEDDED: &[&str] = &[
    include_str!("data/holidays/2024.json"),
    include_str!("data/holidays/2025.json"),
    include_str!("data/holidays/2026.json"),
    include_str!("data/holidays/2027.json"),
];

/// Longest span that is counted day by day, in days: ten years, longer than any period of the law; beyond it a count
/// only says "at least". Without a bound a deadline in the year 9998 would cost three million steps.
pub const MAX_SPAN_DAYS: i64 = 3_660;

/// Rules that hold by the way periods are counted here.
pub const COUNTING_RULES: &[(&str, RuleId)] = &[("roll_forward", G_01), ("working_days", G_02)];

/// A result, and whether a later announcement may change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted<T> {
    /// The result.
    pub value: T,
    /// It rests on a year whose holidays are not announced yet.
    pub provisional: bool,
}

/// A calendar file can not be used.
#[derive(Debug, thiserror::Error)]
pub enum CalendarError {
    /// Not JSON of the expected form.
    #[error("not a holiday file: {0}")]
    Form(#[from] serde_json::Error),
    /// A day that does not belong to the year or its edges.
    #[error("{date} does not belong to {year}")]
    Stray {
        /// The file's year.
        year: i32,
        /// The day.
        date: LocalDate,
    },
    /// A day that is listed twice.
    #[error("{0} is listed twice")]
    Twice(LocalDate),
}

#[derive(Deserialize)]
struct YearFile {
    year: i32,
    days: Vec<DayEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DayEntry {
    date: String,
    is_off_day: bool,
}

/// Which days are working days.
#[derive(Debug, Clone, Default)]
pub struct BusinessCalendar {
    /// By the year of the announcement: each day that differs from an ordinary week, true if it is off.
    years: BTreeMap<i32, BTreeMap<LocalDate, bool>>,
}

impl BusinessCalendar {
    /// The calendar of the embedded years.
    pub fn embedded() -> Self {
        let mut calendar = Self::default();
        for file in EMBEDDED {
            calendar.import(file).expect("the embedded files are read by a test");
        }
        calendar
    }

    /// Takes one year's file in place of what was known of that year, and returns the year.
    pub fn import(&mut self, file: &str) -> Result<i32, CalendarError> {
        let file: YearFile = serde_json::from_str(file)?;
        let mut days = BTreeMap::new();
        for entry in &file.days {
            let date: LocalDate = entry
                .date
                .parse()
                .map_err(|_| serde::de::Error::custom(format!("not a date: {}", entry.date)))
                .map_err(CalendarError::Form)?;
            // An announcement may reach over New Year.
            let reaches = (file.year - 1..=file.year + 1).contains(&date.year());
            if !reaches {
                return Err(CalendarError::Stray { year: file.year, date });
            }
            if days.insert(date, entry.is_off_day).is_some() {
                return Err(CalendarError::Twice(date));
            }
        }
        self.years.insert(file.year, days);
        Ok(file.year)
    }

    /// Whether the holidays of a year are announced.
    pub fn is_announced(&self, year: i32) -> bool {
        self.years.get(&year).is_some_and(|days| !days.is_empty())
    }

    /// Whether a day is a working day; make-up Saturdays and Sundays are.
    pub fn is_working_day(&self, day: LocalDate) -> Counted<bool> {
        let year = day.year();
        let special = [year, year + 1, year - 1]
            .iter()
            .find_map(|announced_in| self.years.get(announced_in).and_then(|days| days.get(&day)));
        let value = match special {
            Some(off) => !off,
            None => !matches!(day.weekday(), Weekday::Sat | Weekday::Sun),
        };
        Counted { value, provisional: special.is_none() && !self.is_announced(year) }
    }

    /// Working days from `from` (not counted) to `to` (counted); 0 if `to` is not later. Counts [`MAX_SPAN_DAYS`] at most.
    pub fn wd(&self, from: LocalDate, to: LocalDate) -> Counted<i64> {
        let mut count = Counted { value: 0, provisional: false };
        let mut day = from;
        for _ in 0..MAX_SPAN_DAYS {
            day = next(day);
            if day > to || day == from {
                break;
            }
            let working = self.is_working_day(day);
            count.value += i64::from(working.value);
            count.provisional |= working.provisional;
        }
        count
    }

    /// `day` if it is a working day, else the next one (Civil Code article 203).
    pub fn roll_forward(&self, day: LocalDate) -> Counted<LocalDate> {
        let mut result = Counted { value: day, provisional: false };
        for _ in 0..MAX_SPAN_DAYS {
            let working = self.is_working_day(result.value);
            result.provisional |= working.provisional;
            if working.value {
                break;
            }
            result.value = next(result.value);
        }
        result
    }

    /// The last day of a period of `days` calendar days that begins on `from`, rolled forward to a working day.
    pub fn add_days(&self, from: LocalDate, days: u32) -> Counted<LocalDate> {
        let end = from.checked_add_days(Days::new(u64::from(days))).unwrap_or(LocalDate::MAX);
        self.roll_forward(end)
    }

    /// The last day of a period of `days` working days that begins on `from`.
    pub fn add_working_days(&self, from: LocalDate, days: u32) -> Counted<LocalDate> {
        let mut result = Counted { value: from, provisional: false };
        let mut left = days;
        for _ in 0..MAX_SPAN_DAYS {
            if left == 0 {
                break;
            }
            result.value = next(result.value);
            let working = self.is_working_day(result.value);
            result.provisional |= working.provisional;
            left -= u32::from(working.value);
        }
        result
    }
}

/// The day after; the last day of the calendar is its own next.
fn next(day: LocalDate) -> LocalDate {
    day.succ_opt().unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn date(text: &str) -> LocalDate {
        text.parse().expect("a date")
    }

    fn is_working(text: &str) -> Counted<bool> {
        BusinessCalendar::embedded().is_working_day(date(text))
    }

    #[test]
    fn make_up_weekends_are_working_days_and_holidays_are_not() {
        for (day, working) in [
            ("2025-01-26", true),
            ("2025-02-08", true),
            ("2025-04-27", true),
            ("2025-09-28", true),
            ("2025-10-11", true),
            ("2025-10-08", false),
            ("2026-01-04", true),
            ("2026-02-14", true),
            ("2026-02-28", true),
            ("2026-05-09", true),
            ("2026-09-20", true),
            ("2026-10-10", true),
            ("2026-02-23", false),
            ("2026-10-01", false),
            ("2026-03-07", false),
            ("2026-03-09", true),
        ] {
            assert_eq!(is_working(day), Counted { value: working, provisional: false }, "{day}");
        }
    }

    #[test]
    fn a_year_that_is_not_announced_is_provisional_not_free_of_holidays() {
        assert!(!BusinessCalendar::embedded().is_announced(2027));
        assert_eq!(is_working("2027-02-10"), Counted { value: true, provisional: true });
        assert_eq!(is_working("2027-02-13"), Counted { value: false, provisional: true });
        assert_eq!(is_working("2023-05-04"), Counted { value: true, provisional: true });
        let calendar = BusinessCalendar::embedded();
        assert!(calendar.add_working_days(date("2026-12-21"), 20).provisional);
        assert!(!calendar.add_working_days(date("2026-11-02"), 20).provisional);
        assert!(calendar.wd(date("2026-12-30"), date("2027-01-04")).provisional);
    }

    #[test]
    fn an_imported_year_overrides_the_embedded_one() {
        let mut calendar = BusinessCalendar::embedded();
        let file = r#"{"year":2027,"papers":["p"],"days":[{"name":"元旦","date":"2027-01-01","isOffDay":true},{"name":"元旦","date":"2026-12-31","isOffDay":true}]}"#;
        assert_eq!(calendar.import(file).expect("a file"), 2027);
        assert_eq!(calendar.is_working_day(date("2027-01-01")), Counted { value: false, provisional: false });
        assert!(!calendar.is_working_day(date("2026-12-31")).value);
        assert_eq!(calendar.import(r#"{"year":2027,"days":[]}"#).expect("a file"), 2027);
        assert_eq!(calendar.is_working_day(date("2027-01-01")), Counted { value: true, provisional: true });
    }

    #[test]
    fn a_file_with_a_stray_or_repeated_or_unreadable_day_is_refused() {
        let mut calendar = BusinessCalendar::embedded();
        for days in [
            r#"[{"date":"2029-01-01","isOffDay":true}]"#,
            r#"[{"date":"2027-13-01","isOffDay":true}]"#,
            r#"[{"date":"2027-01-01","isOffDay":true},{"date":"2027-01-01","isOffDay":false}]"#,
            r#"{}"#,
        ] {
            assert!(calendar.import(&format!(r#"{{"year":2027,"days":{days}}}"#)).is_err(), "{days}");
        }
        assert!(!calendar.is_announced(2027));
    }

    #[test]
    fn a_period_ending_on_a_holiday_ends_on_the_next_working_day() {
        let calendar = BusinessCalendar::embedded();
        // 2026-09-28 + 3 is the National Day; the holiday lasts to the 7th.
        assert_eq!(calendar.add_days(date("2026-09-28"), 3).value, date("2026-10-08"));
        // 2026-02-11 + 3 is a make-up Saturday: a working day, so it stays.
        assert_eq!(calendar.add_days(date("2026-02-11"), 3).value, date("2026-02-14"));
        assert_eq!(calendar.add_days(date("2026-03-02"), 3).value, date("2026-03-05"));
    }

    #[test]
    fn working_days_count_the_last_day_but_not_the_first() {
        let calendar = BusinessCalendar::embedded();
        assert_eq!(calendar.wd(date("2026-03-02"), date("2026-03-09")).value, 5);
        assert_eq!(calendar.wd(date("2026-03-02"), date("2026-03-02")).value, 0);
        assert_eq!(calendar.wd(date("2026-03-02"), date("2026-02-20")).value, 0);
        // Around the Spring Festival of 2026: make-up days on 14 and 28 February count.
        assert_eq!(calendar.wd(date("2026-02-13"), date("2026-02-28")).value, 1 + 4 + 1);
        assert_eq!(calendar.add_working_days(date("2026-02-13"), 6).value, date("2026-02-28"));
    }

    #[test]
    fn the_end_of_the_calendar_is_reached_without_failing() {
        let calendar = BusinessCalendar::embedded();
        assert!(calendar.wd(date("2026-01-01"), LocalDate::MAX).value > 2_000);
        assert_eq!(calendar.wd(LocalDate::MAX, LocalDate::MAX).value, 0);
        assert!(calendar.add_days(LocalDate::MAX, u32::MAX).provisional);
        assert!(calendar.add_working_days(LocalDate::MAX, 5).provisional);
    }

    proptest! {
        #[test]
        fn adding_working_days_and_counting_them_agree(start in 0_u64..1_000, days in 1_u32..60) {
            let calendar = BusinessCalendar::embedded();
            let from = date("2024-01-01").checked_add_days(Days::new(start)).expect("in range");
            let end = calendar.add_working_days(from, days).value;
            prop_assert_eq!(calendar.wd(from, end).value, i64::from(days));
            prop_assert!(calendar.is_working_day(end).value);
        }
    }
}
