//! Every bound of the sealed format.

/// A signed header or key set as JSON, in bytes. A header with four slots is about 4 KiB; the rest is room.
pub const MAX_JWS_BYTES: usize = 16 * 1024;

/// A signed list of partial decryptions as JSON, in bytes: [`MAX_PARTIALS`] of about 280 each, in base64url.
pub const MAX_PARTIALS_BYTES: usize = 256 * 1024;

/// Partial decryptions of one signed list. A member sends as many lists as it takes.
pub const MAX_PARTIALS: usize = 500;

/// Slots of one envelope. Two are in use (custodians and bidder); each costs a proof check of 0.2 ms.
pub const MAX_SLOTS: usize = 4;

/// Custodians of one key set, at least: with two, one absence loses every bid or each can open alone.
pub const MIN_MEMBERS: usize = 3;

/// Custodians of one key set, at most. All of them must be present at the ceremony.
pub const MAX_MEMBERS: usize = 15;

/// Opening groups of one ceremony.
pub const MAX_GROUPS: usize = 2;

/// Custodians needed to open, at least: one alone is no guard.
pub const MIN_THRESHOLD: usize = 2;

/// Characters of an identifier: a UUID with a prefix fits.
pub const MAX_IDENT_CHARS: usize = 64;

/// Plaintext bytes of one chunk. Part of the format: bounds memory on both sides and the unit of a repeated upload.
pub const CHUNK_BYTES: usize = 1024 * 1024;

/// Plaintext bytes of part `documents`: far above the largest tenders in use, far below the 2^32 chunks of the nonce.
pub const MAX_DOCUMENTS_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// Plaintext bytes of parts `price` and `reserve`: `bid.json` at its limit, the manifest and the archive around them.
pub const MAX_PRICE_PART_BYTES: u64 = 128 * 1024;

/// Plaintext bytes of part `escrow`: a key of 32 bytes, the manifest and the archive around them, padded as archivers pad.
pub const MAX_ESCROW_PART_BYTES: u64 = 16 * 1024;

/// Bytes of `bid.json`. It is kept in memory and stored in the opening record.
pub const MAX_BID_JSON_BYTES: usize = 64 * 1024;

/// Bytes of `manifest.json`: [`MAX_FILES`] entries with long names.
pub const MAX_MANIFEST_BYTES: usize = 1024 * 1024;

/// Files in part `documents`.
pub const MAX_FILES: usize = 2000;

/// Bytes of a file's path: the ustar header holds 155 + 1 + 100.
pub const MAX_PATH_BYTES: usize = 255;

/// Components of a file's path. Deeper trees are a mistake or an attack on whoever unpacks them.
pub const MAX_PATH_DEPTH: usize = 8;

/// Zero blocks at the end of an archive: two are required, common archivers pad to 20 blocks of 512 bytes.
pub const MAX_END_BLOCKS: usize = 20;

/// Characters of an amount: more digits than any currency's gross domestic product.
pub const MAX_AMOUNT_CHARS: usize = 32;

/// Bytes of the note in `bid.json`: a remark, not a document.
pub const MAX_NOTE_BYTES: usize = 4000;
