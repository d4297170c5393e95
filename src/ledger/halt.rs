//! Whether anything is put on record at all: where the public log stands still, the record waits with it.

use std::sync::{PoisonError, RwLock};

use super::commit::Ledger;
use super::error::{Failure, Result};

/// Why nothing is put on record, if nothing is.
#[derive(Default)]
pub(super) struct Halt(RwLock<Option<String>>);

impl Halt {
    /// From now on nothing is put on record.
    pub(super) fn begin(&self, why: &str) {
        let mut halted = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if halted.is_none() {
            tracing::error!(alarm = "writes-refused", why, "nothing that must be on record is accepted");
            *halted = Some(why.to_owned());
        }
    }

    /// Everything goes on.
    pub(super) fn end(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Whether something may be put on record now.
    pub(super) fn check(&self) -> Result<()> {
        let halted = self.0.read().unwrap_or_else(PoisonError::into_inner);
        halted.as_ref().map_or(Ok(()), |why| Err(Failure::Halted(why.clone()).into()))
    }
}

impl Ledger {
    /// From now on nothing is put on record: the log, of which the record is a part, stands still.
    pub fn halt(&self, why: &str) {
        self.halted().begin(why);
    }

    /// The log goes on.
    pub fn resume(&self) {
        self.halted().end();
    }
}
