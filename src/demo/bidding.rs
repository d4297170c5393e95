//! Bidding: seal on the bidder's side, upload, submit, check the receipt.

use serde_json::Value;

use super::cast::{Cast, Player};
use super::{During, Result};
use crate::client::new_key;
use crate::client::sealer::{Sealer, check_receipt, envelope_json};
use crate::kernel::money::Money;
use crate::rules::envelopes::Round;
use crate::seal::envelope::{Part, SignedEnvelope};
use crate::seal::manifest::BidJson;
use crate::seal::part_writer::describe;
use crate::seal::sealing::SealedPayload;
use crate::stage::Platform;

/// What a bidder has of its bid.
pub struct Sent {
    /// The bid.
    pub bid_id: String,
    /// Its price, sealed: another header can be made over it.
    pub price: SealedPayload,
    /// What decrypts it, where the bidder holds a key of its own.
    pub own: Option<(Sealer, Vec<SignedEnvelope>)>,
}

#[cfg(test)]
impl Sent {
    /// A bid that nobody will change.
    pub fn without_price(bid_id: String) -> Self {
        let price =
            crate::seal::sealing::seal_payload(std::io::empty(), std::io::sink(), 1).expect("memory does not fail");
        Self { bid_id, price, own: None }
    }
}

/// The content of `bid.json` for a price.
pub fn content(money: Money) -> BidJson {
    BidJson { amount: money.amount(), currency: money.currency().to_string(), validity_days: Some(90), note: None }
}

/// Seals and submits a bid of a price and one document.
pub fn bid(platform: &Platform, cast: &Cast, player: &Player, lot: &str, money: Money) -> Result<Sent> {
    let during = |what: &str| format!("{}: {what}", player.name);
    let sealer = player.sealer(lot, cast)?;
    let text = format!("Technical bid of {}\n技术标\n", player.name);
    let (price, price_bytes) = sealer.seal_price(Part::Price, &content(money)).during(during("sealing the price"))?;
    let file = describe("bid/technical.txt", text.as_bytes()).expect("memory can be read");
    let mut documents_bytes = Vec::new();
    let documents = sealer
        .seal_documents(vec![file], |_| Ok(text.as_bytes()), &mut documents_bytes)
        .during(during("sealing the documents"))?;
    let (mut envelopes, mut signed): (Vec<Value>, Vec<SignedEnvelope>) = (Vec::new(), Vec::new());
    for (part, payload, bytes) in [(Part::Price, &price, price_bytes), (Part::Documents, &documents, documents_bytes)] {
        let mut source = std::io::Cursor::new(bytes);
        sealer.upload(&player.client, part, payload, &mut source, &new_key(), &|_| {}).during(during("uploading"))?;
        let header =
            sealer.header(&player.key, part, payload, 1, platform.now()).during(during("signing the header"))?;
        envelopes.push(envelope_json(&header).during(during("the header"))?);
        signed.push(header);
    }
    let own_keys = sealer.own_keys_json(&player.key).during(during("the bidder's own key"))?;
    let answer = player.client.submit_bid(lot, &envelopes, &own_keys, &new_key()).during(during("submitting"))?;
    check_receipt(&answer.receipt, &cast.verifier, &envelopes).during(during("the receipt"))?;
    cast.remember(&player.name, answer.receipt["entry_id"].as_str().unwrap_or_default());
    let own = sealer.own(Round::First).is_some().then_some((sealer, signed));
    Ok(Sent { bid_id: answer.bid_id, price, own })
}

/// Tries to change a bid, with a new header of revision 2 over the price it has. What comes back is the caller's to judge.
pub fn try_again(
    platform: &Platform,
    cast: &Cast,
    player: &Player,
    lot: &str,
    sent: &Sent,
) -> Result<crate::client::Result<()>> {
    let sealer = player.sealer(lot, cast)?;
    let header =
        sealer.header(&player.key, Part::Price, &sent.price, 2, platform.now()).during("signing the new header")?;
    let envelope = envelope_json(&header).during("the new header")?;
    let own_keys = sealer.own_keys_json(&player.key).during("the bidder's own key")?;
    Ok(player.client.submit_bid(lot, &[envelope], &own_keys, &new_key()).map(drop))
}
