//! Every code with which a rule refuses, found in the tables, for the pages that explain codes.

use crate::kernel::text::Phrase;
use crate::rules::bid::BID_TABLE;
use crate::rules::catalogue::{EB_02, EB_05, G_09, PF_01, PF_02, RuleId};
use crate::rules::ceremony::CEREMONY_TABLE;
use crate::rules::editions::EDITIONS;
use crate::rules::opening::SESSION_TABLE;
use crate::rules::refusal::Obstacle;
use crate::rules::table::{Machine, Row};
use std::collections::BTreeMap;

/// What a code means.
#[derive(Debug, Clone)]
pub struct RuleCode {
    /// The kind of obstacle, from which the status follows.
    pub obstacle: Obstacle,
    /// The rules that refuse with it.
    pub rules: Vec<RuleId>,
    /// The conditions that were not met, in words.
    pub says: Vec<Phrase>,
}

/// Codes of functions that read the tables instead of standing in them.
const OF_FUNCTIONS: &[(&str, Obstacle, Option<RuleId>, Phrase)] = &[
    (
        "not-your-act",
        Obstacle::Authority,
        Some(PF_02),
        Phrase::new("该操作由有权方办理", "the act is done by a party that may do it"),
    ),
    ("state-forbids", Obstacle::State, Some(PF_01), Phrase::new("当前状态允许该操作", "the state allows the act")),
    ("hold-forbids", Obstacle::State, Some(G_09), Phrase::new("标段未中止", "the lot is not on hold")),
    ("not-opening", Obstacle::State, Some(EB_02), Phrase::new("开标已开始", "the opening began")),
    (
        "decryption-over",
        Obstacle::State,
        Some(EB_05),
        Phrase::new("投标人在时限内解密", "the bidder decrypts in its time"),
    ),
    (
        "objection-not-provided-for",
        Obstacle::State,
        None,
        Phrase::new("本流程设有该类异议", "the procedure has this kind of objection"),
    ),
    (
        "objection-inadmissible",
        Obstacle::State,
        None,
        Phrase::new("异议在期限内提出", "the objection is made in its time"),
    ),
];

/// Every code of a rule, by code.
pub fn rule_codes() -> BTreeMap<&'static str, RuleCode> {
    let mut codes = BTreeMap::new();
    for edition in EDITIONS {
        of_table(edition.table, &mut codes);
    }
    of_table(BID_TABLE, &mut codes);
    of_table(SESSION_TABLE, &mut codes);
    of_table(CEREMONY_TABLE, &mut codes);
    for (code, obstacle, rule, says) in OF_FUNCTIONS {
        add(&mut codes, code, *obstacle, *rule, *says);
    }
    codes
}

fn of_table<M: Machine>(rows: &[Row<M>], codes: &mut BTreeMap<&'static str, RuleCode>) {
    for guard in rows.iter().flat_map(|row| row.when) {
        add(codes, guard.code, guard.obstacle, Some(guard.rule), guard.says);
    }
}

fn add(
    codes: &mut BTreeMap<&'static str, RuleCode>,
    code: &'static str,
    obstacle: Obstacle,
    rule: Option<RuleId>,
    says: Phrase,
) {
    let entry = codes.entry(code).or_insert(RuleCode { obstacle, rules: Vec::new(), says: Vec::new() });
    if let Some(rule) = rule.filter(|rule| !entry.rules.contains(rule)) {
        entry.rules.push(rule);
    }
    if !entry.says.contains(&says) {
        entry.says.push(says);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_code_is_one_kind_of_obstacle() {
        let codes = rule_codes();
        let mut guards: Vec<(&str, Obstacle)> = Vec::new();
        for edition in EDITIONS {
            guards.extend(edition.table.iter().flat_map(|row| row.when).map(|guard| (guard.code, guard.obstacle)));
        }
        guards.extend(BID_TABLE.iter().flat_map(|row| row.when).map(|guard| (guard.code, guard.obstacle)));
        guards.extend(CEREMONY_TABLE.iter().flat_map(|row| row.when).map(|guard| (guard.code, guard.obstacle)));
        guards.extend(SESSION_TABLE.iter().flat_map(|row| row.when).map(|guard| (guard.code, guard.obstacle)));
        for (code, obstacle) in guards {
            assert_eq!(codes[code].obstacle, obstacle, "{code} would answer with two statuses");
        }
    }
}
