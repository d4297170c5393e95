//! What a person can do about messages.

use super::changes;
use super::model::{MailView, view};
use super::queries;
use crate::kernel::id;
use crate::ledger::{Error, Record, Result, Tx};
use crate::refusals;

/// Lets a failed message be tried again.
///
/// # Errors
/// 404; 409 when it has not failed.
pub fn retry(tx: &mut Tx<'_>, mail: &str) -> Result<MailView> {
    let row = queries::mail(tx.conn(), mail)?.ok_or_else(refusals::not_found)?;
    let now = tx.now();
    if !tx.beside(|conn| changes::try_again(conn, &row.id, now))? {
        return Err(refusals::state_forbids(
            "只有发送失败的邮件可以重试。",
            "Only a message that failed can be tried again.",
        )
        .into());
    }
    tx.note(&id::random("mlr"), Record::new("mail.retried").restricted("mail", &row.id))?;
    let row = queries::mail(tx.conn(), mail)?.ok_or_else(|| Error::internal("a message is gone"))?;
    Ok(view(&row))
}
