//! Sessions of staff on record: who was signed in when, and who tried. A bidder's sessions are not: that somebody is busy
//! before a deadline is nobody's business.

use super::model::{UserRow, roles_of};
use super::queries;
use crate::kernel::id::gathering;
use crate::kernel::role::Role;
use crate::kernel::time::Timestamp;
use crate::ledger::{Context, Record, Result, Tx};
use crate::limits;

/// Whether somebody is more than a bidder.
pub fn is_staff(user: &UserRow) -> bool {
    roles_of(&user.roles).iter().any(|role| *role != Role::Bidder)
}

/// A caller who has just proved who it is.
pub fn proven(context: Context, user: &UserRow) -> Context {
    let role = roles_of(&user.roles).first().map_or(context.role, |role| role.name());
    Context { actor_id: Some(user.id.clone()), org_id: Some(user.org_id.clone()), role, ..context }
}

/// Puts the start of a session of staff on record.
///
/// # Errors
/// The database's.
pub fn started(tx: &mut Tx<'_>, user: &UserRow, session_id: &str, until: Timestamp) -> Result<()> {
    if is_staff(user) {
        let record = Record::new("session.started")
            .org(user.org_id.clone())
            .restricted("session", session_id)
            .restricted("user", &user.id)
            .restricted("roles", &user.roles)
            .restricted("until", until);
        tx.note_in(session_id, 1, record)?;
    }
    Ok(())
}

/// Puts the end of a session of staff on record: once, whatever ends it first.
///
/// # Errors
/// The database's.
pub fn ended(tx: &mut Tx<'_>, user_id: &str, session_id: &str, why: &str) -> Result<()> {
    let Some(user) = queries::user(tx.conn(), user_id)?.filter(is_staff) else { return Ok(()) };
    let record = Record::new("session.ended")
        .org(user.org_id.clone())
        .restricted("session", session_id)
        .restricted("user", &user.id)
        .restricted("why", why);
    tx.note_in(session_id, 2, record).map(drop)
}

/// Puts a failed sign-in with the login of staff on record, a few an hour. Who tried is not known.
///
/// # Errors
/// The database's.
pub fn refused(tx: &mut Tx<'_>, user: &UserRow) -> Result<()> {
    let stream = gathering("sir", &[&user.id, &tx.now().hour().to_string()]);
    let record = Record::new("session.refused")
        .org(user.org_id.clone())
        .restricted("user", &user.id)
        .restricted("state", &user.state);
    tx.note_in(&stream, limits::SIGN_IN_FAILURES, record).map(drop)
}
