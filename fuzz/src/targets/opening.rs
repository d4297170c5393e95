//! The bundle of an opening, as a stranger's `verify opening` reads it.
//!
//! Whatever is done to a bundle, no other price is ever proven of an envelope than the one that was sealed in it.

use std::io::BufReader;

use sealbid::tlog::note::Verifier;
use sealbid::tlog::policy::Policy;
use sealbid::verify::opening::check;
use sealbid::verify::trust::Trust;
use serde_json::{Value, json};

use super::{OPENED, choice, edited, of, seed};

/// See [`super::Target::run`].
pub fn run(data: &[u8]) -> bool {
    let Some((choice, bytes)) = choice(data, 4) else { return false };
    match choice {
        0 => bundle(bytes),
        1 => bundle(&edited(OPENED.bundle.as_bytes(), bytes)),
        2 => rearranged(bytes),
        _ => replaced(bytes),
    }
}

fn prices(lines: &[Value]) -> Vec<(String, Value)> {
    let shown =
        of(lines, "envelope").into_iter().filter(|line| line["outcome"] == "opened" && !line["header"].is_null());
    shown.map(|line| (line["envelope"].as_str().unwrap_or_default().to_owned(), line["price"].clone())).collect()
}

fn bundle(bytes: &[u8]) -> bool {
    let text = |name: &str| OPENED.vector[name].as_str().expect("in the vector");
    let policy = Policy::parse(text("policy")).expect("a policy");
    let trust = Trust::new(Some(policy), vec![Verifier::parse(text("verifier")).expect("a key")]);
    let Ok(proven) = check(&trust, "fuzz", BufReader::new(bytes)) else { return false };
    let lines: Vec<Value> = String::from_utf8_lossy(bytes).lines().map(|line| super::json(line.as_bytes())).collect();
    let (found, sealed) = (prices(&lines), prices(&OPENED.lines));
    assert!(proven.facts.iter().any(|fact| fact.key == "prices" && fact.value == found.len()));
    for (envelope, price) in &found {
        let same = |other: &&(String, Value)| {
            other.0 == *envelope && ["amount", "currency"].iter().all(|name| other.1[name] == price[name])
        };
        assert!(sealed.iter().any(|other| same(&other)), "{envelope}: {price}");
    }
    true
}

fn written(lines: &[Value]) -> Vec<u8> {
    lines.iter().map(|line| format!("{line}\n")).collect::<String>().into_bytes()
}

/// Three bytes each: what is done, and with which lines. The last line counts right.
fn rearranged(bytes: &[u8]) -> bool {
    let mut lines = OPENED.lines.clone();
    lines.pop();
    for step in bytes.chunks_exact(3).take(4) {
        let [a, b] = [step[1], step[2]].map(|at| usize::from(at) % lines.len().max(1));
        match step[0] % 4 {
            _ if lines.is_empty() => {}
            0 => lines.swap(a, b),
            1 => lines[a] = lines[b].clone(),
            2 => _ = lines.remove(a),
            _ => lines.insert(a, lines[b].clone()),
        }
    }
    lines.push(json!({ "type": "end", "lines": lines.len() + 1 }));
    bundle(&written(&lines))
}

/// The bytes stand in the place of a line.
fn replaced(bytes: &[u8]) -> bool {
    let Some((at, bytes)) = bytes.split_first() else { return false };
    let mut lines: Vec<&[u8]> = OPENED.bundle.lines().map(str::as_bytes).collect();
    let at = usize::from(*at) % lines.len();
    lines[at] = bytes;
    bundle(&[lines.join(&b'\n'), b"\n".to_vec()].concat())
}

/// See [`super::Target::seeds`].
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![seed(0, OPENED.bundle), seed(1, []), seed(2, [0, 3, 4]), seed(2, [0, 10, 11])];
    // One line of every type.
    let mut types: Vec<&Value> = Vec::new();
    for ((text, line), at) in OPENED.bundle.lines().zip(&OPENED.lines).zip(0_u8..) {
        if !types.contains(&&line["type"]) {
            types.push(&line["type"]);
            seeds.push(seed(3, [&[at], text.as_bytes()].concat()));
        }
    }
    seeds
}
