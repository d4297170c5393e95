//! Makes answers of two platforms comparable that were asked the same.
//!
//! Clock, people and words are the same; what chance makes is not: ids, keys, digests over them, salts, cursors. Each such
//! token becomes its form, its length and a number in the order of first appearance in *all* answers of its platform. So
//! one id more or less anywhere, an id that reappears where it should not, a longer cursor or another moment in a
//! time-ordered id still makes a difference; only the random bits themselves do not. Times, counts, texts, codes, headers
//! and lengths are compared as they are.

use std::collections::HashMap;

use serde_json::Value;

use super::api::Answer;

/// Headers that differ between any two requests.
// `connection: close` is said when the answer overtakes the rest of a body, which is a race of the line and not of bids.
const OF_THE_REQUEST: [&str; 3] = ["request-id", "date", "connection"];

/// A header whose names are in no order.
const A_SET: &str = "access-control-expose-headers";

fn sorted(names: &str) -> String {
    let mut names: Vec<&str> = names.split(", ").collect();
    names.sort_unstable();
    names.join(", ")
}

#[derive(Default)]
pub struct Normaliser {
    numbers: HashMap<String, usize>,
}

impl Normaliser {
    /// An answer as one comparable text.
    pub fn answer(&mut self, answer: &Answer) -> String {
        let chance = serde_json::from_slice(&answer.body).map_or(0, |body| by_chance(&body));
        let mut headers: Vec<String> = answer
            .headers
            .iter()
            .filter(|(name, _)| !OF_THE_REQUEST.contains(&name.as_str()))
            .map(|(name, value)| match value.parse::<usize>() {
                _ if name == A_SET => format!("{name}: {}", sorted(value)),
                Ok(len) if name == "content-length" => format!("{name}: {}", len.saturating_sub(chance)),
                _ => format!("{name}: {value}"),
            })
            .collect();
        headers.sort();
        let body = match serde_json::from_slice::<Value>(&answer.body) {
            Ok(mut body) => {
                settle(&mut body);
                level_notes(&mut body);
                serde_json::to_string_pretty(&body).expect("JSON")
            }
            // Ciphertext is chance all over.
            Err(_) => String::from_utf8(answer.body.clone())
                .map_or_else(|_| format!("{} bytes", answer.body.len()), |text| level_lines(&text)),
        };
        let text = format!("{}\n{}\n{body}", answer.status, headers.join("\n"));
        self.plain(&text)
    }

    /// A text with its tokens levelled.
    pub fn plain(&mut self, text: &str) -> String {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find(is_part) {
            let end = rest[start..].find(|c| !is_part(c)).map_or(rest.len(), |len| start + len);
            out.push_str(&rest[..start]);
            out.push_str(&self.token(&rest[start..end]));
            rest = &rest[end..];
        }
        out.push_str(rest);
        out
    }

    fn token(&mut self, token: &str) -> String {
        let Some(form) = form(token) else { return token.to_owned() };
        let next = self.numbers.len();
        let number = *self.numbers.entry(token.to_owned()).or_insert(next);
        format!("<{form} {number}>")
    }
}

/// What a token that chance made is; `None` for words.
fn form(token: &str) -> Option<String> {
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let dashes = |text: &str| text.len() == 36 && [8, 13, 18, 23].iter().all(|at| text.as_bytes()[*at] == b'-');
    if let Some((prefix, id)) = token.split_once('-')
        && dashes(id)
        && is_hex(&id.replace('-', ""))
    {
        // A time-ordered id begins with its moment.
        let moment = if id.as_bytes()[14] == b'7' { format!(" of {}", &id[..13]) } else { String::new() };
        return Some(format!("{prefix}{moment}"));
    }
    // A server's own id, which is all chance.
    if dashes(token) && is_hex(&token.replace('-', "")) {
        return Some("id".to_owned());
    }
    match token.rsplit_once('-') {
        Some((before, hex)) if hex.len() == 32 && is_hex(hex) => return Some(format!("{before}-hex32")),
        _ => {}
    }
    if matches!(token.len(), 32 | 64) && is_hex(token) {
        return Some(format!("hex{}", token.len()));
    }
    // Not every one has a digit among its 43 signs.
    let mixed =
        token.bytes().any(|byte| byte.is_ascii_uppercase()) && token.bytes().any(|byte| !byte.is_ascii_uppercase());
    (token.len() >= 40 && mixed).then(|| format!("base64url of {}", token.len()))
}

/// Undoes what is in no order: entries and messages of one instant are listed by their random ids. The verifier of notes
/// is base64 with signs that are not of one token.
fn settle(body: &mut Value) {
    if let Some(verifier) = body.get_mut("verifier") {
        *verifier = Value::from(verifier.as_str().unwrap_or_default().len());
    }
    if let Some(items) = body.get_mut("items").and_then(Value::as_array_mut) {
        let key = |item: &Value| {
            let at = item["at"].as_str().or(item["created_at"].as_str()).map(str::to_owned);
            at.map(|at| (std::cmp::Reverse(at), item["kind"].to_string(), item["recipient"].to_string()))
        };
        if items.iter().all(|item| key(item).is_some()) {
            items.sort_by_key(key);
        }
    }
}

/// Digits of leaves' numbers in an answer. A leaf's place in its batch follows from its own random bits, and so does whether its number has
/// one digit more: the length of an answer is compared without them.
fn by_chance(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(by_chance).sum(),
        Value::Object(fields) => {
            let index = fields.get("leaf_index").filter(|index| index.is_u64());
            index.map_or(0, |index| index.to_string().len()) + fields.values().map(by_chance).sum::<usize>()
        }
        _ => 0,
    }
}

/// Signed notes have base64 with signs that are not of one token: what counts of them is the length of their lines.
fn level_notes(value: &mut Value) {
    match value {
        // Where a leaf stands follows from chance, and so does how long its path is.
        Value::String(text) if text.starts_with("c2sp.org/tlog-proof@v1\n") => *value = Value::from("a proof"),
        Value::String(text) if text.contains("\n\u{2014} ") => {
            *value = Value::from(format!("a note with lines of {:?}", text.lines().map(str::len).collect::<Vec<_>>()));
        }
        Value::Array(items) => items.iter_mut().for_each(level_notes),
        Value::Object(fields) => {
            if let Some(index) = fields.get_mut("leaf_index").filter(|index| index.is_u64()) {
                *index = Value::from("a leaf");
            }
            fields.values_mut().for_each(level_notes);
        }
        _ => {}
    }
}

/// The files of the log, and what is proven by it: hashes, keys and signatures are base64 with signs that are not of one token.
/// What counts of them is their length.
fn level_lines(text: &str) -> String {
    let level = |word: &str| {
        let chance = word.len() >= 40 && word.contains(['+', '/', '=']) || word.len() > 80;
        if chance && !word.starts_with("http") { format!("<{}>", word.len()) } else { word.to_owned() }
    };
    // Where in its batch a leaf stands follows from its own random bits.
    let line = |line: &str| match line.strip_prefix("index ") {
        Some(index) if index.parse::<u64>().is_ok() => "index <number>".to_owned(),
        _ => line.split(' ').map(level).collect::<Vec<_>>().join(" "),
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn only_chance_is_levelled() {
    let normal = |text: &str| Normaliser::default().plain(text);
    let id = |moment: &str, end: &str| format!("lot-{moment}-7c4d-8e5f-0123456789{end}");
    assert_eq!(normal(&id("0192f0c1-7a3b", "ab")), normal(&id("0192f0c1-7a3b", "cd")), "the same moment");
    assert_ne!(normal(&id("0192f0c1-7a3b", "ab")), normal(&id("0192f0c1-7a3c", "ab")), "another moment");
    let (a, b) = ("a".repeat(64), "b".repeat(64));
    assert_eq!(normal(&format!("{a} {b}")), normal(&format!("{b} {a}")));
    assert_ne!(normal(&format!("{a} {b}")), normal(&format!("{a} {a}")), "one and the same is not two");
    let cursor = |len: usize| format!("A1{}", "x".repeat(len));
    assert_ne!(normal(&cursor(60)), normal(&cursor(61)), "a longer cursor");
    for text in ["\"received_bids\": 3", "2026-03-02T01:00:00.000Z", "state-forbids", "content-length: 120", "W/\"v3\""]
    {
        assert_eq!(normal(text), text);
    }
}
