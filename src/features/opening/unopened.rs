//! What stayed sealed for good: second envelopes (ENG-40), and keys in escrow that nobody had to ask for (EB-06). Once the lot's
//! openings are over, what could still open them goes.
//!
//! Promise: when this is committed, the platform's key of that round is erased (custodians are told that theirs is retired) and the
//! sealed payloads are doomed; their bytes go with the next round of the sweeper. Headers, receipts and entries stay: that a bid was
//! made and in which form is on record.

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

/// Destroys what stayed sealed of a lot, once nothing more will be opened of it; does nothing for lots that open as a whole.
///
/// # Errors
/// The database's.
pub fn destroy(tx: &mut Tx<'_>, lot: &Lot) -> Result<()> {
    let prices_to_come = lot.state == State::Opened && lot.prices_sealed();
    let terms = &lot.body.terms;
    if terms.envelopes == Envelopes::Two && !prices_to_come {
        destroy_round(tx, lot, Round::Second, "dst")?;
    }
    destroy_round(tx, lot, Round::Escrow, "dse")
}

fn destroy_round(tx: &mut Tx<'_>, lot: &Lot, round: Round, stream: &'static str) -> Result<()> {
    // Bidders seal to keys of their own from the publication on; whatever else they seal to has a key set.
    let own = lot.body.terms.key_mode.needs_bidder() && round != Round::Escrow && lot.deadline_at().is_some();
    if !own && key_sets::queries::of_round(tx.conn(), &lot.row.id, round)?.is_none() {
        return Ok(());
    }
    let doomed = sealed_uploads(tx.conn(), lot, round)?;
    // How many there are stays as secret as how many bid: a lot may be terminated before anything opened.
    let record = Record::new("envelopes.destroyed")
        .sealed()
        .lot(lot.row.id.clone())
        .project(lot.row.project_id.clone())
        .public("round", round)
        .restricted("count", doomed.len());
    tx.note_in(&gathering(stream, &[&lot.row.id]), 1, record)?;
    key_sets::ops::erase_round(tx, lot, round)?;
    doomed.iter().try_for_each(|upload| uploads::ops::doom_sealed(tx, upload))
}

/// Uploads of envelopes of a round, of every version of a bid, of which nothing was ever opened.
fn sealed_uploads(conn: &mut Conn, lot: &Lot, round: Round) -> Result<BTreeSet<String>> {
    let parts = groups::names(lot.body.terms.envelopes, &[round]);
    let of_lot = |tried: bool| {
        let outcome = unsealings::table.filter(unsealings::envelope_id.eq(bid_envelopes::envelope_id));
        let query = bid_envelopes::table
            .filter(bid_envelopes::lot_id.eq(lot.row.id.clone()))
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
