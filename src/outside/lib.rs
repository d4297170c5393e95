//! What others run, and need not believe the platform for: the verifier, the witness, the custodian's tool, and the client that
//! all of them use. It knows the platform by its interfaces alone: none of its code is reachable from here, nor a database.

use sealbid_pure::{kernel, limits, rules, seal, tlog};

pub mod client;
pub mod clock;
pub mod custodian;
pub mod verify;
pub mod witness;
