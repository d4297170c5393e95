//! The walks in docs/tutorials, replayed: every fenced block of a page is carried out, and what the page shows is compared
//! with what comes. A page that is no longer true fails.
//!
//! A block says by its name what it is: `step` (what people or their software do besides, in the words of
//! `support::tutorial`), `clock` (the time that it becomes), `http` (a request and the answer to it; `http > file` keeps the
//! answer), `sh` (commands after `$ ` with what they print) and `python file` (a program that a command runs). In what is
//! shown `…` stands for anything, fields that are left out may be there, and `{name}` is the value that was shown first in
//! its place.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::process::Command;

use sealbid::kernel::time::Timestamp;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::api::{Answer, Request};
use crate::support::tutorial::{STEPS, Walk};
use crate::support::world::World;

const ANYTHING: char = '…';
const METHODS: [&str; 4] = ["GET", "POST", "PUT", "DELETE"];

on_both!(the_last_minutes, |world| {
    replay(world, "the-last-minutes.md", &["step", "clock", "http", "sh"]);
});

on_both!(an_official_s_walk, |world| {
    replay(world, "an-official-s-walk.md", &["step", "clock", "http"]);
});

on_both!(two_questions, |world| {
    replay(world, "two-questions.md", &["step", "http", "python", "sh"]);
});

#[test]
fn every_page_is_replayed() {
    let names: BTreeSet<_> =
        std::fs::read_dir(pages()).expect("pages").map(|page| page.expect("one").file_name()).collect();
    assert_eq!(Vec::from_iter(names), ["an-official-s-walk.md", "the-last-minutes.md", "two-questions.md"]);
}

#[test]
fn what_is_shown_and_is_not_so_is_noticed() {
    let differs = |shown: Value, found: Value| matches(&mut BTreeMap::new(), &shown, &found).is_err();
    assert!(differs(json!({ "a": 1 }), json!({ "a": 2 })) && differs(json!({ "a": "…" }), json!({ "b": "x" })));
    assert!(differs(json!([1]), json!([1, 2])) && differs(json!(["…", 3, "…"]), json!([1, 2])));
    assert!(differs(json!(["{a}", "{a}"]), json!([1, 2])) && differs(json!("a…c"), json!("ab")));
    assert!(!differs(json!({ "a": ["{x}", "{x}", "…"], "b": "a…c" }), json!({ "a": [1, 1, 2], "b": "abc" })));
}

fn pages() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tutorials")
}

/// A fenced block.
struct Block {
    place: String,
    info: String,
    text: String,
}

fn blocks(name: &str, page: &str) -> Vec<Block> {
    let (mut found, mut open) = (Vec::new(), None);
    for (number, line) in page.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) => {
                open = Some(Block { place: format!("{name}:{}", number + 1), info: info.into(), text: String::new() });
            }
            (Some(_), Some("")) => found.extend(open.take()),
            (Some(block), _) => block.text.push_str(&format!("{line}\n")),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{name}: a block without an end");
    found
}

/// Carries a page out. `kinds` are those that it has, so that none gets lost.
fn replay(world: &World, name: &str, kinds: &[&str]) {
    let page = std::fs::read_to_string(pages().join(name)).expect("a page");
    let mut walk = Walk::new(world);
    let mut unused = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for block in blocks(name, &page) {
        let (kind, rest) = block.info.split_once(' ').unwrap_or((&block.info, ""));
        seen.insert(kind.to_owned());
        match kind {
            "step" => step(&mut walk, &block),
            "clock" => {
                let at = block.text.split_whitespace().next().unwrap_or_default();
                world.advance_to(Timestamp::parse(at).unwrap_or_else(|error| panic!("{}: {error}", block.place)));
            }
            "http" => http(&mut walk, &block, rest.strip_prefix("> ")),
            "python" => {
                walk.write(rest, block.text.as_bytes());
                unused.insert(rest.to_owned());
            }
            "sh" => {
                shell(&walk, &block);
                unused.retain(|file| !block.text.contains(file.as_str()));
            }
            other => panic!("{}: nothing is known of blocks of {other:?}", block.place),
        }
    }
    assert_eq!(unused, BTreeSet::new(), "{name}: programs that no command runs");
    assert_eq!(seen, kinds.iter().map(|kind| (*kind).to_owned()).collect());
}

fn step(walk: &mut Walk<'_>, block: &Block) {
    let words = block.text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (_, act) = STEPS
        .iter()
        .find(|(known, _)| *known == words)
        .unwrap_or_else(|| panic!("{}: nobody knows how to do this: {words}", block.place));
    act(walk);
}

/// Sends the request of a block and compares the answer.
fn http(walk: &mut Walk<'_>, block: &Block, keep: Option<&str>) {
    let place = &block.place;
    let (asked, shown) = block.text.split_once("HTTP/1.1 ").unwrap_or_else(|| panic!("{place}: no answer is shown"));
    let answer = request(walk, place, asked).send();
    if let Some(file) = keep {
        walk.write(file, &answer.body);
    }
    let (head, body) = shown.split_once("\n\n").unwrap_or((shown, ""));
    let mut head = head.lines();
    let status: u16 = head.next().and_then(|line| line.split(' ').next()?.parse().ok()).expect("a status");
    assert_eq!(answer.status, status, "{place}: {}", answer.text());
    for line in head {
        let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("{place}: {line} is no header"));
        let found = answer.header(&name.to_lowercase()).unwrap_or_default();
        assert!(is_like(&fill(&walk.known, value), found), "{place}: {name} is {found:?}");
    }
    compare(walk, place, body.trim(), &answer);
}

fn request<'w>(walk: &Walk<'w>, place: &str, asked: &str) -> Request<'w> {
    let (head, body) = asked.trim_end().split_once("\n\n").unwrap_or((asked.trim_end(), ""));
    let mut lines = head.lines();
    let (method, path) = lines.next().and_then(|line| line.split_once(' ')).expect("a method and a path");
    let method = METHODS.into_iter().find(|known| *known == method).unwrap_or_else(|| panic!("{place}: {method}"));
    let mut request = Request::new(walk.world, method, fill(&walk.known, path));
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("{place}: {line} is no header"));
        let login = value.strip_prefix("Bearer {").and_then(|login| login.strip_suffix('}'));
        let value = match login {
            Some(login) => format!("Bearer {}", walk.world.person(login).token()),
            None => fill(&walk.known, value),
        };
        request = request.header(name, value);
    }
    match body.trim().strip_prefix('@') {
        Some(file) => request.bytes(&walk.read(file)),
        None if body.trim().is_empty() => request,
        None => {
            let body: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{place}: {error}"));
            request.json(&filled(&walk.known, &body))
        }
    }
}

fn compare(walk: &mut Walk<'_>, place: &str, shown: &str, answer: &Answer) {
    if shown.is_empty() {
        return;
    }
    if !answer.header("content-type").is_some_and(|kind| kind.contains("json") && !kind.contains("ndjson")) {
        let text = answer.text().replace(['\u{feff}', '\r'], "");
        assert!(is_like(&fill(&walk.known, shown), text.trim_end()), "{place}: another answer:\n{text}");
        return;
    }
    let shown: Value = serde_json::from_str(shown).unwrap_or_else(|error| panic!("{place}: what is shown: {error}"));
    let found = answer.json();
    if let Err(difference) = matches(&mut walk.known, &shown, &found) {
        panic!("{place}: {difference}\nThe whole answer: {found:#}");
    }
}

/// Compares what is shown with what was found, and remembers what is named for the first time.
fn matches(known: &mut BTreeMap<String, Value>, shown: &Value, found: &Value) -> Result<(), String> {
    let differs = || Err(format!("shown is {shown}, found was {found}"));
    let anything = |value: &Value| value.as_str() == Some("…");
    match (shown, found) {
        (Value::String(text), _) => match (name_in(text), found) {
            (Some(name), _) => match known.get(name) {
                Some(value) if value == found => Ok(()),
                Some(value) => Err(format!("{name} was {value} and is {found}")),
                None if found.is_null() => Err(format!("{name} is not there")),
                None => {
                    known.insert(name.to_owned(), found.clone());
                    Ok(())
                }
            },
            (None, Value::String(found)) if is_like(&fill(known, text), found) => Ok(()),
            (None, Value::Null) => differs(),
            (None, _) if anything(shown) => Ok(()),
            (None, _) => differs(),
        },
        (Value::Object(shown), Value::Object(found)) => shown.iter().try_for_each(|(key, shown)| {
            let found = found.get(key).unwrap_or(&Value::Null);
            matches(known, shown, found).map_err(|error| format!("{key}: {error}"))
        }),
        (Value::Array(items), Value::Array(found)) => {
            let wanted: Vec<&Value> = items.iter().filter(|item| !anything(item)).collect();
            let (open, close) = (items.first().is_some_and(anything), items.last().is_some_and(anything));
            let counts = if close { wanted.len() <= found.len() } else { wanted.len() == found.len() };
            if open {
                // Somewhere among them, in whatever order.
                wanted.iter().try_for_each(|wanted| {
                    let there = found.iter().any(|found| {
                        // What was named by one that does not fit after all is not remembered.
                        let mut tried = known.clone();
                        matches(&mut tried, wanted, found).map(|()| *known = tried).is_ok()
                    });
                    if there { Ok(()) } else { Err(format!("{wanted} is not among {}", found.len())) }
                })
            } else if counts {
                wanted.iter().zip(found).try_for_each(|(wanted, found)| matches(known, wanted, found))
            } else {
                differs()
            }
        }
        _ if shown == found => Ok(()),
        _ => differs(),
    }
}

/// Whether a text is what is shown, where `…` stands for anything.
fn is_like(shown: &str, found: &str) -> bool {
    let mut pieces = shown.split(ANYTHING);
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = found.strip_prefix(first) else { return false };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else { return rest.is_empty() };
    for piece in pieces {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

/// The name, where a text is a name in braces and nothing else.
fn name_in(text: &str) -> Option<&str> {
    let name = text.strip_prefix('{')?.strip_suffix('}')?;
    name.chars().all(|c| c.is_ascii_alphanumeric() || "_.".contains(c)).then_some(name)
}

/// A text with values in place of their names.
fn fill(known: &BTreeMap<String, Value>, text: &str) -> String {
    known.iter().fold(text.to_owned(), |text, (name, value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text.replace(&format!("{{{name}}}"), &value)
    })
}

fn filled(known: &BTreeMap<String, Value>, value: &Value) -> Value {
    match value {
        Value::String(text) => name_in(text)
            .map(|name| known.get(name).unwrap_or_else(|| panic!("nothing is known of {name}")).clone())
            .unwrap_or_else(|| fill(known, text).into()),
        Value::Array(items) => items.iter().map(|item| filled(known, item)).collect(),
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), filled(known, value))).collect(),
        other => other.clone(),
    }
}

/// Runs commands where the files of the page lie, and compares what they print.
fn shell(walk: &Walk<'_>, block: &Block) {
    let program = Path::new(env!("CARGO_BIN_EXE_sealbid")).parent().expect("a directory");
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
    for said in block.text.split("$ ").skip(1) {
        let (command, shown) = said.split_once('\n').expect("a line");
        if command.starts_with("python3 ") && !has_python() {
            continue;
        }
        let mut shell = Command::new("sh");
        shell.args(["-c", &fill(&walk.known, command)]).current_dir(walk.dir()).env("PATH", &path);
        let output = shell.output().expect("a shell");
        let found = String::from_utf8_lossy(&output.stdout).into_owned();
        let trouble = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {command}: {trouble}", block.place);
        let shown = fill(&walk.known, shown.trim());
        assert!(is_like(&shown, found.trim()), "{}: {command} prints:\n{found}", block.place);
    }
}

/// Whether there is a Python; a line says where there is none.
fn has_python() -> bool {
    if Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success()) {
        return true;
    }
    let line = "skipped: a program of a tutorial (there is no python3)";
    assert!(std::env::var_os("SEALBID_REQUIRE_PYTHON").is_none_or(|value| value != "1"), "{line}");
    let _ = writeln!(std::io::stderr(), "{line}");
    false
}
