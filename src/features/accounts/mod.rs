//! Who acts: organisations, their users, sessions, and the keys with which they sign.
//!
//! Promises: an identifier belongs to one organisation, and the centre has confirmed it; nobody has a password that we
//! chose; a refresh token that is used twice ends its session; a registered signing key was in the hands of whoever
//! registered it. What a role may do is the permission table's business.

pub mod assertion;
pub mod attempts;
pub mod changes;
pub mod first;
pub mod http;
pub mod model;
pub mod ops;
pub mod passwords;
pub mod queries;
pub mod service_clients;
pub mod sessions;
pub mod signing_keys;
pub mod staff;
