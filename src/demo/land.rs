//! A land-use right by sealed tender, invented: nobody offers or buys this land.

use serde_json::{Value, json};

use super::bidding::{self, content};
use super::cast::Cast;
use super::construction::{DAY, SETTLED_MS};
use super::opening::{self, Session};
use super::{DemoError, During, Result, say};
use crate::client::new_key;
use crate::client::sealer::envelope_json;
use crate::kernel::money::{Currency, Money};
use crate::seal::envelope::Part;
use crate::stage::Platform;

/// Bids in fen: one below the reserve price.
const BIDS: [(&str, i64); 3] = [
    ("演示置业甲 (invented)", 12_600_000_000),
    ("演示置业乙 (invented)", 13_150_000_000),
    ("演示置业丙 (invented)", 11_900_000_000),
];
/// The sealed reserve price in fen.
const RESERVE: i64 = 12_500_000_000;

fn yuan(fen: i64) -> Money {
    Money::from_minor(fen, Currency::CNY)
}

/// Plays it.
pub fn play(platform: &Platform, cast: &Cast) -> Result<()> {
    let client = &cast.initiator.client;
    let project = json!({ "code": "LAND-1", "name": "Plot 1 (invented)", "description": "An invented plot.", "approval_number": "LAND-2026-1" });
    let project = client.register_project(&project).during("registering the land project")?;
    let terms = json!({
        "description": "An invented plot for commerce, 40 years.", "currency": "CNY", "approval_number": "LAND-2026-1",
        "no_dispute_declared": true, "reserve": "announced", "minimum_price": yuan(10_000_000_000), "deposit": yuan(2_000_000_000),
    });
    let lot =
        client.register_lot(&project.id, "land_use", "Plot 1 (invented)", &terms).during("registering the plot")?.id;
    client.attach_document(&lot, "plot.txt", "text/plain", b"Plot 1, invented\n").during("attaching the documents")?;
    client.act_with_lot(&lot, "submit").during("submitting the plot")?;
    cast.centre.act_with_lot(&lot, "accept").during("the centre's review of the plot")?;
    let now = platform.now();
    let (bidding_opens, deadline) = (now.plus_millis(21 * DAY), now.plus_millis(24 * DAY));
    let schedule = json!({ "bidding_opens_at": bidding_opens, "deadline_at": deadline, "opens_at": deadline });
    client.do_with_lot(&lot, "publish", &schedule).during("publishing the plot")?;
    platform.move_to(bidding_opens.plus_millis(60_000))?;
    seal_reserve(platform, cast, &lot)?;
    let mut sent = Vec::new();
    for (name, fen) in BIDS {
        let player = cast.bidder(platform, name)?;
        platform.tick();
        sent.push((name, yuan(fen), bidding::bid(platform, cast, &player, &lot, yuan(fen))?.bid_id));
    }
    platform.move_to(deadline.plus_millis(SETTLED_MS))?;
    let session = opening::hold(cast, &lot)?;
    check(&session)?;
    for (_, _, bid) in &sent {
        let path = format!("/v1/bids/{bid}/actions/evaluate");
        let _: Value =
            client.post(&path, &json!({ "decision": "responsive" })).during("judging an offer for the plot")?;
    }
    client.do_with_lot(&lot, "complete-evaluation", &json!({ "lines": [] })).during("the report on the plot")?;
    let (name, price, winner) = &sent[1];
    let awarded = client.do_with_lot(&lot, "award", &json!({ "bid_id": winner })).during("granting the plot")?;
    client.do_with_lot(&lot, "publish-result", &json!({ "lines": [] })).during("the result of the plot")?;
    platform.settle()?;
    match awarded.award {
        Some(award) if award.price == *price => {
            println!(
                "\nLand-use right, invented: granted to {name} at {}; the reserve price of {} was sealed until the opening.",
                award.price,
                yuan(RESERVE)
            );
            Ok(())
        }
        other => Err(DemoError::Differs(format!("the plot went to {other:?}"))),
    }
}

fn seal_reserve(platform: &Platform, cast: &Cast, lot: &str) -> Result<()> {
    let initiator = &cast.initiator;
    let sealer = initiator.sealer(lot, cast)?;
    let (payload, bytes) =
        sealer.seal_price(Part::Reserve, &content(yuan(RESERVE))).during("sealing the reserve price")?;
    let mut source = std::io::Cursor::new(bytes);
    sealer
        .upload(&initiator.client, Part::Reserve, &payload, &mut source, &new_key(), &|_| {})
        .during("uploading the reserve price")?;
    let header = sealer
        .header(&initiator.key, Part::Reserve, &payload, 1, platform.now())
        .during("signing the reserve price")?;
    let envelope = envelope_json(&header).during("the reserve price")?;
    initiator.client.put_reserve(lot, &envelope, None).during("putting the reserve price into the box")?;
    say("An invented plot: the initiator's reserve price lies sealed in the box, and three bidders come.");
    Ok(())
}

fn check(session: &Session) -> Result<()> {
    let mut read: Vec<Option<Money>> = session.bids.iter().map(|bid| bid.price).collect();
    read.sort_by_key(|price| price.map(Money::minor));
    let mut expected: Vec<Option<Money>> = BIDS.iter().map(|(_, fen)| Some(yuan(*fen))).collect();
    expected.sort_by_key(|price| price.map(Money::minor));
    let reserve = session.reserve.as_ref().and_then(|reserve| reserve.price);
    if read == expected && reserve == Some(yuan(RESERVE)) {
        Ok(())
    } else {
        Err(DemoError::Differs(format!("the plot's box held {read:?} and the reserve price {reserve:?}")))
    }
}
