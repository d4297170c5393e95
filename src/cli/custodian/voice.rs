//! What is said to the person who sits before it.

use serde_json::Value;

/// Speaks to people on standard output, or beside a JSON object on it.
pub(super) struct Voice {
    json: bool,
}

impl Voice {
    pub(super) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// A sentence, in Chinese and English.
    pub(super) fn say(&self, zh: &str, en: &str) {
        self.line(zh);
        self.line(en);
    }

    /// A line that needs no language.
    pub(super) fn line(&self, text: &str) {
        if self.json { eprintln!("{text}") } else { println!("{text}") }
    }

    /// What came of it, for machines.
    pub(super) fn done(&self, facts: &Value) {
        if self.json {
            println!("{facts}");
        }
    }
}
