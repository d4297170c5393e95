//! A state asset by one-shot sealed offer, invented, with a single offer: the deal is made at the higher of offer and
//! asking price.

use serde_json::{Value, json};

use super::bidding;
use super::cast::Cast;
use super::construction::{DAY, SETTLED_MS};
use super::opening;
use super::{DemoError, During, Result, say};
use crate::kernel::money::{Currency, Money};
use crate::stage::Platform;

/// The asking price in fen, which is the appraisal as well.
const ASKING: i64 = 180_000_000;
/// The one offer in fen.
const OFFER: i64 = 186_500_000;

fn yuan(fen: i64) -> Money {
    Money::from_minor(fen, Currency::CNY)
}

/// Plays it.
pub fn play(platform: &Platform, cast: &Cast) -> Result<()> {
    let client = &cast.initiator.client;
    let project = json!({ "code": "ASSET-1", "name": "Printing press (invented)", "description": "An invented press.", "approval_number": "ASSET-2026-1" });
    let project = client.register_project(&project).during("registering the asset's project")?;
    let terms = json!({
        "description": "An invented printing press of a state enterprise.", "currency": "CNY", "approval_number": "ASSET-2026-1",
        "no_dispute_declared": true, "asking": yuan(ASKING), "appraisal": yuan(ASKING),
    });
    let lot = client
        .register_lot(&project.id, "state_asset", "Printing press (invented)", &terms)
        .during("registering the asset")?
        .id;
    client
        .attach_document(&lot, "press.txt", "text/plain", b"Printing press, invented\n")
        .during("attaching the documents")?;
    client.act_with_lot(&lot, "submit").during("submitting the asset")?;
    cast.centre.act_with_lot(&lot, "accept").during("the centre's review of the asset")?;
    // Ten working days, with room for public holidays.
    let deadline = platform.now().plus_millis(28 * DAY);
    client
        .do_with_lot(&lot, "publish", &json!({ "deadline_at": deadline, "opens_at": deadline }))
        .during("disclosing the asset")?;
    say("An invented state asset: disclosed for its working days, and one sealed offer comes.");
    platform.move_to(platform.now().plus_millis(DAY))?;
    let player = cast.bidder(platform, "演示印务 (invented)")?;
    let bid = bidding::bid(platform, cast, &player, &lot, yuan(OFFER))?.bid_id;
    platform.move_to(deadline.plus_millis(SETTLED_MS))?;
    opening::hold(cast, &lot)?;
    let _: Value = client
        .post(&format!("/v1/bids/{bid}/actions/evaluate"), &json!({ "decision": "responsive" }))
        .during("judging the offer")?;
    client.do_with_lot(&lot, "complete-evaluation", &json!({ "lines": [] })).during("the report on the asset")?;
    let awarded = client.do_with_lot(&lot, "award", &json!({ "bid_id": bid })).during("selling the asset")?;
    let published =
        client.do_with_lot(&lot, "publish-result", &json!({ "lines": [] })).during("the result of the asset")?;
    platform.move_to(published.result_notice_ends_at.unwrap_or_else(|| platform.now()).plus_millis(DAY))?;
    let concluded = client.lot(&lot).during("the asset at its end")?;
    match (awarded.award, concluded.state.as_str()) {
        (Some(award), "concluded") if award.price == yuan(OFFER.max(ASKING)) => {
            println!(
                "State asset, invented: one offer, sold to {} at {} (asking price {}).",
                player.name,
                award.price,
                yuan(ASKING)
            );
            Ok(())
        }
        (award, state) => Err(DemoError::Differs(format!("the asset is {state}, and the deal {award:?}"))),
    }
}
