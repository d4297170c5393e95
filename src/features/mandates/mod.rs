//! Mandates: what an inspector may look into, under which matter number, for how long, and who says so.
//!
//! Promises: whoever inspects sees entries only under a mandate in force whose matter number is named with the look;
//! granting and ending are on record with their reason. Invariant: nobody grants a mandate to himself, and a mandate ends
//! by itself. Left to `inspection`: looking. Holds that an inspector orders are acts on a lot and need no mandate.

mod changes;
pub mod http;
pub mod model;
pub mod ops;
pub mod queries;
