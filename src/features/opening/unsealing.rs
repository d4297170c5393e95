//! Opening one envelope: outside any transaction, chunk by chunk, in memory that does not grow with the payload.
//!
//! Promise: what is returned is evidence about the envelope and is the same whoever tries and however often (but for the
//! proof, which has a random nonce and verifies the same way); what is not the envelope's fault, such as a disk that
//! cannot be read, is an error to try again, never an outcome.

use super::model::{Failed, FileLine, ShareText, UnsealingBody};
use super::queries::Sealed;
use crate::blobs::mending::is_loss;
use crate::blobs::{BlobError, DiskBlobs};
use crate::features::key_sets::model::Seals;
use crate::features::partials::ops::Given;
use crate::kernel::encoding::base64url;
use crate::kernel::money::{Currency, Money, MoneyError};
use crate::ledger::{Error, Failure, Result};
use crate::limits;
use crate::seal::envelope::{Part, SignedEnvelope};
use crate::seal::error::SealError;
use crate::seal::escrow;
use crate::seal::keyset::{KeySet, KeyShare};
use crate::seal::manifest::{BidJson, FileEntry};
use crate::seal::part_reader::{Discard, PartContents};
use crate::seal::points::Point;
use crate::seal::unsealing::{self, OpenError, Outcome, Share, SlotShares};

/// What opens the envelopes of a lot.
#[derive(Debug)]
pub struct Means {
    /// What its envelopes are sealed to.
    pub seals: Seals,
    /// The platform's key, where they are sealed to it.
    pub key: Option<KeyShare>,
    /// The currency in which prices are compared.
    pub currency: Currency,
}

/// What was given for one envelope.
#[derive(Clone, Debug, Default)]
pub struct Shares {
    /// The bidder's own key sets, where it brought some: one for each round.
    pub own_keys: Vec<KeySet>,
    /// The shares that custodians and the bidder gave, verified when they came.
    pub given: Vec<Given>,
}

/// How the opening of an envelope ended.
#[derive(Debug)]
pub struct Opened {
    /// As evidence.
    pub outcome: Outcome,
    /// What was in it, or why it did not open.
    pub body: UnsealingBody,
    /// Out of an escrow: its bidder's key, with which the bid's other envelopes open.
    pub key: Option<KeyShare>,
}

/// Opens an envelope.
///
/// # Errors
/// When it has to be tried again: the disk cannot be read, or the system gives no random numbers.
pub fn open(blobs: &DiskBlobs, means: &Means, sealed: &Sealed, shares: &Shares) -> Result<Opened> {
    let envelope = SignedEnvelope::parse(sealed.header.as_bytes())
        .map_err(|error| Error::damaged(format!("header of envelope {}: {error}", sealed.envelope_id)))?;
    let mut body = UnsealingBody {
        rev: envelope.ctx().rev,
        document_revision: envelope.ctx().doc_rev,
        shares: Vec::new(),
        price: None,
        validity_days: None,
        note: None,
        file_count: 0,
        files: Vec::new(),
        failed: None,
        attribution: None,
    };
    let (outcome, key) = match unseal(blobs, means, sealed, shares, &envelope, &mut body) {
        Ok(key) => (Outcome::Opened, key),
        Err(OpenError::Failed { outcome, reason, detail }) => {
            let detail = detail.chars().take(limits::FAILURE_LEN).collect();
            body.failed = Some(Failed { reason: reason.to_owned(), detail });
            (outcome, None)
        }
        Err(OpenError::Io(error)) if is_loss(&error) => {
            body.failed = Some(Failed { reason: "payload_unreadable".into(), detail: error.to_string() });
            (Outcome::BadPayload, None)
        }
        Err(OpenError::Io(error)) => {
            return Err(Failure::Storage(format!("envelope {}: {error}", sealed.envelope_id)).into());
        }
    };
    Ok(Opened { outcome, body, key })
}

fn unseal(
    blobs: &DiskBlobs,
    means: &Means,
    sealed: &Sealed,
    shares: &Shares,
    envelope: &SignedEnvelope,
    body: &mut UnsealingBody,
) -> std::result::Result<Option<KeyShare>, OpenError> {
    let key_sets = means
        .seals
        .of(envelope.ctx().part, &shares.own_keys)
        .ok_or_else(|| failed(Outcome::MissingSlot, "no_key_set", "the bid's own key set is missing"))?;
    let mut points = Vec::with_capacity(key_sets.len());
    for (slot, key_set) in key_sets.iter().enumerate() {
        let used = used(means, shares, envelope, slot, key_set)?;
        points.push(unsealing::combined(key_set, slot, &used)?);
        let enc = &envelope.header().slots[slot].enc;
        body.shares.extend(used.iter().map(|(member, share)| text(key_set, slot, *member, enc, share)));
    }
    let keys = unsealing::payload_keys_from(envelope, &key_sets, &points)?;
    let payload = match blobs.reader(&sealed.upload_id) {
        Ok(payload) => payload,
        // A directory that is away as a whole is our trouble, not this envelope's.
        Err(BlobError::NotFound) if blobs.is_there() => {
            return Err(failed(Outcome::MissingPayload, "no_payload", "the ciphertext is not stored"));
        }
        Err(error) => return Err(OpenError::Io(std::io::Error::other(error))),
    };
    let part = envelope.ctx().part;
    if part == Part::Escrow {
        // A lot with an escrow has one round, and so each bid one key.
        let own = shares.own_keys.first();
        let own = own.ok_or_else(|| failed(Outcome::MissingSlot, "no_key_set", "the bid brought no key of its own"))?;
        return escrow::open_key(envelope, keys, payload, own).map(Some);
    }
    let contents = unsealing::open_part(envelope, keys, payload, &mut Discard)?;
    read(contents, part, means.currency, body).map(|()| None)
}

/// The shares for one slot: the platform's own, or those of the members with the lowest indices among the ones that were given.
fn used(
    means: &Means,
    shares: &Shares,
    envelope: &SignedEnvelope,
    slot: usize,
    key_set: &KeySet,
) -> std::result::Result<SlotShares, OpenError> {
    // It was checked when the bid came; a slot that is not sealed to this key set can only be damage.
    envelope.check_slot(slot, key_set).map_err(|error| failed(Outcome::MissingSlot, error.reason(), error))?;
    if let Some(key) = means.key.as_ref().filter(|key| key.key_set() == key_set) {
        return Ok(vec![(key.member(), share(key, envelope, slot)?)]);
    }
    let given = shares.given.iter().filter(|given| usize::from(given.slot) == slot);
    let mut used: SlotShares = given.map(|given| (given.member, given.share)).collect();
    used.sort_by_key(|(member, _)| *member);
    used.truncate(usize::from(key_set.k));
    Ok(used)
}

fn share(key: &KeyShare, envelope: &SignedEnvelope, slot: usize) -> std::result::Result<Share, OpenError> {
    unsealing::slot_share(key, envelope, slot).map_err(|error| match error {
        SealError::Form(error) => failed(Outcome::MissingSlot, error.reason(), error),
        SealError::Random(error) => OpenError::Io(std::io::Error::other(error)),
        SealError::Io(error) => OpenError::Io(error),
    })
}

fn text(key_set: &KeySet, slot: usize, member: u8, enc: &Point, share: &Share) -> ShareText {
    ShareText {
        kid: key_set.kid.to_string(),
        slot: u8::try_from(slot).unwrap_or(u8::MAX),
        member,
        enc: base64url(&enc.to_uncompressed()),
        d: base64url(&share.d.to_compressed()),
        proof: base64url(&share.proof.to_bytes()),
    }
}

fn failed(outcome: Outcome, reason: &'static str, detail: impl ToString) -> OpenError {
    OpenError::Failed { outcome, reason, detail: detail.to_string() }
}

/// Takes over what the part says.
fn read(
    contents: PartContents,
    part: Part,
    currency: Currency,
    body: &mut UnsealingBody,
) -> std::result::Result<(), OpenError> {
    if part == Part::Documents {
        let files = contents.manifest.files();
        body.file_count = u32::try_from(files.len()).unwrap_or(u32::MAX);
        body.files = first_files(files);
        return Ok(());
    }
    let bid = contents.bid.ok_or_else(|| failed(Outcome::BadManifest, "bid_json_expected", "there is no bid.json"))?;
    let price = price(&bid).map_err(|(reason, detail)| failed(Outcome::BadManifest, reason, detail))?;
    // A bid in another currency is given an evaluated price; a bound in another currency bounds nothing.
    if part == Part::Reserve && price.currency() != currency {
        return Err(failed(
            Outcome::BadManifest,
            "reserve_currency",
            format!("the reserve price is in {}, the lot in {currency}", price.currency()),
        ));
    }
    body.price = Some(price);
    body.validity_days = bid.validity_days;
    body.note = bid.note;
    Ok(())
}

/// The amount of a bid: a known currency with exactly its decimals, and more than nothing.
fn price(bid: &BidJson) -> std::result::Result<Money, (&'static str, String)> {
    let described = |error: MoneyError| {
        let reason = match error {
            MoneyError::UnknownCurrency => "unknown_currency",
            MoneyError::Decimals { .. } => "wrong_decimals",
            MoneyError::Overflow => "amount_too_large",
            MoneyError::Malformed | MoneyError::CurrencyMismatch => "bad_amount",
        };
        (reason, error.to_string())
    };
    let currency = Currency::parse(&bid.currency).map_err(described)?;
    let price = Money::parse(&bid.amount, currency).map_err(described)?;
    if price.is_positive() {
        Ok(price)
    } else {
        Err(("amount_not_positive", "the amount is not more than nothing".into()))
    }
}

/// The files as far as they go into a record of bounded size.
fn first_files(files: &[FileEntry]) -> Vec<FileLine> {
    let mut room = limits::FILE_LIST_BYTES;
    let mut lines = Vec::new();
    for file in files {
        match room.checked_sub(file.path.len() + FILE_LINE_BYTES) {
            Some(left) => room = left,
            None => break,
        }
        lines.push(FileLine { path: file.path.clone(), len: file.len, sha256: file.sha256 });
    }
    lines
}

/// Bytes of a file's line in JSON beside its path: a digest, a length and their names.
const FILE_LINE_BYTES: usize = 128;

#[cfg(test)]
mod tests;
