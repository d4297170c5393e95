//! Messages to send, stored with the change that causes them. Sending is the mailer's business: at least once, with
//! growing pauses; a message that cannot be sent stays a row that someone can see.

use diesel::prelude::*;

use super::change::WriteConn;
use crate::db::schema::outbox;
use crate::kernel::id;
use crate::kernel::time::Timestamp;

/// One message to one recipient.
#[derive(Clone, Debug)]
pub struct Mail {
    /// Makes the message the same message: a second one with it is not stored.
    pub dedup: String,
    /// An e-mail address.
    pub recipient: String,
    /// The subject line.
    pub subject: String,
    /// Plain text.
    pub body: String,
    /// The lot it is about.
    pub lot_id: Option<String>,
    /// Tells a fact that is secret before the opening: never written to a file in clear.
    pub sealed: bool,
}

#[expect(clippy::disallowed_methods, reason = "the ledger's own table")]
pub(super) fn store(conn: &mut WriteConn<'_>, mail: &Mail, now: Timestamp) -> diesel::QueryResult<()> {
    let conn = conn.get();
    let known: i64 = outbox::table.filter(outbox::dedup.eq(&mail.dedup)).count().get_result(conn)?;
    if known > 0 {
        return Ok(());
    }
    diesel::insert_into(outbox::table)
        .values((
            outbox::id.eq(id::random("msg")),
            outbox::dedup.eq(&mail.dedup),
            outbox::recipient.eq(&mail.recipient),
            outbox::subject.eq(&mail.subject),
            outbox::body.eq(&mail.body),
            outbox::sealed.eq(mail.sealed),
            outbox::state.eq("waiting"),
            outbox::attempts.eq(0),
            outbox::next_at.eq(now.millis()),
            outbox::lease_until.eq(0),
            outbox::lot_id.eq(&mail.lot_id),
            outbox::created_at.eq(now.millis()),
        ))
        .execute(conn)
        .map(drop)
}
