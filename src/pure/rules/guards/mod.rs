//! The conditions of a lot's table, by subject. Each cites its rule and says what is, what is needed and when.
//!
//! Promise: one rule, one place; a rule fix touches one file here. Guards that share a text and differ in their source
//! are made by one function that takes the rule's id. Deliberately not here: the order in which guards are asked (the
//! table's), and parameters (the edition's).

mod award;
mod bidding;
mod closing;
mod dates;
mod registration;
mod terms;

pub use award::*;
pub use bidding::*;
pub use closing::*;
pub use dates::*;
pub use registration::*;
pub use terms::*;

use crate::kernel::text::{Bilingual, Phrase};
use crate::kernel::time::Timestamp;
use crate::rules::catalogue::RuleId;
use crate::rules::machine::{Case, Lot};
use crate::rules::refusal::{Finding, Obstacle, Retry};
use crate::rules::table::{Check, Guard, Reads};

type LotCheck = for<'a, 'b> fn(&'a Case<'b>) -> Check;

/// A condition on what was filed: it can be cured by filing something else.
const fn content(name: &'static str, code: &'static str, rule: RuleId, says: Phrase, check: LotCheck) -> Guard<Lot> {
    Guard { name, code, rule, says, reads: Reads::Facts, obstacle: Obstacle::Content, retry: Retry::AfterChange, check }
}

/// A condition on the request itself.
const fn request(name: &'static str, code: &'static str, rule: RuleId, says: Phrase, check: LotCheck) -> Guard<Lot> {
    Guard { reads: Reads::Request, ..content(name, code, rule, says, check) }
}

/// A condition on how far the procedure is.
const fn state(name: &'static str, code: &'static str, rule: RuleId, says: Phrase, check: LotCheck) -> Guard<Lot> {
    Guard { obstacle: Obstacle::State, ..content(name, code, rule, says, check) }
}

/// A condition that time alone will satisfy.
const fn waiting(name: &'static str, code: &'static str, rule: RuleId, says: Phrase, check: LotCheck) -> Guard<Lot> {
    Guard { retry: Retry::SameRequest, ..state(name, code, rule, says, check) }
}

/// A condition on sealed facts.
const fn sealed(name: &'static str, code: &'static str, rule: RuleId, says: Phrase, check: LotCheck) -> Guard<Lot> {
    Guard { reads: Reads::Sealed, ..state(name, code, rule, says, check) }
}

/// Holds, or the finding with those texts.
fn require(holds: bool, detail: Phrase, hint: Phrase) -> Check {
    if holds { Ok(()) } else { Err(Finding::fixed(detail, hint)) }
}

/// A value that has to be there before anything can be said about it.
fn present<T>(value: Option<T>, what: Phrase) -> Result<T, Finding> {
    value.ok_or_else(|| {
        Finding::new(
            Bilingual::new(format!("缺少：{}。", what.zh), format!("Missing: {}.", what.en)),
            Bilingual::new(format!("请填写{}。", what.zh), format!("State the {}.", what.en)),
        )
    })
}

/// The deadline as it would be after the act.
fn deadline(case: &Case<'_>) -> Result<Timestamp, Finding> {
    present(case.deadline_at(), Phrase::new("投标截止时间", "submission deadline"))
}

/// A finding that only time cures.
fn not_before(at: Timestamp, what: Phrase) -> Finding {
    Finding::new(
        Bilingual::new(
            format!("{}（{}）尚未到。", what.zh, at.local()),
            format!("{} ({}) is not reached yet.", what.en, at.local()),
        ),
        Bilingual::new(format!("请于{}之后办理。", at.local()), format!("Possible from {}.", at.local())),
    )
    .possible_from(at)
}
