//! Moments and local days.
//!
//! Promise: a [`Timestamp`] is whole milliseconds since 1970 UTC, the same number in both databases, in JSON and in
//! every digest, and has one text form. Days that the law counts are days of Asia/Shanghai (fixed +08:00; China has
//! had no other offset since 1991), never of UTC. Invariant: a timestamp lies in the years 1 to 9998, so it can
//! always be written. Deliberately not here: the current time (the application's clock) and working days
//! (`rules::calendar`).

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A calendar day in Asia/Shanghai.
pub type LocalDate = NaiveDate;

/// Seconds east of UTC in Asia/Shanghai.
const SHANGHAI_SECONDS: i32 = 8 * 3600;
/// 0001-01-02T00:00:00Z, so that the local form stays in year 1.
const MIN_MILLIS: i64 = -62_135_510_400_000;
/// 9998-12-31T23:59:59.999Z, so that the local form keeps four digits.
const MAX_MILLIS: i64 = 253_370_764_799_999;
/// Characters of the one text form, `2026-11-22T01:30:00.000Z`.
const TEXT_CHARS: usize = 24;

/// A text is not a moment in the platform's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time is RFC 3339 in UTC with milliseconds, such as 2026-11-22T01:30:00.000Z")]
pub struct InvalidTimestamp;

/// A moment in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment `millis` after the epoch; beyond the years 1 to 9998 the nearest moment within.
    pub const fn from_millis(millis: i64) -> Self {
        if millis < MIN_MILLIS {
            Self(MIN_MILLIS)
        } else if millis > MAX_MILLIS {
            Self(MAX_MILLIS)
        } else {
            Self(millis)
        }
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The moment `millis` later (earlier if negative), within the years 1 to 9998.
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self::from_millis(self.0.saturating_add(millis))
    }

    /// The moment `seconds` later (earlier if negative), within the years 1 to 9998.
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        self.plus_millis(seconds.saturating_mul(1000))
    }

    /// Reads the one text form; offsets, missing milliseconds and lower case are refused.
    pub fn parse(text: &str) -> Result<Self, InvalidTimestamp> {
        let shape = text.len() == TEXT_CHARS && text.ends_with('Z') && text.as_bytes()[10] == b'T';
        if !shape {
            return Err(InvalidTimestamp);
        }
        let moment = DateTime::parse_from_rfc3339(text).map_err(|_| InvalidTimestamp)?;
        let read = Self::from_millis(moment.timestamp_millis());
        // A leap second or a year out of range would come back as another text.
        if read.to_string() == text { Ok(read) } else { Err(InvalidTimestamp) }
    }

    fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).expect("the range of a timestamp is within chrono's")
    }

    fn shanghai(self) -> DateTime<FixedOffset> {
        self.utc().with_timezone(&FixedOffset::east_opt(SHANGHAI_SECONDS).expect("eight hours are less than a day"))
    }

    /// The same moment for people in China, `2026-11-22T09:30:00.000+08:00`.
    pub fn local(self) -> String {
        self.shanghai().to_rfc3339_opts(SecondsFormat::Millis, false)
    }

    /// The hour since the epoch, for what is bounded per hour.
    pub const fn hour(self) -> i64 {
        self.0.div_euclid(3_600_000)
    }

    /// The day in Asia/Shanghai.
    pub fn local_date(self) -> LocalDate {
        self.shanghai().date_naive()
    }

    /// The first moment of a day in Asia/Shanghai.
    pub fn start_of(day: LocalDate) -> Self {
        let midnight = day.and_time(NaiveTime::MIN).and_utc().timestamp_millis();
        Self::from_millis(midnight - i64::from(SHANGHAI_SECONDS) * 1000)
    }

    /// The last millisecond of a day in Asia/Shanghai.
    pub fn end_of(day: LocalDate) -> Self {
        Self::start_of(day).plus_millis(86_400_000 - 1)
    }
}

/// Calendar days from `from` to `to`, the first not counted (Civil Code article 201); negative if `to` is earlier.
pub fn d(from: LocalDate, to: LocalDate) -> i64 {
    to.signed_duration_since(from).num_days()
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.utc().to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl std::str::FromStr for Timestamp {
    type Err = InvalidTimestamp;
    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        Self::parse(text)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for Timestamp {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("RFC 3339 in UTC with milliseconds"))
            .examples(["2026-11-22T01:30:00.000Z"])
            .into()
    }
}

impl utoipa::ToSchema for Timestamp {
    fn name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn date(year: i32, month: u32, day: u32) -> LocalDate {
        LocalDate::from_ymd_opt(year, month, day).expect("a date")
    }

    #[test]
    fn a_moment_has_one_text_form() {
        let text = "2026-11-22T01:30:00.000Z";
        let moment = Timestamp::parse(text).expect("reads");
        assert_eq!(moment.to_string(), text);
        assert_eq!(moment.local(), "2026-11-22T09:30:00.000+08:00");
        for other in [
            "2026-11-22T01:30:00Z",
            "2026-11-22T01:30:00.0000Z",
            "2026-11-22T09:30:00.000+08:00",
            "2026-11-22t01:30:00.000z",
            "2026-11-22 01:30:00.000Z",
            "2026-02-30T01:30:00.000Z",
            "2026-06-30T23:59:60.000Z",
            "0000-01-01T00:00:00.000Z",
            "9999-12-31T23:59:59.999Z",
            "",
        ] {
            assert_eq!(Timestamp::parse(other), Err(InvalidTimestamp), "{other}");
        }
    }

    #[test]
    fn a_local_day_begins_at_sixteen_hours_utc_of_the_day_before() {
        let day = date(2026, 11, 22);
        assert_eq!(Timestamp::start_of(day).to_string(), "2026-11-21T16:00:00.000Z");
        assert_eq!(Timestamp::end_of(day).to_string(), "2026-11-22T15:59:59.999Z");
        assert_eq!(Timestamp::start_of(day).local_date(), day);
        assert_eq!(Timestamp::end_of(day).local_date(), day);
        assert_eq!(Timestamp::end_of(day).plus_millis(1).local_date(), date(2026, 11, 23));
    }

    #[test]
    fn the_first_day_is_not_counted() {
        assert_eq!(d(date(2026, 2, 27), date(2026, 3, 2)), 3);
        assert_eq!(d(date(2026, 3, 2), date(2026, 3, 2)), 0);
        assert_eq!(d(date(2026, 3, 2), date(2026, 3, 1)), -1);
    }

    #[test]
    fn a_moment_beyond_the_calendar_becomes_the_nearest_within() {
        assert_eq!(Timestamp::from_millis(i64::MAX).to_string(), "9998-12-31T23:59:59.999Z");
        assert_eq!(Timestamp::from_millis(i64::MIN).local(), "0001-01-02T08:00:00.000+08:00");
        assert_eq!(Timestamp::from_millis(i64::MAX).plus_seconds(i64::MAX).millis(), MAX_MILLIS);
    }

    proptest! {
        #[test]
        fn every_moment_reads_back_as_itself(millis in MIN_MILLIS..=MAX_MILLIS) {
            let moment = Timestamp::from_millis(millis);
            prop_assert_eq!(Timestamp::parse(&moment.to_string()), Ok(moment));
        }
    }
}
