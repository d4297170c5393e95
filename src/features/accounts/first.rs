//! The first administrator, who makes all others: made on the machine itself, never with a default password.

use super::model::CONFIRMED;
use super::ops::{self, NewPerson};
use super::queries;
use crate::kernel::org_identifier::OrgIdentifier;
use crate::kernel::role::Role;
use crate::ledger::{Result, Tx};
use crate::limits;
use crate::refusals;

/// The first administrator and the centre's own organisation.
#[derive(Clone, Debug)]
pub struct FirstAdmin {
    /// The centre's identifier.
    pub identifier: OrgIdentifier,
    /// The centre's name.
    pub organisation: String,
    /// The administrator.
    pub person: NewPerson,
}

/// Makes the first administrator and the centre's organisation, and returns a one-time token for the password.
///
/// # Errors
/// 409 when there is an administrator; 422 when something is not valid.
pub fn make_first_admin(tx: &mut Tx<'_>, first: &FirstAdmin) -> Result<String> {
    if queries::any_admin(tx.conn())? {
        return Err(refusals::state_forbids(
            "已有管理员。",
            "There is an administrator already; ask one of them for an account.",
        )
        .into());
    }
    ops::check_person(&first.person)?;
    ops::check_text("organisation", &first.organisation, limits::NAME_LEN)?;
    let org = ops::insert_organisation(tx, &first.identifier, &first.organisation, &first.person.email, CONFIRMED)?;
    let user = ops::insert_user(tx, &org.id, &first.person, &[Role::Admin], None)?;
    ops::issue_reset(tx, &user.id)
}
