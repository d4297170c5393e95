//! The use case of inspection: looking, which is itself on record.

use serde::Serialize;

use super::model::LOOKED;
use crate::features::mandates::model::Matter;
use crate::kernel::id::LookId;
use crate::ledger::audit::Entry;
use crate::ledger::{Record, Result, Tx};

/// Puts a look on record. The question and the matter stand in the restricted part alone: published, they would tell whom an inspector
/// is after.
///
/// # Errors
/// The database's; then nothing may be shown.
pub fn look(tx: &mut Tx<'_>, matter: &Matter, question: &impl Serialize) -> Result<Entry> {
    let id = LookId::ordered(tx.now());
    tx.note(id.as_str(), Record::new(LOOKED).restricted("matter", matter).restricted("query", question))
}
