//! Use cases of organisations and users.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::changes;
use super::model::{
    ACTIVE, CONFIRMED, DISABLED, Organisation, OrganisationBody, OrganisationRow, PENDING, REFUSED, User, UserBody,
    UserRow, roles_of, roles_text,
};
use super::queries;
use super::sessions::{random_token, token_hash};
use crate::kernel::id::{OrgId, UserId};
use crate::kernel::org_identifier::OrgIdentifier;
use crate::kernel::role::Role;
use crate::kernel::text::Bilingual;
use crate::ledger::{Error, Mail, Record, Result, Tx};
use crate::limits;
use crate::refusals;

/// A person who will sign in.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPerson {
    /// Name to sign in with: 3 to 100 characters of a-z, 0-9, `.`, `-`, `_`, `@`.
    pub login: String,
    /// Name.
    pub name: String,
    /// E-mail address.
    pub email: String,
}

/// What comes of a registration: both outcomes are on record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Registered {
    /// The organisation waits for the centre.
    Pending(Organisation),
    /// The identifier belongs to an earlier registration, which was told.
    Claimed,
}

/// Checks a text's length.
///
/// # Errors
/// 422 naming the field.
pub fn check_text(field: &str, text: &str, most: usize) -> Result<()> {
    if text.trim().is_empty() || text.chars().count() > most || text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(
            refusals::body_invalid(&format!("{field}: 1 to {most} characters, without control characters")).into()
        );
    }
    Ok(())
}

/// Checks a person's fields.
///
/// # Errors
/// 422 naming the field.
pub fn check_person(person: &NewPerson) -> Result<()> {
    check_text("name", &person.name, limits::NAME_LEN)?;
    let login = &person.login;
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_@".contains(&byte);
    if !(3..=100).contains(&login.len()) || !login.bytes().all(allowed) {
        return Err(refusals::body_invalid("login: 3 to 100 characters of a-z, 0-9, `.`, `-`, `_`, `@`").into());
    }
    check_email(&person.email)
}

/// Checks an e-mail address.
///
/// # Errors
/// 422.
pub fn check_email(email: &str) -> Result<()> {
    if email.len() <= 320 && email.parse::<lettre::Address>().is_ok() {
        Ok(())
    } else {
        Err(refusals::body_invalid("email: an e-mail address").into())
    }
}

/// Registers an organisation with its first user. The centre confirms it later.
///
/// # Errors
/// 409 when the login is taken. An identifier that is taken is a recorded outcome, not an error.
pub fn register_organisation(
    tx: &mut Tx<'_>,
    identifier: &OrgIdentifier,
    name: &str,
    person: &NewPerson,
    role: Role,
    hash: &str,
) -> Result<Registered> {
    if let Some(first) = queries::claimant(tx.conn(), identifier)? {
        tx.note(
            &crate::kernel::id::random("clm"),
            Record::new("organisation.claim_refused")
                .org(first.id.clone())
                .restricted("identifier", identifier)
                .personal("name", name)
                .personal("email", &person.email),
        )?;
        tell_claimant(tx, &first)?;
        return Ok(Registered::Claimed);
    }
    let org = insert_organisation(tx, identifier, name, &person.email, PENDING)?;
    insert_user(tx, &org.id, person, &[role], Some(hash))?;
    Ok(Registered::Pending(organisation_view(&org)?))
}

fn tell_claimant(tx: &mut Tx<'_>, first: &OrganisationRow) -> Result<()> {
    let email = queries::organisation_body(first)?.email;
    let request = tx.context().request_id.clone();
    tx.send(Mail {
        dedup: format!("claim-{request}"),
        recipient: email,
        subject: "机构代码被再次登记 / Your identifier was registered again".into(),
        body: "有人以贵单位的机构代码再次登记,系统已拒绝。如有疑问请联系交易中心。\n\nSomebody tried to register with the identifier of \
               your organisation. The attempt was refused and is on record. Please ask the trading centre if this concerns you.\n"
            .into(),
        lot_id: None,
        sealed: false,
    })
}

/// Inserts an organisation.
///
/// # Errors
/// The database's.
pub fn insert_organisation(
    tx: &mut Tx<'_>,
    identifier: &OrgIdentifier,
    name: &str,
    email: &str,
    state: &str,
) -> Result<OrganisationRow> {
    let body = OrganisationBody { email: email.to_owned(), reason: None };
    let row = OrganisationRow {
        id: OrgId::ordered(tx.now()).into_string(),
        version: 0,
        state: state.to_owned(),
        scheme: identifier.scheme().to_owned(),
        identifier: identifier.id().to_owned(),
        name: name.to_owned(),
        body: to_json(&body)?,
    };
    let id = row.id.clone();
    Ok(tx
        .insert(
            row,
            Record::new("organisation.registered")
                .org(id)
                .restricted("identifier", identifier)
                .restricted("name", name),
        )?
        .0)
}

/// Inserts a user; without a hash the user cannot sign in until a reset token was used.
///
/// # Errors
/// 409 when the login is taken.
pub fn insert_user(
    tx: &mut Tx<'_>,
    org_id: &str,
    person: &NewPerson,
    roles: &[Role],
    hash: Option<&str>,
) -> Result<UserRow> {
    if queries::user_by_login(tx.conn(), &person.login)?.is_some() {
        return Err(refusals::taken("该登录名", "This login").into());
    }
    let body = UserBody { name: person.name.clone(), email: person.email.clone() };
    let row = UserRow {
        id: UserId::ordered(tx.now()).into_string(),
        version: 0,
        state: ACTIVE.into(),
        org_id: org_id.to_owned(),
        login: person.login.clone(),
        roles: roles_text(roles),
        body: to_json(&body)?,
    };
    let record = Record::new("user.created")
        .org(org_id)
        .restricted("roles", &row.roles)
        .personal("login", &person.login)
        .personal("name", &person.name);
    let (row, _) = tx.insert(row, record)?;
    if let Some(hash) = hash {
        let now = tx.now();
        tx.beside(|conn| changes::set_password(conn, &row.id, hash, now))?;
    }
    Ok(row)
}

/// The centre's word on a registration.
///
/// # Errors
/// 404; 409 when the registration does not wait any more.
pub fn decide_organisation(tx: &mut Tx<'_>, id: &str, confirm: bool, reason: Option<&str>) -> Result<Organisation> {
    let row = queries::organisation(tx.conn(), id)?.ok_or_else(refusals::not_found)?;
    if row.state != PENDING {
        return Err(refusals::state_forbids("该登记已处理。", "This registration was decided already.").into());
    }
    let mut body = queries::organisation_body(&row)?;
    body.reason = reason.map(str::to_owned);
    let state = if confirm { CONFIRMED } else { REFUSED };
    let new = OrganisationRow { state: state.into(), body: to_json(&body)?, ..row.clone() };
    let kind = if confirm { "organisation.confirmed" } else { "organisation.refused" };
    let (row, _) = tx.update(&row, new, Record::new(kind).org(row.id.clone()).restricted("reason", reason))?;
    let text = if confirm {
        Bilingual::new("贵单位的登记已经交易中心确认。", "The trading centre has confirmed your registration.")
    } else {
        Bilingual::new(
            format!("贵单位的登记未获确认。原因:{}", reason.unwrap_or("-")),
            format!("The trading centre has refused your registration. Reason: {}", reason.unwrap_or("-")),
        )
    };
    tx.send(Mail {
        dedup: format!("{}-{}", row.id, row.version),
        recipient: body.email,
        subject: "登记结果 / Your registration".into(),
        body: format!("{}\n\n{}\n", text.zh, text.en),
        lot_id: None,
        sealed: false,
    })?;
    organisation_view(&row)
}

/// Sets a user's roles.
///
/// # Errors
/// 404; 422 without any role.
pub fn set_roles(tx: &mut Tx<'_>, id: &str, roles: &[Role]) -> Result<User> {
    if roles.is_empty() {
        return Err(refusals::body_invalid("roles: at least one").into());
    }
    let row = queries::user(tx.conn(), id)?.ok_or_else(refusals::not_found)?;
    let new = UserRow { roles: roles_text(roles), ..row.clone() };
    let record = Record::new("user.roles_set")
        .org(row.org_id.clone())
        .restricted("before", &row.roles)
        .restricted("after", &new.roles);
    let (row, _) = tx.update(&row, new, record)?;
    let now = tx.now();
    tx.beside(|conn| changes::end_sessions_of(conn.get(), &row.id, now))?;
    user_view(&row)
}

/// Disables or enables an account; disabling signs it out.
///
/// # Errors
/// 404; 409 when it is so already.
pub fn set_active(tx: &mut Tx<'_>, id: &str, active: bool) -> Result<User> {
    let row = queries::user(tx.conn(), id)?.ok_or_else(refusals::not_found)?;
    let state = if active { ACTIVE } else { DISABLED };
    if row.state == state {
        return Err(refusals::state_forbids("账号状态未变。", "The account is in this state already.").into());
    }
    let kind = if active { "user.enabled" } else { "user.disabled" };
    let new = UserRow { state: state.into(), ..row.clone() };
    let (row, _) = tx.update(&row, new, Record::new(kind).org(row.org_id.clone()))?;
    let now = tx.now();
    tx.beside(|conn| changes::end_sessions_of(conn.get(), &row.id, now))?;
    user_view(&row)
}

/// Makes a one-time token with which the user sets a password. Returned once and stored only as a hash.
///
/// # Errors
/// 404.
pub fn issue_reset(tx: &mut Tx<'_>, id: &str) -> Result<String> {
    let row = queries::user(tx.conn(), id)?.ok_or_else(refusals::not_found)?;
    let token = random_token()?;
    let expires = tx.now().plus_millis(limits::RESET_TOKEN_MS);
    tx.note(
        &crate::kernel::id::random("rst"),
        Record::new("user.password_reset_issued").org(row.org_id.clone()).restricted("user", &row.id),
    )?;
    tx.beside(|conn| changes::store_reset(conn, &row.id, &token_hash(&token), expires))?;
    Ok(token)
}

/// Sets a password with a one-time token.
///
/// # Errors
/// 401 when the token is unknown, used or too old.
pub fn use_reset(tx: &mut Tx<'_>, token: &str, hash: &str) -> Result<()> {
    use crate::db::schema::reset_tokens::dsl;
    use diesel::prelude::*;
    let stored = token_hash(token);
    let found: Option<(String, i64, Option<i64>)> = dsl::reset_tokens
        .find(&stored)
        .select((dsl::user_id, dsl::expires_at, dsl::used_at))
        .first(tx.conn())
        .optional()?;
    let now = tx.now();
    let user_id = match found {
        Some((user, expires, None)) if now.millis() < expires => user,
        _ => return Err(refusals::session_ended().into()),
    };
    tx.note(&crate::kernel::id::random("rst"), Record::new("user.password_set").restricted("user", &user_id))?;
    tx.beside(|conn| {
        changes::use_reset(conn, &stored, now)?;
        changes::set_password(conn, &user_id, hash, now)
    })
}

/// An organisation as the API shows it.
///
/// # Errors
/// When what is stored cannot be read.
pub fn organisation_view(row: &OrganisationRow) -> Result<Organisation> {
    let damaged = |error: &dyn std::fmt::Display| Error::damaged(format!("organisation {}: {error}", row.id));
    Ok(Organisation {
        id: OrgId::parse(&row.id).map_err(|error| damaged(&error))?,
        state: row.state.clone(),
        name: row.name.clone(),
        identifier: OrgIdentifier::new(&row.scheme, &row.identifier).map_err(|error| damaged(&error))?,
    })
}

/// A user as the API shows it.
///
/// # Errors
/// When what is stored cannot be read.
pub fn user_view(row: &UserRow) -> Result<User> {
    let damaged = |error: &dyn std::fmt::Display| Error::damaged(format!("user {}: {error}", row.id));
    let body = queries::user_body(row)?;
    Ok(User {
        id: UserId::parse(&row.id).map_err(|error| damaged(&error))?,
        org_id: OrgId::parse(&row.org_id).map_err(|error| damaged(&error))?,
        state: row.state.clone(),
        login: row.login.clone(),
        name: body.name,
        email: body.email,
        roles: roles_of(&row.roles),
    })
}

fn to_json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::internal(error.to_string()))
}
