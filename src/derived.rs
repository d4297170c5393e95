//! What is written down from the code and never by hand: the API description and the reference pages.
//!
//! Promises: the same code gives the same bytes; a test compares them with the files of the repository, so that a page
//! can be neither forgotten nor edited. What a page says is the business of the module that owns the facts.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::http::{codes, openapi, permissions};
use crate::rules::editions::EDITIONS;
use crate::rules::{catalogue, diagrams};

/// Every derived file: its path in the repository and its content. Which tests try a rule is read from the sources
/// below `root`.
pub fn documents(root: &Path) -> Vec<(String, String)> {
    let mut description =
        serde_json::to_string_pretty(openapi::description()).expect("the description is plain data with text keys");
    description.push('\n');
    let mut files = vec![
        ("api-spec/openapi.json".to_owned(), description),
        ("api-spec/permissions.md".to_owned(), permissions::permissions_md()),
        ("api-spec/problems.md".to_owned(), codes::problems_md()),
        ("api-spec/rules.md".to_owned(), catalogue::rules_md(&rule_tests(root))),
        ("api-spec/procedures/bid.md".to_owned(), diagrams::bid_md()),
        ("api-spec/procedures/opening.md".to_owned(), diagrams::session_md()),
    ];
    for edition in EDITIONS {
        files.push((format!("api-spec/procedures/{}.md", edition.id), diagrams::procedure_md(edition)));
    }
    files
}

/// The tests of each rule: those whose name begins with the rule's id, such as `eng_16_two_bids_are_not_opened`.
fn rule_tests(root: &Path) -> BTreeMap<String, Vec<String>> {
    let mut names = Vec::new();
    for dir in ["src/pure/rules", "tests/suite"] {
        collect_names(&root.join(dir), &mut names);
    }
    names.sort_unstable();
    names.dedup();
    let mut tests: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in names {
        let mut words = name.splitn(3, '_');
        if let (Some(family), Some(number), Some(_)) = (words.next(), words.next(), words.next()) {
            let numbered = number.len() == 2 && number.bytes().all(|byte| byte.is_ascii_digit());
            if numbered && (1..=3).contains(&family.len()) {
                tests.entry(format!("{}-{number}", family.to_uppercase())).or_default().push(name);
            }
        }
    }
    tests
}

fn collect_names(dir: &Path, names: &mut Vec<String>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect_names(&path, names);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).unwrap_or_default();
            let named = text
                .lines()
                .map(str::trim_start)
                .filter(|line| line.starts_with("fn ") || line.starts_with("on_both!"));
            names.extend(
                named.flat_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')).map(str::to_owned),
            );
        }
    }
}
