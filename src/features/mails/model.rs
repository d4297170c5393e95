//! Messages as stored and as the API shows them.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::schema::outbox;
use crate::kernel::time::Timestamp;

/// To be sent, now or after a pause.
pub const WAITING: &str = "waiting";
/// Taken by the mail server, or written to its file.
pub const SENT: &str = "sent";
/// Not sent on purpose: a sealed message, and the transport writes files.
pub const WITHHELD: &str = "withheld";
/// Tried too often; a person decides.
pub const FAILED: &str = "failed";
/// Every state.
pub const STATES: &[&str] = &[WAITING, SENT, WITHHELD, FAILED];

/// A row of `outbox`.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = outbox)]
pub struct MailRow {
    /// The message: random, and the left half of its Message-ID, so that a second delivery is recognisable.
    pub id: String,
    /// An e-mail address.
    pub recipient: String,
    /// The subject line.
    pub subject: String,
    /// Plain text.
    pub body: String,
    /// Tells a fact that is secret before the opening.
    pub sealed: bool,
    /// One of [`STATES`].
    pub state: String,
    /// Attempts so far.
    pub attempts: i64,
    /// Not tried before this instant, epoch milliseconds.
    pub next_at: i64,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// When it was stored, epoch milliseconds.
    pub created_at: i64,
    /// When it was sent, epoch milliseconds.
    pub sent_at: Option<i64>,
}

/// A message, as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MailView {
    /// The message.
    pub id: String,
    /// `waiting`, `sent`, `withheld` (a sealed message under the file transport) or `failed`.
    pub state: String,
    /// Whether it tells a fact that is secret before the opening.
    pub sealed: bool,
    /// Attempts so far.
    pub attempts: i64,
    /// When it is tried next, where it waits.
    pub next_at: Option<Timestamp>,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When it was sent.
    pub sent_at: Option<Timestamp>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// To whom; never shown of a sealed message.
    pub recipient: Option<String>,
}

/// A message for an administrator.
pub fn view(row: &MailRow) -> MailView {
    MailView {
        id: row.id.clone(),
        state: row.state.clone(),
        sealed: row.sealed,
        attempts: row.attempts,
        next_at: (row.state == WAITING).then(|| Timestamp::from_millis(row.next_at)),
        created_at: Timestamp::from_millis(row.created_at),
        sent_at: row.sent_at.map(Timestamp::from_millis),
        last_error: row.last_error.clone(),
        recipient: (!row.sealed).then(|| row.recipient.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_sealed_message_no_recipient_and_no_text_is_shown() {
        let row = MailRow {
            id: "msg-1".into(),
            recipient: "bidder@example.org".into(),
            subject: "Receipt".into(),
            body: "Lot 1".into(),
            sealed: true,
            state: WAITING.into(),
            attempts: 0,
            next_at: 0,
            last_error: None,
            created_at: 0,
            sent_at: None,
        };
        let shown = serde_json::to_string(&view(&row)).expect("plain data");
        assert!(!shown.contains("bidder@") && !shown.contains("Receipt") && !shown.contains("Lot 1"), "{shown}");
        let open = serde_json::to_string(&view(&MailRow { sealed: false, ..row })).expect("plain data");
        assert!(open.contains("bidder@example.org") && !open.contains("Receipt") && !open.contains("Lot 1"), "{open}");
    }
}
