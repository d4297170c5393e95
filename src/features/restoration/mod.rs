//! Stored payloads that were damaged after they were acknowledged, and their restoration by whoever sent them.
//!
//! Promises: what is stored is read again while it may still be needed; what is not as it was is on record and told to
//! its owner, and to nobody else before the opening; it is put back by its owner alone, and only as the root covers it that
//! was declared when it was uploaded (and, of a bid, signed), so that nobody changes a bid by it. It may be put back until
//! the opening has decided about it. Damage that nobody could mend is the platform's: see `opening`.
//! Deliberately not here: the bytes themselves (`blobs`), and who reads them when (`worker`).

pub mod changes;
pub mod http;
pub mod model;
pub mod ops;
pub mod queries;
pub mod storage;
