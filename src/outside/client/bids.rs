//! Calls about sealed bids.

use serde::Deserialize;
use serde_json::{Value, json};

use super::error::{ClientError, Result};
use super::http::Client;
use crate::kernel::time::Timestamp;
use crate::rules::envelopes::Round;
use crate::seal::ids::UtcMillis;
use crate::seal::jws::Jws;
use crate::seal::keys::SigningKey;
use crate::seal::partials::SignedPartials;

/// `typ` of a withdrawal.
const WITHDRAWAL_TYP: &str = "sealbid-withdrawal+jws";

/// The answer to a submission.
#[derive(Clone, Debug, Deserialize)]
pub struct Submitted {
    /// The bid.
    pub bid_id: String,
    /// Its revision.
    pub rev: u32,
    /// Its state.
    pub state: String,
    /// The receipt.
    pub receipt: Value,
}

/// One's own bid.
#[derive(Clone, Debug, Deserialize)]
pub struct OwnBid {
    /// The bid; none where there are refusals only.
    pub bid_id: Option<String>,
    /// The revision that its last header named.
    pub rev: Option<u32>,
    /// Its state.
    pub state: Option<String>,
    /// It was sealed against documents that have changed since.
    #[serde(default)]
    pub needs_confirmation: bool,
    /// Parts of which the server has lost something.
    #[serde(default)]
    pub needs_restoration: Vec<DamagedPart>,
}

/// A part of which the server has lost something.
#[derive(Clone, Debug, Deserialize)]
pub struct DamagedPart {
    /// `price` or `documents`.
    pub part: String,
    /// Its upload.
    pub upload_id: String,
}

/// An opening, as far as a bidder's tool must know it.
#[derive(Deserialize)]
struct Opening {
    session: Session,
}

#[derive(Deserialize)]
struct Session {
    round: Round,
}

impl Client {
    /// Submits a bid; with the bidder's own key sets in the order of their rounds, where the lot's key mode asks for them.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn submit_bid(&self, lot: &str, envelopes: &[Value], own_keys: &[Value], key: &str) -> Result<Submitted> {
        self.post_once(&format!("/v1/lots/{lot}/bids"), &act(envelopes, own_keys), key)
    }

    /// Runs every check of a submission; nothing is recorded.
    ///
    /// # Errors
    /// What the submission would be refused for.
    pub fn check_bid(&self, lot: &str, envelopes: &[Value], own_keys: &[Value]) -> Result<Value> {
        self.post(&format!("/v1/lots/{lot}/bids/check"), &act(envelopes, own_keys))
    }

    /// One's own bid on a lot, where there is one.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn own_bid(&self, lot: &str) -> Result<Option<OwnBid>> {
        match self.get(&format!("/v1/lots/{lot}/bids/mine")) {
            Ok(bid) => Ok(Some(bid)),
            Err(error) if error.code() == Some("not-found") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Withdraws a bid.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn withdraw_bid(&self, bid: &str, bidder: &str, key: &SigningKey, created: Timestamp) -> Result<Value> {
        let created =
            UtcMillis::parse(created.to_string(), "created").map_err(|error| ClientError::Seal(error.to_string()))?;
        let said = json!({ "bid": bid, "bidder": bidder, "created": created });
        let jws = Jws::sign(key, WITHDRAWAL_TYP, said.to_string().as_bytes())
            .map_err(|error| ClientError::Seal(error.to_string()))?;
        self.post(&format!("/v1/bids/{bid}/actions/withdraw"), &json!({ "withdrawal": jws }))
    }

    /// Puts the sealed reserve price into the box, as the initiator.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn put_reserve(&self, lot: &str, envelope: &Value, own_key: Option<&Value>) -> Result<Value> {
        let mut body = json!({ "envelope": envelope });
        if let Some(key_set) = own_key {
            body["key_set"] = key_set.clone();
        }
        self.put_json(&format!("/v1/lots/{lot}/reserve"), &body)?.json()
    }

    /// The round of a lot's latest opening session, or of the one that is to come.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn opening_round(&self, lot: &str) -> Result<Round> {
        let opening: Opening = self.get(&format!("/v1/lots/{lot}/opening"))?;
        Ok(opening.session.round)
    }

    /// Gives partial decryptions.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn give_partials(&self, lot: &str, list: &SignedPartials) -> Result<Value> {
        self.post(&format!("/v1/lots/{lot}/partials"), &json!({ "partials": list.jws() }))
    }
}

/// The body of a submission: envelopes, and the bidder's own key sets in the order of their rounds.
pub fn act(envelopes: &[Value], own_keys: &[Value]) -> Value {
    let mut body = json!({ "envelopes": envelopes });
    for (name, key_set) in ["key_set", "second_key_set"].into_iter().zip(own_keys) {
        body[name] = key_set.clone();
    }
    body
}
