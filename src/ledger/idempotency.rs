//! Same key, same answer: a request that is repeated, also after its first answer was lost, acts once.
//!
//! The answer is stored in the transaction of the use case itself, so either both exist or neither. Only successes and
//! recorded refusals are stored; never errors of ours, and never answers that hold secrets.

use diesel::prelude::*;

use super::change::WriteConn;
use crate::db::Conn;
use crate::db::schema::idempotency;
use crate::kernel::digest::Digest;
use crate::kernel::time::Timestamp;

/// What makes a request the same request: who asks, the key it gave, and what it said.
#[derive(Clone, Debug)]
pub struct Idempotency {
    /// The user.
    pub principal: String,
    /// `Idempotency-Key`, as given.
    pub key: String,
    /// SHA-256 of method, path and body.
    pub request_hash: Digest,
}

/// What is known of a key.
pub(super) enum Known {
    /// Never seen.
    New,
    /// The stored answer.
    Answered(String),
    /// The key was used for another request.
    Other,
}

pub(super) fn look_up(conn: &mut Conn, id: &Idempotency) -> diesel::QueryResult<Known> {
    let row: Option<(Vec<u8>, String)> = crate::on!(conn, c => idempotency::table
        .filter(idempotency::principal.eq(&id.principal))
        .filter(idempotency::key.eq(&id.key))
        .select((idempotency::request_hash, idempotency::answer))
        .first(c)
        .optional())?;
    Ok(match row {
        None => Known::New,
        Some((hash, answer)) if hash == id.request_hash.as_bytes() => Known::Answered(answer),
        Some(_) => Known::Other,
    })
}

#[expect(clippy::disallowed_methods, reason = "the ledger's own table")]
pub(super) fn store(
    conn: &mut WriteConn<'_>,
    id: &Idempotency,
    answer: &str,
    now: Timestamp,
) -> diesel::QueryResult<()> {
    let row = (
        idempotency::principal.eq(&id.principal),
        idempotency::key.eq(&id.key),
        idempotency::request_hash.eq(&id.request_hash.as_bytes()[..]),
        idempotency::answer.eq(answer),
        idempotency::at_ms.eq(now.millis()),
    );
    crate::kept!(conn.get(), Store, diesel::insert_into(idempotency::table).values(row)).map(drop)
}

/// Names the statement that stores an answer.
enum Store {}
