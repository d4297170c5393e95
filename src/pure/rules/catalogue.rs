//! The catalogue of rules: what each says, where it comes from, how sure we are of it, and how it is enforced.
//!
//! Promise: every rule that a guard, a code, a window or a duty cites is here, and every rule here is cited by one of
//! them; where it is enforced is found in the tables, not written by hand. Deliberately not here: the conditions.

use crate::kernel::text::Phrase;
use crate::rules::bid::BID_TABLE;
use crate::rules::calendar::COUNTING_RULES;
pub use crate::rules::catalogue_rows::*;
use crate::rules::ceremony::CEREMONY_TABLE;
use crate::rules::editions::EDITIONS;
use crate::rules::hold::HOLDS;
use crate::rules::names::named;
use crate::rules::opening::SESSION_TABLE;
use crate::rules::rejection::RejectionCode;
use crate::rules::table::{Machine, Reads, Row};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;
use utoipa::ToSchema;

/// The id of a rule, for example `ENG-01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
#[schema(value_type = String, example = "ENG-01")]
pub struct RuleId(&'static str);

impl RuleId {
    /// Only the catalogue's rows make ids.
    pub(super) const fn new(id: &'static str) -> Self {
        Self(id)
    }

    /// The id as text.
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// The rule of that id.
    pub fn rule(self) -> &'static Rule {
        RULES.iter().find(|rule| rule.id == self).expect("ids are made by the rows of the catalogue only")
    }

    /// Reads an id, for a page about a rule.
    pub fn parse(text: &str) -> Option<Self> {
        RULES.iter().map(|rule| rule.id).find(|id| id.0 == text)
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Serialize for RuleId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

named! {
    /// How sure we are of a rule's wording.
    pub enum Confidence {
        /// The article was read in the text of the statute.
        V1 = "v1", "已核对法条原文", "read in the statute";
        /// Read in another source: an exchange's rule, a local rule, public code that quotes it.
        V2 = "v2", "见于其他来源", "read in another source";
        /// General knowledge; a lawyer confirms it before use.
        K = "k", "待法律人员确认", "to be confirmed by a lawyer";
        /// No article: a rule of this platform.
        Own = "own", "平台规则", "the platform's own rule";
    }
}

named! {
    /// How a rule is enforced.
    pub enum Enforcement {
        /// The act is refused.
        Blocks = "blocks", "不满足即拒绝", "blocks the act";
        /// A due day is computed and shown.
        Due = "due", "计算并提示期限", "computes a due day";
        /// Something is published.
        Publishes = "publishes", "公开", "demands publication";
        /// Something is recorded.
        Records = "records", "留存", "demands a record";
    }
}

/// A rule.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Id.
    pub id: RuleId,
    /// What it says.
    pub title: Phrase,
    /// The article it comes from.
    pub source: Phrase,
    /// How sure we are.
    pub confidence: Confidence,
    /// How it is enforced.
    pub enforcement: Enforcement,
    /// From when it is enforced here, as an ISO date.
    pub effective_from: &'static str,
}

/// Every rule with the places that enforce it (`machine.guard`, `window`, `duty`, ...), found in the tables.
pub fn enforced_where() -> BTreeMap<RuleId, Vec<String>> {
    let mut places: BTreeMap<RuleId, Vec<String>> = RULES.iter().map(|rule| (rule.id, Vec::new())).collect();
    let mut add = |rule: RuleId, place: String| {
        let list = places.entry(rule).or_default();
        if !list.contains(&place) {
            list.push(place);
        }
    };
    for edition in EDITIONS {
        of_table("lot", edition.table, &mut add);
        add(edition.award.rule, "lot.award_to_the_first".to_owned());
        edition.objections.iter().for_each(|rule| add(rule.rule, format!("objection.{}", rule.kind.name())));
        edition.duties.iter().for_each(|duty| add(duty.rule, format!("duty: {}", duty.what.en)));
    }
    of_table("bid", BID_TABLE, &mut add);
    of_table("session", SESSION_TABLE, &mut add);
    of_table("ceremony", CEREMONY_TABLE, &mut add);
    HOLDS.iter().for_each(|hold| add(hold.rule, format!("hold.{}", hold.kind.name())));
    RejectionCode::ALL.iter().for_each(|code| add(code.rule(), format!("rejection.{}", code.name())));
    COUNTING_RULES.iter().for_each(|(name, rule)| add(*rule, format!("calendar.{name}")));
    for (rule, place) in ENFORCED_BY_CONSTRUCTION {
        add(*rule, (*place).to_owned());
    }
    places
}

fn of_table<M: Machine>(machine: &str, rows: &[Row<M>], add: &mut impl FnMut(RuleId, String)) {
    for guard in rows.iter().flat_map(|row| row.when) {
        let sealed = if guard.reads == Reads::Sealed { " (sealed)" } else { "" };
        add(guard.rule, format!("{machine}.{}{sealed}", guard.name));
    }
}

/// Rules that hold by how a function is written, with that function.
const ENFORCED_BY_CONSTRUCTION: &[(RuleId, &str)] = &[
    (PF_01, "table::find"),
    (PF_02, "table::find"),
    (G_09, "machine::held"),
    (G_10, "machine::explain (sealed facts are not told before the closing)"),
    (EB_02, "opening::OpeningPermit"),
    (EB_05, "opening::UndecryptedCause::consequence"),
    (EB_03, "bid: replace"),
    (ENG_13, "bid: withdraw and replace until the deadline"),
    (PF_17, "ranking::rank"),
    (PR_10, "ranking::deal_price"),
];

/// The reference page of all rules, in Markdown.
pub fn rules_md(tests: &BTreeMap<String, Vec<String>>) -> String {
    let places = enforced_where();
    let mut page = String::from(
        "# Rules\n\nMade from the catalogue in `src/pure/rules`; do not edit.\n\n\
         | Rule | 内容 | What it says | Source | Confidence | Enforcement | From | Enforced in | Tests |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for rule in RULES {
        let where_ = places.get(&rule.id).map_or_else(String::new, |list| list.join("; "));
        let tried = tests.get(rule.id.as_str()).map_or_else(String::new, |names| names.join(", "));
        page.push_str(&format!(
            "| {} | {} | {} | {} / {} | {} | {} | {} | {} | {tried} |\n",
            rule.id,
            rule.title.zh,
            rule.title.en,
            rule.source.zh,
            rule.source.en,
            rule.confidence.title().en,
            rule.enforcement.title().en,
            rule.effective_from,
            where_,
        ));
    }
    page
}
