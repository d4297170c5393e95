//! Every write of messages after they were stored: working state beside the record.

use diesel::prelude::*;

use super::model::{FAILED, SENT, WAITING, WITHHELD};
use crate::db::schema::outbox;
use crate::kernel::time::Timestamp;
use crate::ledger::WriteConn;
use crate::limits;

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Taken by the mail server, or written.
    Sent,
    /// Sealed, and this transport would write it in clear.
    Withheld,
    /// Not this time.
    Failed {
        /// Why, in a few words.
        error: String,
        /// When to try again; `None` when it was tried often enough.
        next_at: Option<Timestamp>,
    },
}

/// Takes a due message for this server until `until`; false when another server has it. Counts the attempt, so that a
/// message on which a server dies is not tried for ever.
#[expect(clippy::disallowed_methods, reason = "messages are working state beside the record")]
pub fn claim(conn: &mut WriteConn<'_>, id: &str, now: Timestamp, until: Timestamp) -> QueryResult<bool> {
    let due = outbox::table
        .filter(outbox::id.eq(id))
        .filter(outbox::state.eq(WAITING))
        .filter(outbox::next_at.le(now.millis()))
        .filter(outbox::lease_until.le(now.millis()));
    let changed = diesel::update(due)
        .set((outbox::lease_until.eq(until.millis()), outbox::attempts.eq(outbox::attempts + 1)))
        .execute(conn.get())?;
    Ok(changed == 1)
}

/// Gives a message back untried.
#[expect(clippy::disallowed_methods, reason = "messages are working state beside the record")]
pub fn give_back(conn: &mut WriteConn<'_>, id: &str) -> QueryResult<()> {
    diesel::update(outbox::table.find(id).filter(outbox::state.eq(WAITING)))
        .set((outbox::lease_until.eq(0), outbox::attempts.eq(outbox::attempts - 1)))
        .execute(conn.get())
        .map(drop)
}

/// Writes down what came of an attempt.
#[expect(clippy::disallowed_methods, reason = "messages are working state beside the record")]
pub fn settle(conn: &mut WriteConn<'_>, id: &str, outcome: &Outcome, now: Timestamp) -> QueryResult<()> {
    let conn = conn.get();
    let row = outbox::table.find(id);
    match outcome {
        Outcome::Sent | Outcome::Withheld => {
            let state = if *outcome == Outcome::Sent { SENT } else { WITHHELD };
            diesel::update(row)
                .set((
                    outbox::state.eq(state),
                    outbox::sent_at.eq(now.millis()),
                    outbox::last_error.eq(None::<String>),
                    outbox::lease_until.eq(0),
                ))
                .execute(conn)
                .map(drop)
        }
        Outcome::Failed { error, next_at } => {
            let error: String = error.chars().take(limits::MAIL_ERROR_LEN).collect();
            let state = if next_at.is_some() { WAITING } else { FAILED };
            let next_at = next_at.unwrap_or(now).millis();
            diesel::update(row)
                .set((
                    outbox::state.eq(state),
                    outbox::next_at.eq(next_at),
                    outbox::last_error.eq(error),
                    outbox::lease_until.eq(0),
                ))
                .execute(conn)
                .map(drop)
        }
    }
}

/// Lets a failed message be tried again from the start; false when there is no such failed message.
#[expect(clippy::disallowed_methods, reason = "messages are working state beside the record")]
pub fn try_again(conn: &mut WriteConn<'_>, id: &str, now: Timestamp) -> QueryResult<bool> {
    let changed = diesel::update(outbox::table.find(id).filter(outbox::state.eq(FAILED)))
        .set((
            outbox::state.eq(WAITING),
            outbox::attempts.eq(0),
            outbox::next_at.eq(now.millis()),
            outbox::lease_until.eq(0),
        ))
        .execute(conn.get())?;
    Ok(changed == 1)
}
