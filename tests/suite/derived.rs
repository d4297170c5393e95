//! What is written down from the code is what the code says, and the API description keeps its habits.
//!
//! `UPDATE=1 cargo test --test suite derived` rewrites the files.

use std::fs;
use std::path::Path;

use sealbid::derived;
use sealbid::http::permissions::{Access, OPERATIONS};
use serde_json::Value;

#[test]
fn every_derived_file_is_what_the_code_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let update = std::env::var_os("UPDATE").is_some_and(|value| value == "1");
    let mut stale = Vec::new();
    for (path, content) in derived::documents(root) {
        let file = root.join(&path);
        if fs::read_to_string(&file).is_ok_and(|found| found == content) {
            continue;
        }
        if update {
            fs::create_dir_all(file.parent().expect("below the root")).expect("a directory");
            fs::write(&file, content).expect("writable");
        } else {
            stale.push(path);
        }
    }
    assert!(stale.is_empty(), "not what the code says: {stale:?}; run UPDATE=1 cargo test --test suite derived");
}

#[test]
fn no_file_stands_among_the_derived_ones_that_nothing_derives() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let known: Vec<String> = derived::documents(root).into_iter().map(|(path, _)| path).collect();
    for dir in ["api-spec", "api-spec/procedures"] {
        for entry in fs::read_dir(root.join(dir)).into_iter().flatten().flatten().filter(|entry| entry.path().is_file())
        {
            let path = format!("{dir}/{}", entry.file_name().to_string_lossy());
            assert!(known.contains(&path), "{path} is derived from nothing");
        }
    }
}

/// Method, path and description of every operation.
pub fn described() -> Vec<(String, String, Value)> {
    let description = serde_json::to_value(sealbid::http::openapi::description()).expect("JSON");
    let mut found = Vec::new();
    for (path, item) in description["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            found.push((method.to_uppercase(), path.clone(), operation.clone()));
        }
    }
    found
}

fn texts<'a>(operation: &'a Value, list: &str) -> Vec<&'a str> {
    operation[list]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|item| item["name"].as_str().or(item.as_str()))
        .collect()
}

#[test]
fn every_operation_is_described_in_full() {
    let mut wrong = Vec::new();
    let mut ids: Vec<String> = Vec::new();
    for (method, path, operation) in described() {
        let mut miss = |what: String| wrong.push(format!("{method} {path}: {what}"));
        let text = |field: &str| operation[field].as_str().unwrap_or_default().to_owned();
        if texts(&operation, "tags").len() != 1 {
            miss("needs one tag".into());
        }
        if text("summary").is_empty() {
            miss("needs a summary".into());
        }
        let id = text("operationId");
        if id.is_empty() || ids.contains(&id) {
            miss(format!("needs an operationId of its own, not {id:?}"));
        }
        ids.push(id);
        let parameters = texts(&operation, "parameters");
        for name in path.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
            if !parameters.contains(&name) {
                miss(format!("does not declare {{{name}}}"));
            }
        }
        let protected = OPERATIONS
            .iter()
            .any(|row| row.method == method && row.path == path && matches!(row.access, Access::Roles(_)));
        if protected && operation["security"].as_array().is_none_or(Vec::is_empty) {
            miss("needs the bearer token and does not say so".into());
        }
        if operation["responses"].as_object().is_none_or(serde_json::Map::is_empty) {
            miss("describes no answer".into());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The statuses that the outer layers can give to an operation, whatever its handler says.
#[test]
fn what_the_outer_layers_answer_is_described_with_every_operation() {
    for (method, path, operation) in described() {
        let row = OPERATIONS.iter().find(|row| row.method == method && row.path == path).expect("in the table");
        let mut expected = vec!["429", "500", "503"];
        if row.access != Access::Public {
            expected.push("401");
        }
        if matches!(row.access, Access::Roles(roles) if roles.len() < 5) {
            expected.push("403");
        }
        if path.contains('{') {
            expected.push("404");
        }
        let headers = texts(&operation, "parameters");
        if headers.contains(&"Idempotency-Key") {
            expected.extend(["400", "409", "422"]);
        }
        if headers.contains(&"If-Match") {
            expected.extend(["412", "428"]);
        }
        if operation["requestBody"].is_object() {
            expected.extend(["400", "408", "413", "422"]);
        }
        if operation["requestBody"]["content"]["application/json"].is_object() {
            expected.push("415");
        }
        for status in expected {
            assert!(operation["responses"][status].is_object(), "{method} {path} does not describe {status}");
        }
    }
}

#[test]
fn names_are_described_as_they_are_written() {
    let description = serde_json::to_value(sealbid::http::openapi::description()).expect("JSON");
    for (name, schema) in description["components"]["schemas"].as_object().expect("schemas") {
        for value in schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let written = value == "zh-CN" || !value.contains(|c: char| c.is_ascii_uppercase());
            assert!(written, "{name} describes {value}");
        }
    }
}

#[test]
fn refusals_are_described_as_problems() {
    let description = serde_json::to_value(sealbid::http::openapi::description()).expect("JSON");
    for (method, path, operation) in described() {
        for (status, response) in operation["responses"].as_object().expect("answers") {
            let shared = response["$ref"].as_str().and_then(|at| description.pointer(&at[1..]));
            let response = shared.unwrap_or(response);
            if status.starts_with('4') || status.starts_with('5') {
                let problem = response["content"]
                    .as_object()
                    .is_some_and(|content| content.contains_key("application/problem+json"));
                assert!(problem, "{method} {path}: {status} is not described as application/problem+json");
            }
        }
    }
}
