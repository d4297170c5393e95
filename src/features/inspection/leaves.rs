//! Where entries stand in the public log, as far as its published checkpoint covers them.

use std::collections::HashMap;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::Conn;
use crate::db::schema::audit_leaf;
use crate::ledger::Result;
use crate::log::{model, queries as log};

/// An entry, and the leaf that it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EntryLeaf {
    /// The entry.
    pub entry_id: String,
    /// The number of its leaf in the public log; null until the published checkpoint covers it.
    pub leaf_index: Option<u64>,
}

/// The leaves of some entries.
#[derive(Debug)]
pub struct Leaves {
    size: u64,
    indexes: HashMap<String, u64>,
}

impl Leaves {
    /// Reads them, and how large the published tree is.
    ///
    /// # Errors
    /// The database's.
    pub fn load<'a>(conn: &mut Conn, entries: impl IntoIterator<Item = &'a String>) -> Result<Self> {
        let size = model::size(log::head(conn)?.published_size);
        let entries: Vec<&String> = entries.into_iter().collect();
        let rows: Vec<(String, i64)> = audit_leaf::table.filter(audit_leaf::entry_id.eq_any(entries)).load(conn)?;
        let indexes = rows.into_iter().map(|(entry, index)| (entry, model::size(index))).collect();
        Ok(Self { size, indexes })
    }

    /// Leaves under the published checkpoint.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The leaf of an entry, once the published checkpoint covers it.
    pub fn of(&self, entry: &str) -> Option<u64> {
        self.indexes.get(entry).copied().filter(|index| *index < self.size)
    }
}
