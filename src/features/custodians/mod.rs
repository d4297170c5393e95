//! Custodians: people of different institutions who keep shares of the keys that bids are sealed to.
//!
//! Promises: a custodian has shown that both keys it registers are in its hands, the one that signs its messages and the one
//! to which its shares are backed up; a ceremony is only held with custodians as they are registered. Left to `ceremonies`:
//! who takes part in what.

mod changes;
pub mod http;
pub mod model;
pub mod ops;
pub mod queries;
