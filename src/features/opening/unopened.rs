//! Second envelopes that stayed sealed (ENG-40): once the lot's openings are over, what could still open them goes.
//!
//! Promise: when this is committed, the platform's key of that round is erased and the sealed payloads are doomed; their bytes go
//! with the next round of the sweeper. Headers, receipts and entries stay: that a bid was made and in which form is on record.

use std::collections::BTreeSet;

use diesel::dsl::{exists, not};
use diesel::prelude::*;

use crate::db::Conn;
use crate::db::schema::{bid_envelopes, unsealings};
use crate::features::key_sets::{self, groups};
use crate::features::lots::model::Lot;
use crate::features::uploads;
use crate::kernel::id::gathering;
use crate::ledger::{Record, Result, Tx};
use crate::rules::envelopes::{Envelopes, Round};
use crate::rules::machine::State;

/// Destroys what stayed sealed of a lot with two envelopes, once nothing more will be opened; does nothing for other lots.
///
/// # Errors
/// The database's.
pub fn destroy(tx: &mut Tx<'_>, lot: &Lot) -> Result<()> {
    let more_to_come = lot.state == State::Opened && lot.prices_sealed();
    if lot.body.terms.envelopes == Envelopes::One || more_to_come {
        return Ok(());
    }
    if key_sets::queries::of_round(tx.conn(), &lot.row.id, Round::Second)?.is_none() {
        return Ok(());
    }
    let doomed = sealed_uploads(tx.conn(), &lot.row.id)?;
    // How many there are stays as secret as how many bid: a lot may be terminated before anything opened.
    let record = Record::new("envelopes.destroyed")
        .sealed()
        .lot(lot.row.id.clone())
        .project(lot.row.project_id.clone())
        .public("round", Round::Second)
        .restricted("count", doomed.len());
    tx.note_in(&gathering("dst", &[&lot.row.id]), 1, record)?;
    key_sets::ops::erase_round(tx, lot, Round::Second)?;
    doomed.iter().try_for_each(|upload| uploads::ops::doom_sealed(tx, upload))
}

/// Uploads of second envelopes, of every version of a bid, of which nothing was ever opened.
fn sealed_uploads(conn: &mut Conn, lot_id: &str) -> Result<BTreeSet<String>> {
    let parts = groups::names(Envelopes::Two, &[Round::Second]);
    let of_lot = |tried: bool| {
        let outcome = unsealings::table.filter(unsealings::envelope_id.eq(bid_envelopes::envelope_id));
        let query = bid_envelopes::table
            .filter(bid_envelopes::lot_id.eq(lot_id.to_owned()))
            .filter(bid_envelopes::part.eq_any(parts.clone()))
            .select(bid_envelopes::upload_id)
            .into_boxed();
        if tried { query.filter(exists(outcome)) } else { query.filter(not(exists(outcome))) }
    };
    let mut sealed: BTreeSet<String> = of_lot(false).load::<String>(conn)?.into_iter().collect();
    // A confirmation names the payload of the version before it: the same bytes, opened under the later header.
    for opened in of_lot(true).load::<String>(conn)? {
        sealed.remove(&opened);
    }
    Ok(sealed)
}
