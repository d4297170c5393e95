//! Opening one envelope: outside any transaction, chunk by chunk, in memory that does not grow with the payload.
//!
//! Promise: what is returned is evidence about the envelope and is the same whoever tries and however often (but for the
//! proof, which has a random nonce and verifies the same way); what is not the envelope's fault, such as a disk that
//! cannot be read, is an error to try again, never an outcome.

use super::model::{Failed, FileLine, ShareText, UnsealingBody};
use super::queries::Sealed;
use crate::blobs::mending::is_loss;
use crate::blobs::{BlobError, DiskBlobs};
use crate::kernel::encoding::base64url;
use crate::kernel::money::{Currency, Money, MoneyError};
use crate::ledger::{Error, Failure, Result};
use crate::limits;
use crate::seal::envelope::{Part, SignedEnvelope};
use crate::seal::error::SealError;
use crate::seal::keyset::KeyShare;
use crate::seal::manifest::{BidJson, FileEntry};
use crate::seal::part_reader::{Discard, PartContents};
use crate::seal::unsealing::{self, OpenError, Outcome, Share};

/// Opens an envelope of a lot whose prices are compared in `currency`.
///
/// # Errors
/// When it has to be tried again: the disk cannot be read, or the system gives no random numbers.
pub fn open(
    blobs: &DiskBlobs,
    key: &KeyShare,
    sealed: &Sealed,
    currency: Currency,
) -> Result<(Outcome, UnsealingBody)> {
    let envelope = SignedEnvelope::parse(sealed.header.as_bytes())
        .map_err(|error| Error::damaged(format!("header of envelope {}: {error}", sealed.envelope_id)))?;
    let mut body = UnsealingBody {
        kid: key.key_set().kid.to_string(),
        rev: envelope.ctx().rev,
        document_revision: envelope.ctx().doc_rev,
        share: None,
        price: None,
        validity_days: None,
        note: None,
        file_count: 0,
        files: Vec::new(),
        failed: None,
        attribution: None,
    };
    let outcome = match unseal(blobs, key, sealed, &envelope, &mut body)
        .and_then(|contents| read(contents, envelope.ctx().part, currency, &mut body))
    {
        Ok(()) => Outcome::Opened,
        Err(OpenError::Failed { outcome, reason, detail }) => {
            let detail = detail.chars().take(limits::FAILURE_LEN).collect();
            body.failed = Some(Failed { reason: reason.to_owned(), detail });
            outcome
        }
        Err(OpenError::Io(error)) if is_loss(&error) => {
            body.failed = Some(Failed { reason: "payload_unreadable".into(), detail: error.to_string() });
            Outcome::BadPayload
        }
        Err(OpenError::Io(error)) => {
            return Err(Failure::Storage(format!("envelope {}: {error}", sealed.envelope_id)).into());
        }
    };
    Ok((outcome, body))
}

fn unseal(
    blobs: &DiskBlobs,
    key: &KeyShare,
    sealed: &Sealed,
    envelope: &SignedEnvelope,
    body: &mut UnsealingBody,
) -> std::result::Result<PartContents, OpenError> {
    let share = share(key, envelope)?;
    body.share = Some(ShareText { d: base64url(&share.d.to_compressed()), proof: base64url(&share.proof.to_bytes()) });
    let keys = unsealing::payload_keys(envelope, &[key.key_set()], &[vec![(key.member(), share)]])?;
    let payload = match blobs.reader(&sealed.upload_id) {
        Ok(payload) => payload,
        // A directory that is away as a whole is our trouble, not this envelope's.
        Err(BlobError::NotFound) if blobs.is_there() => {
            return Err(failed(Outcome::MissingPayload, "no_payload", "the ciphertext is not stored"));
        }
        Err(error) => return Err(OpenError::Io(std::io::Error::other(error))),
    };
    unsealing::open_part(envelope, keys, payload, &mut Discard)
}

/// Platform key sets have one member: the first slot is the only one.
fn share(key: &KeyShare, envelope: &SignedEnvelope) -> std::result::Result<Share, OpenError> {
    unsealing::slot_share(key, envelope, 0).map_err(|error| match error {
        SealError::Form(error) => failed(Outcome::MissingSlot, error.reason(), error),
        SealError::Random(error) => OpenError::Io(std::io::Error::other(error)),
        SealError::Io(error) => OpenError::Io(error),
    })
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
