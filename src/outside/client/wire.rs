//! What the client reads of the server's answers: the fields it needs, and no more.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::kernel::digest::Digest;
use crate::kernel::money::Money;
use crate::kernel::time::Timestamp;
use crate::rules::envelopes::Envelopes;
use crate::rules::facts::{Escrow, KeyMode};

/// A page of a list.
#[derive(Clone, Debug, Deserialize)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// What to pass as `after` for the next page.
    #[serde(default)]
    pub next: Option<String>,
}

/// A session's tokens.
#[derive(Clone, Debug, Deserialize)]
pub struct Session {
    /// The access token.
    pub access_token: String,
    /// The refresh token.
    pub refresh_token: String,
    /// Who is signed in.
    pub user: User,
}

/// A user.
#[derive(Clone, Debug, Deserialize)]
pub struct User {
    /// The user.
    pub id: String,
    /// The user's organisation.
    pub org_id: String,
    /// Name to sign in with.
    pub login: String,
    /// Roles.
    pub roles: Vec<String>,
}

/// An organisation.
#[derive(Clone, Debug, Deserialize)]
pub struct Organisation {
    /// The organisation.
    pub id: String,
    /// `pending`, `confirmed`, `refused`.
    pub state: String,
    /// Name.
    pub name: String,
}

/// The key by which receipts and key sets are checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlatformKey {
    /// `EdDSA`.
    pub alg: String,
    /// The public key, base64url.
    pub public_key: String,
    /// The same as a verifier key of signed notes.
    pub verifier: String,
}

/// Anything that has an id.
#[derive(Clone, Debug, Deserialize)]
pub struct Made {
    /// The id.
    pub id: String,
}

/// When things of a lot happen.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Schedule {
    /// Bids are accepted from.
    #[serde(default)]
    pub bidding_opens_at: Option<Timestamp>,
    /// Bids are accepted before this instant, strictly.
    #[serde(default)]
    pub deadline_at: Option<Timestamp>,
    /// The opening is not before.
    #[serde(default)]
    pub opens_at: Option<Timestamp>,
}

/// The award of a lot.
#[derive(Clone, Debug, Deserialize)]
pub struct Award {
    /// The winning bid.
    pub bid_id: String,
    /// Its bidder's name.
    pub bidder_name: String,
    /// Its rank.
    pub rank: u32,
    /// The price of the deal.
    pub price: Money,
}

/// Terms of a lot.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Terms {
    /// Whether a bid has one envelope or two.
    pub envelopes: Envelopes,
    /// To whom bids are sealed.
    pub key_mode: KeyMode,
    /// Whether bidders deposit their own keys.
    pub escrow: Escrow,
    /// How many minutes bidders who hold a key have to decrypt.
    pub decryption_minutes: u32,
}

/// A lot.
#[derive(Clone, Debug, Deserialize)]
pub struct Lot {
    /// The lot.
    pub id: String,
    /// Its project.
    pub project_id: String,
    /// Title.
    pub title: String,
    /// Where it stands.
    pub state: String,
    /// When things happen.
    pub schedule: Schedule,
    /// The revision of the documents that a bid must name.
    pub document_revision: Option<Digest>,
    /// Bids received, once the opening began.
    #[serde(default)]
    pub received_bids: Option<u32>,
    /// The publicity of candidates ends.
    #[serde(default)]
    pub publicity_ends_at: Option<Timestamp>,
    /// The notice of the result ends.
    #[serde(default)]
    pub result_notice_ends_at: Option<Timestamp>,
    /// The award.
    #[serde(default)]
    pub award: Option<Award>,
    /// Why it ended without a result.
    #[serde(default)]
    pub cause: Option<String>,
    /// What the notice says, as far as a client must know it.
    pub terms: Terms,
}

/// What bids of a lot are sealed to.
#[derive(Clone, Debug, Deserialize)]
pub struct KeySetAnswer {
    /// The signed key set of the platform or of custodians, where there is one.
    pub key_set: Option<Value>,
    /// `active`, or that nothing sealed to it will be opened any more.
    pub state: String,
    /// To whom bids are sealed.
    pub mode: KeyMode,
    /// Whether a bid has one envelope or two.
    pub envelopes: Envelopes,
    /// Whether bidders deposit their own keys.
    pub escrow: Escrow,
}

/// Chunks in a row, both ends included.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct ChunkRange {
    /// The first.
    pub first: u32,
    /// The last.
    pub last: u32,
}

/// An upload.
#[derive(Clone, Debug, Deserialize)]
pub struct Upload {
    /// The upload.
    pub id: String,
    /// `open` or `complete`.
    pub state: String,
    /// Bytes of every chunk but the last.
    pub chunk_bytes: u64,
    /// Bytes in all.
    pub size_bytes: u64,
    /// Chunks still to be sent.
    #[serde(default)]
    pub missing: Vec<ChunkRange>,
    /// What the server has lost of it.
    #[serde(default)]
    pub needs_restoration: Option<Lost>,
}

/// What the server has lost of a complete upload.
#[derive(Clone, Debug, Deserialize)]
pub struct Lost {
    /// The leaf hashes; which chunks, it tells when it has them.
    pub leaves: bool,
    /// These chunks.
    pub chunks: Vec<ChunkRange>,
}
