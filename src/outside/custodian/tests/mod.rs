//! Custodians at a platform that is made of memory.

mod ceremonies;
mod openings;
mod repairs;
mod stage;
