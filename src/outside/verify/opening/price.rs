//! A price, out of its signed envelope and the shares, and compared with the one that was read out.

use serde_json::Value;

use super::{Opening, Result, key, refuted, text};
use crate::kernel::digest::Digest;
use crate::kernel::encoding::from_base64url;
use crate::seal::envelope::SignedEnvelope;
use crate::seal::part_reader::Discard;
use crate::seal::points::Point;
use crate::seal::snapshot::Line;
use crate::seal::unsealing::{open_part, payload_keys_from};

impl Opening<'_> {
    /// The price of an envelope, given the point of each of its slots.
    pub(super) fn check_price(&mut self, place: &str, value: &Value, envelope: Digest, points: &[Point]) -> Result<()> {
        let signed = SignedEnvelope::parse(value["header"].to_string().as_bytes()).map_err(|e| refuted(place, e))?;
        signed.verify_signature(&key(place, &value["signer"])?).map_err(|error| refuted(place, error))?;
        if signed.id() != envelope {
            return Err(refuted(place, "the signed header is that of another envelope"));
        }
        if value["part"].as_str() != Some(signed.ctx().part.name()) || signed.ctx().lot.as_str() != self.lot {
            return Err(refuted(place, "the signed header is of another part or lot"));
        }
        let mut sets = Vec::new();
        for (index, slot) in signed.header().slots.iter().enumerate() {
            let set = self.sets.get(&slot.kid).ok_or_else(|| refuted(place, "a key set is missing"))?;
            let at = (envelope, u8::try_from(index).unwrap_or(u8::MAX));
            let same = self.lines.get(&at).is_some_and(|(_, line)| Line::of(&signed, slot.kid).contains(line));
            if !same {
                return Err(refuted(place, "a line is not that of the signed header"));
            }
            sets.push(set);
        }
        signed.check_against(&sets).map_err(|error| refuted(place, error))?;
        let keys = payload_keys_from(&signed, &sets, points).map_err(|error| refuted(place, error))?;
        let payload = from_base64url(text(place, value, "payload")?).map_err(|error| refuted(place, error))?;
        let part = open_part(&signed, keys, payload.as_slice(), &mut Discard).map_err(|error| refuted(place, error))?;
        let bid = part.bid.ok_or_else(|| refuted(place, "there is no price in it"))?;
        let price = &value["price"];
        if price["amount"].as_str() != Some(&bid.amount) || price["currency"].as_str() != Some(&bid.currency) {
            return Err(refuted(place, "the price that was read out is not the one in the envelope"));
        }
        self.tally.prices += 1;
        Ok(())
    }
}
