//! Every write of bids.

use diesel::prelude::*;

use super::model::{BidRow, EnvelopeRow, OwnKeyRow, RefusalRow};
use crate::db::Insert;
use crate::db::schema::{bid_envelopes, bidder_keys};
use crate::ledger::WriteConn;

crate::subject!(BidRow, bids);
crate::subject!(RefusalRow, refusals, stateless);

/// Stores an envelope of the version of a bid that this commit makes.
#[expect(clippy::disallowed_methods, reason = "envelopes are a part of the bid's version, which is on record")]
pub fn store_envelope(conn: &mut WriteConn<'_>, row: &EnvelopeRow) -> QueryResult<()> {
    crate::kept!(conn.get(), Insert<EnvelopeRow>, diesel::insert_into(bid_envelopes::table).values(row)).map(drop)
}

/// Stores the bidder's own key set of the version of a bid that this commit makes.
#[expect(clippy::disallowed_methods, reason = "the key set is a part of the bid's version, which is on record")]
pub fn store_own_key(conn: &mut WriteConn<'_>, row: &OwnKeyRow) -> QueryResult<()> {
    diesel::insert_into(bidder_keys::table).values(row).execute(conn.get()).map(drop)
}
