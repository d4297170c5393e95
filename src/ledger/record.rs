//! What the audit trail will say of a change.

use serde::Serialize;
use serde_json::{Map, Value};

/// A change in words: its kind, what it belongs to, and the facts of its three parts.
///
/// The ledger adds the rest itself: entry id, stream, revision, times, states, the digest of the row, and the caller.
#[derive(Clone, Debug)]
pub struct Record {
    pub(super) kind: &'static str,
    pub(super) lot_id: Option<String>,
    pub(super) project_id: Option<String>,
    pub(super) org_id: Option<String>,
    pub(super) sealed: bool,
    pub(super) public: Map<String, Value>,
    pub(super) restricted: Map<String, Value>,
    pub(super) personal: Map<String, Value>,
}

impl Record {
    /// A record of `kind`, spelled `noun.verb`.
    pub fn new(kind: &'static str) -> Self {
        Self {
            kind,
            lot_id: None,
            project_id: None,
            org_id: None,
            sealed: false,
            public: Map::new(),
            restricted: Map::new(),
            personal: Map::new(),
        }
    }

    /// The lot it belongs to.
    pub fn lot(mut self, lot_id: impl Into<String>) -> Self {
        self.lot_id = Some(lot_id.into());
        self
    }

    /// The project it belongs to.
    pub fn project(mut self, project_id: impl Into<String>) -> Self {
        self.project_id = Some(project_id.into());
        self
    }

    /// The organisation it is about; the caller's own unless said otherwise.
    pub fn org(mut self, org_id: impl Into<String>) -> Self {
        self.org_id = Some(org_id.into());
        self
    }

    /// Hidden from every role until the lot's boxes are opened.
    pub fn sealed(mut self) -> Self {
        self.sealed = true;
        self
    }

    /// A fact that may be published with the entry.
    pub fn public(mut self, key: &str, value: impl Serialize) -> Self {
        self.public.insert(key.to_owned(), to_value(value));
        self
    }

    /// A fact for inspectors.
    pub fn restricted(mut self, key: &str, value: impl Serialize) -> Self {
        self.restricted.insert(key.to_owned(), to_value(value));
        self
    }

    /// A fact about a person, erasable.
    pub fn personal(mut self, key: &str, value: impl Serialize) -> Self {
        self.personal.insert(key.to_owned(), to_value(value));
        self
    }
}

fn to_value(value: impl Serialize) -> Value {
    serde_json::to_value(value).expect("facts of a record are plain data with text keys")
}
