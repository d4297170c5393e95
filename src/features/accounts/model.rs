//! Organisations, users and keys: as stored, and as the API shows them.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::schema::{organisations, service_clients, signing_keys, users};
use crate::kernel::id::{ClientId, OrgId, UserId};
use crate::kernel::org_identifier::OrgIdentifier;
use crate::kernel::role::Role;

/// A registration waits for the centre.
pub const PENDING: &str = "pending";
/// The centre has confirmed that the organisation is what it says.
pub const CONFIRMED: &str = "confirmed";
/// The centre has refused the registration.
pub const REFUSED: &str = "refused";
/// An account or a key that may be used.
pub const ACTIVE: &str = "active";
/// An account that may not be used.
pub const DISABLED: &str = "disabled";
/// A key that may not be used for anything new.
pub const REVOKED: &str = "revoked";

/// A row of `organisations`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = organisations, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct OrganisationRow {
    /// The organisation.
    pub id: String,
    /// Version.
    pub version: i64,
    /// `pending`, `confirmed`, `refused`.
    pub state: String,
    /// Scheme of the identifier.
    pub scheme: String,
    /// The identifier within its scheme.
    pub identifier: String,
    /// Name.
    pub name: String,
    /// [`OrganisationBody`].
    pub body: String,
}

/// What else is stored of an organisation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OrganisationBody {
    /// Where messages to the organisation go.
    pub email: String,
    /// Why the centre refused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A row of `users`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = users, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct UserRow {
    /// The user.
    pub id: String,
    /// Version.
    pub version: i64,
    /// `active`, `disabled`.
    pub state: String,
    /// The user's organisation.
    pub org_id: String,
    /// Unique name to sign in with.
    pub login: String,
    /// Roles, separated by commas, in the order of [`Role::ALL`].
    pub roles: String,
    /// [`UserBody`].
    pub body: String,
}

/// What else is stored of a user.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UserBody {
    /// Name.
    pub name: String,
    /// E-mail address.
    pub email: String,
}

/// A row of `signing_keys`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = signing_keys, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct SigningKeyRow {
    /// The registration.
    pub id: String,
    /// Version.
    pub version: i64,
    /// `active`, `revoked`.
    pub state: String,
    /// Key id, derived from the key.
    pub kid: String,
    /// The organisation that signs with it.
    pub org_id: String,
    /// The user who registered it.
    pub user_id: String,
    /// `EdDSA` or `ES256`.
    pub alg: String,
    /// The public key, base64url.
    pub public_key: String,
}

/// A row of `service_clients`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = service_clients, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct ServiceClientRow {
    /// The client.
    pub id: String,
    /// Version.
    pub version: i64,
    /// `active`, `revoked`.
    pub state: String,
    /// Key id, derived from the key.
    pub kid: String,
    /// Whose software it is.
    pub org_id: String,
    /// Roles, separated by commas, in the order of [`Role::ALL`].
    pub roles: String,
    /// `EdDSA` or `ES256`.
    pub alg: String,
    /// The public key, base64url.
    pub public_key: String,
    /// [`ServiceClientBody`].
    pub body: String,
}

/// What else is stored of a service client.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ServiceClientBody {
    /// What it is, for the people of the organisation.
    pub name: String,
    /// The user who registered it.
    pub registered_by: String,
}

/// Software of an organisation that signs in by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServiceClient {
    /// The client id, `iss` and `sub` of its assertions.
    pub id: ClientId,
    /// `active`, `revoked`.
    pub state: String,
    /// What it is.
    pub name: String,
    /// Whose software it is.
    pub org_id: OrgId,
    /// What it may be, as long as somebody of its organisation is.
    pub roles: Vec<Role>,
    /// Key id.
    pub kid: String,
    /// `EdDSA` or `ES256`: the only algorithm of its assertions.
    pub alg: String,
    /// The public key, base64url.
    pub public_key: String,
}

/// An organisation, as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Organisation {
    /// The organisation.
    pub id: OrgId,
    /// `pending`, `confirmed`, `refused`.
    pub state: String,
    /// Name.
    pub name: String,
    /// Its identifier.
    pub identifier: OrgIdentifier,
}

/// A user, as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// The user.
    pub id: UserId,
    /// The user's organisation.
    pub org_id: OrgId,
    /// `active`, `disabled`.
    pub state: String,
    /// Name to sign in with.
    pub login: String,
    /// Name.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// Roles.
    pub roles: Vec<Role>,
}

/// A registered signing key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SigningKeyView {
    /// The registration.
    pub id: String,
    /// Key id, as JWS headers name it.
    pub kid: String,
    /// `active`, `revoked`.
    pub state: String,
    /// The organisation that signs with it.
    pub org_id: OrgId,
    /// `EdDSA` or `ES256`.
    pub alg: String,
    /// The public key, base64url.
    pub public_key: String,
}

/// Roles as stored.
pub fn roles_text(roles: &[Role]) -> String {
    Role::ALL.iter().filter(|role| roles.contains(role)).map(|role| role.name()).collect::<Vec<_>>().join(",")
}

/// Roles from what is stored.
pub fn roles_of(text: &str) -> Vec<Role> {
    text.split(',').filter_map(Role::parse).collect()
}
