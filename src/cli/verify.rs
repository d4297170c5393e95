//! `sealbid verify`: does the record hold together, and is a receipt what it seems.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::{ConfigArgs, Failed};
use crate::features::inspection::replay;
use crate::ledger::Reader;
use crate::tlog::receipt::Receipt;

/// `sealbid verify …`
#[derive(Subcommand)]
pub enum VerifyCommand {
    /// Recompute every state from the entries and every commitment from its parts, and name what differs. Only reads.
    Replay(ConfigArgs),
    /// Check a receipt offline: that the platform recorded exactly this, and when.
    Receipt(ReceiptArgs),
}

/// Arguments of `verify receipt`.
#[derive(Args)]
pub struct ReceiptArgs {
    /// The receipt, or the answer that carries it, as JSON.
    file: PathBuf,
    /// The platform's verifier key, from a source that you trust and not from the one that gave the receipt.
    #[arg(long, value_name = "VERIFIER")]
    key: String,
}

/// Runs the command.
///
/// # Errors
/// When a check does not hold.
pub fn run(command: VerifyCommand) -> Result<(), Failed> {
    match command {
        VerifyCommand::Replay(args) => {
            let config = args.load()?;
            // One view of the database throughout: what a running server writes meanwhile is no damage.
            let report = Reader::open(&config.database_url()).read_blocking(replay::replay).map_err(Failed::tried)?;
            print!("{report}");
            if report.is_clean() { Ok(()) } else { Err(Failed::tried("the record does not hold together")) }
        }
        VerifyCommand::Receipt(args) => {
            let text = std::fs::read_to_string(&args.file).map_err(|error| Failed::file(&args.file, error))?;
            println!("{}", check_receipt(&text, args.key.trim())?);
            Ok(())
        }
    }
}

/// Checks a receipt, and tells what it proves as one JSON object.
fn check_receipt(text: &str, verifier: &str) -> Result<Value, Failed> {
    let receipt = find(text).ok_or_else(|| Failed::tried("there is no receipt in this file"))?;
    let promised =
        receipt.check(verifier).map_err(|error| Failed::tried(format!("the receipt does not hold: {error}")))?;
    let recorded: Value = serde_json::from_slice(&receipt.opening.p)
        .map_err(|error| Failed::tried(format!("the receipt holds, but what was recorded is no JSON: {error}")))?;
    Ok(serde_json::json!({
        "holds": true,
        "promised_by": promised.origin,
        "recorded_at": promised.at,
        "recorded_at_local": promised.at.local(),
        "commitment": receipt.c,
        "recorded": recorded,
    }))
}

/// Where a receipt stands: bare, in the answer to an act, in a problem.
const PLACES: &[&str] = &["", "/receipt", "/refusal/receipt"];

fn find(text: &str) -> Option<Receipt> {
    let value: Value = serde_json::from_str(text).ok()?;
    let mut candidates = PLACES.iter().filter_map(|place| value.pointer(place));
    candidates.find_map(|candidate| serde_json::from_value(candidate.clone()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::digest::sha256;
    use crate::kernel::time::Timestamp;
    use crate::seal::keys::{Algorithm, SigningKey};
    use crate::tlog::note;
    use crate::tlog::receipt::{Opening, RECEIPT_VERSION, promise_text};

    fn receipt(key: &SigningKey) -> Value {
        let opening =
            Opening { s_p: [1; 32], p: br#"{"kind":"bid.submitted"}"#.to_vec(), h_c: sha256(b"c"), h_i: sha256(b"i") };
        let c = opening.commitment();
        let text = promise_text("example", &c, Timestamp::from_millis(0));
        let promise = note::sign(&text, "example/promise", &key.verifying_key().to_bytes(), |bytes| {
            key.sign(bytes).expect("Ed25519")
        });
        serde_json::to_value(Receipt { v: RECEIPT_VERSION, entry_id: "ent-1".into(), c, promise, opening })
            .expect("plain data")
    }

    #[test]
    fn a_receipt_is_found_bare_in_a_submission_and_in_a_refusal() {
        let key = SigningKey::generate(Algorithm::EdDsa).expect("random numbers");
        let verifier = note::verifier_key("example/promise", &key.verifying_key().to_bytes());
        let bare = receipt(&key);
        for text in [
            bare.clone(),
            serde_json::json!({ "bid_id": "bid-1", "receipt": bare }),
            serde_json::json!({ "code": "bid-late", "refusal": { "kind": "bid.refused", "receipt": bare } }),
        ] {
            let told = check_receipt(&text.to_string(), &verifier).expect("holds");
            assert_eq!(told["recorded"]["kind"], "bid.submitted");
            assert_eq!(told["promised_by"], "example");
        }
    }

    #[test]
    fn a_receipt_under_another_key_and_a_file_without_one_are_refused() {
        let key = SigningKey::generate(Algorithm::EdDsa).expect("random numbers");
        let other = SigningKey::generate(Algorithm::EdDsa).expect("random numbers");
        let verifier = note::verifier_key("example/promise", &other.verifying_key().to_bytes());
        assert!(check_receipt(&receipt(&key).to_string(), &verifier).is_err());
        assert!(check_receipt("{}", &verifier).is_err());
        assert!(check_receipt("no JSON", &verifier).is_err());
    }
}
