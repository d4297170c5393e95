//! Who acts: roles and actors.
//!
//! Promise: an act has exactly one actor, and the system is an actor of its own, not a user with many roles.
//! Deliberately not here: who may do what; the tables of `rules` say that.

use crate::kernel::id::OrgId;
use crate::kernel::principal::PrincipalId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a person may be on the platform. Powers are separate on purpose: the centre never judges bids, an inspector
/// changes nothing, an administrator keeps accounts and no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Keeps accounts, keys and the calendar of the installation.
    Admin,
    /// The trading centre: reviews, witnesses, runs the opening.
    Centre,
    /// Starts a procedure and judges its bids.
    Initiator,
    /// Submits bids.
    Bidder,
    /// Reads everything that is not sealed, and orders holds.
    Inspector,
    /// Keeps a share of the keys that bids are sealed to.
    Custodian,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] =
        [Self::Admin, Self::Centre, Self::Initiator, Self::Bidder, Self::Inspector, Self::Custodian];

    /// The name on the wire and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Centre => "centre",
            Self::Initiator => "initiator",
            Self::Bidder => "bidder",
            Self::Inspector => "inspector",
            Self::Custodian => "custodian",
        }
    }

    /// The role of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// The platform itself: a clock reached a moment.
    System,
    /// Somebody signed in, a person or software, for an organisation.
    User {
        /// Who.
        user_id: PrincipalId,
        /// The organisation acted for.
        org_id: OrgId,
        /// What the actor may be.
        roles: Vec<Role>,
    },
    /// Somebody who did not sign in.
    Nobody,
}

impl Actor {
    /// Whether the actor is a person with that role.
    pub fn has(&self, role: Role) -> bool {
        matches!(self, Self::User { roles, .. } if roles.contains(&role))
    }

    /// The organisation acted for, if any.
    pub fn org_id(&self) -> Option<&OrgId> {
        match self {
            Self::User { org_id, .. } => Some(org_id),
            Self::System | Self::Nobody => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_reads_back_from_its_name_which_is_its_wire_form() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.name()), Some(role));
            assert_eq!(serde_json::to_value(role).expect("text"), role.name());
        }
        assert_eq!(Role::parse("root"), None);
    }
}
