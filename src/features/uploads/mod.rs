//! Uploads: big files in chunks, before they mean anything.
//!
//! Promises: chunks come in any order and may be repeated; an upload is complete only when its bytes are safely on disk
//! and are the ones that were declared, by size and Merkle root (RFC 9162); it belongs to one organisation, and to all
//! others it does not exist; it is attached at most to one thing, in the commit of that thing; what nothing uses is
//! removed after its lot's deadline has passed by a week. Uploads are working state beside the record: that somebody
//! prepares a bid is nobody's business. What the bytes mean is for those who attach them. What the disk
//! damages of a complete upload comes back by `restoration`.

pub mod changes;
pub mod content_digest;
pub mod http;
pub mod model;
pub mod ops;
pub mod queries;
pub mod storage;
