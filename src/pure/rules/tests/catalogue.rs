//! The catalogue is complete both ways, and the pages drawn from the tables name everything.

use crate::kernel::time::LocalDate;
use crate::rules::catalogue::{Confidence, RULES, RuleId, enforced_where, rules_md};
use crate::rules::diagrams::{bid_md, procedure_md, session_md};
use crate::rules::editions::EDITIONS;

#[test]
fn every_rule_of_the_catalogue_is_enforced_somewhere() {
    let nowhere: Vec<String> =
        enforced_where().iter().filter(|(_, places)| places.is_empty()).map(|(rule, _)| rule.to_string()).collect();
    assert!(nowhere.is_empty(), "{nowhere:?}");
}

#[test]
fn every_rule_that_is_cited_is_in_the_catalogue_once() {
    for rule in enforced_where().keys() {
        assert_eq!(RULES.iter().filter(|row| row.id == *rule).count(), 1, "{rule}");
        assert_eq!(RuleId::parse(rule.as_str()), Some(*rule));
        assert_eq!(rule.rule().id, *rule);
    }
    assert_eq!(RuleId::parse("ENG-99"), None);
}

#[test]
fn a_rule_without_an_article_says_that_it_is_the_platforms_own() {
    for rule in RULES {
        assert_eq!(rule.confidence == Confidence::Own, rule.id.as_str().starts_with("PF-"), "{}", rule.id);
        assert!(rule.effective_from.parse::<LocalDate>().is_ok(), "{}", rule.id);
    }
}

#[test]
fn the_page_of_rules_has_a_line_for_each() {
    let page = rules_md(&std::collections::BTreeMap::new());
    for rule in RULES {
        assert!(page.contains(&format!("| {} |", rule.id)), "{}", rule.id);
    }
    assert!(page.contains("lot.deadline_leaves_time_after_issue"));
    assert!(page.contains("bid.received_before_the_deadline"));
}

#[test]
fn the_page_of_an_edition_shows_every_row_of_its_table() {
    for edition in EDITIONS {
        let page = procedure_md(edition);
        assert!(page.contains("stateDiagram-v2") && page.contains("noticed --> closed: close_bidding"));
        for row in edition.table {
            assert!(page.contains(&format!("| {} {} |", row.event.name(), row.event.title().zh)), "{:?}", row.event);
            for guard in row.when {
                assert!(page.contains(&format!("({})", guard.rule)), "{}", guard.name);
            }
        }
    }
    assert!(bid_md().contains("submitted --> withdrawn: withdraw"));
    assert!(session_md().contains("confirmed --> closed: close"));
}
