//! Breaking the glass: seeing before the opening that a lot's sealed entries exist, by two persons, with a reason.
//!
//! Promises: one inspector asks and another of the same body agrees, both under a mandate for the lot in the same matter; from
//! then on, for a bounded time and never past the opening, the one who asked sees the sealed entries' part p. Parts c and i,
//! organisation and actor stay hidden even so. Asking, agreeing, looking and withdrawing are on record, not sealed. Invariant:
//! no entry that this makes tells how many sealed entries there are: a look is on record once, however many pages it has.
//! Left to `inspection`: everything that is not sealed.

mod changes;
pub mod http;
pub mod model;
pub mod ops;
pub mod queries;
