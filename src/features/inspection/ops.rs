//! The use case of inspection: looking, which is itself on record.

use serde::Serialize;

use super::model::LOOKED;
use crate::kernel::id::LookId;
use crate::ledger::{Record, Result, Tx};

/// Puts a look on record. The question stands in the restricted part alone: published, it would tell whom an inspector
/// is after.
///
/// # Errors
/// The database's; then nothing may be shown.
pub fn look(tx: &mut Tx<'_>, question: &impl Serialize) -> Result<()> {
    let id = LookId::ordered(tx.now());
    tx.note(id.as_str(), Record::new(LOOKED).restricted("query", question))?;
    Ok(())
}
