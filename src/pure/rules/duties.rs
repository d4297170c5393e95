//! Duties: what somebody must have done by when. They block nothing; a timeline shows them and lateness is visible.
//!
//! Promise: a due day follows from the facts and the calendar alone, and says when it is provisional.

use crate::kernel::text::Phrase;
use crate::kernel::time::{LocalDate, Timestamp};
use crate::rules::calendar::BusinessCalendar;
use crate::rules::catalogue::RuleId;
use crate::rules::editions::Edition;
use crate::rules::facts::LotFacts;

/// What a period is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// Calendar days; an end on a day off moves to the next working day.
    Days(u32),
    /// Working days.
    WorkingDays(u32),
}

/// A duty of an edition.
pub struct Duty {
    /// What has to be done.
    pub what: Phrase,
    /// Source.
    pub rule: RuleId,
    /// The moment from which it runs, if it has come.
    pub after: fn(&LotFacts) -> Option<Timestamp>,
    /// Whether it is done.
    pub done: fn(&LotFacts) -> bool,
    /// How long it may take.
    pub within: Span,
}

/// A duty that is open on a lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenDuty {
    /// What has to be done.
    pub what: Phrase,
    /// Source.
    pub rule: RuleId,
    /// The last day on which it is done in time, in Asia/Shanghai.
    pub due_on: LocalDate,
    /// The day rests on a year whose holidays are not announced yet.
    pub provisional: bool,
}

/// The open duties of a lot, in the edition's order.
pub fn open_duties(edition: &Edition, facts: &LotFacts, calendar: &BusinessCalendar) -> Vec<OpenDuty> {
    edition
        .duties
        .iter()
        .filter(|duty| !(duty.done)(facts))
        .filter_map(|duty| {
            let from = (duty.after)(facts)?.local_date();
            let due = match duty.within {
                Span::Days(days) => calendar.add_days(from, days),
                Span::WorkingDays(days) => calendar.add_working_days(from, days),
            };
            Some(OpenDuty { what: duty.what, rule: duty.rule, due_on: due.value, provisional: due.provisional })
        })
        .collect()
}
