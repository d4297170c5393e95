//! What is written down from the code and never by hand: the API description and the reference pages.
//!
//! Promises: the same code gives the same bytes; a test compares them with the files of the repository, so that a page
//! can be neither forgotten nor edited. What a page says is the business of the module that owns the facts.

use crate::http::{codes, openapi, permissions};
use crate::rules::editions::EDITIONS;
use crate::rules::{catalogue, diagrams};

/// Every derived file: its path in the repository and its content.
pub fn documents() -> Vec<(String, String)> {
    let mut description = serde_json::to_string_pretty(&openapi::description()).expect("the description is plain data with text keys");
    description.push('\n');
    let mut files = vec![
        ("api-spec/openapi.json".to_owned(), description),
        ("api-spec/permissions.md".to_owned(), permissions::permissions_md()),
        ("api-spec/problems.md".to_owned(), codes::problems_md()),
        ("api-spec/rules.md".to_owned(), catalogue::rules_md()),
        ("api-spec/procedures/bid.md".to_owned(), diagrams::bid_md()),
        ("api-spec/procedures/opening.md".to_owned(), diagrams::session_md()),
    ];
    for edition in EDITIONS {
        files.push((format!("api-spec/procedures/{}.md", edition.id), diagrams::procedure_md(edition)));
    }
    files
}
