//! Sessions: a short access token, and a refresh token that changes at every use.
//!
//! A refresh token stays good for [`limits::REFRESH_GRACE_MS`] after its first use and returns the same successor, so
//! that an answer lost on the way does not end a session. A use after that means that two parties have the token: the
//! session ends for both. Tokens are stored as hashes; a successor is stored encrypted for the time of its grace.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use diesel::prelude::*;
use ring::rand::{SecureRandom, SystemRandom};

use super::changes::{self, RefreshRow};
use super::model::{ACTIVE, UserRow};
use super::{queries, staff};
use crate::app::App;
use crate::db::schema::refresh_tokens;
use crate::kernel::digest::sha256;
use crate::kernel::encoding::base64url;
use crate::kernel::id::SessionId;
use crate::kernel::network::Network;
use crate::kernel::secret::Secret;
use crate::kernel::time::Timestamp;
use crate::keys::Keys;
use crate::ledger::{Context, Error, Result, Tx};
use crate::limits;
use crate::refusals;

/// A session just started or carried on.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The user.
    pub user: UserRow,
    /// The session.
    pub session_id: String,
    /// The new refresh token.
    pub refresh_token: String,
}

/// A random one-time or refresh token: 256 bits, base64url.
///
/// # Errors
/// When the system gives no random numbers.
pub fn random_token() -> Result<String> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::internal("the system gives no random numbers"))?;
    Ok(base64url(&bytes))
}

/// What is stored of a token.
pub fn token_hash(token: &str) -> String {
    sha256(token.as_bytes()).to_string()
}

/// Signs a user in who asks from `network`.
///
/// # Errors
/// `login-failed` whatever it was that did not fit; `sign-in-paused` and `rate-limited` as [`super::attempts`] has it.
pub async fn sign_in(
    app: &App,
    login: String,
    password: Secret<String>,
    network: Network,
    context: Context,
) -> Result<Opened> {
    let attempt = app.attempts.begin(&app.rates, &login, network, context.received_at)?;
    // Nobody has a password so long, and hashing must not become a way to keep the server busy.
    if password.expose().len() > limits::PASSWORD_MAX * 4 {
        return Err(refusals::login_failed().into());
    }
    let (user, stored) = app
        .reader
        .read(move |conn| {
            let user = queries::user_by_login(conn, &login)?;
            let stored = match &user {
                Some(user) => queries::password_hash(conn, &user.id)?,
                None => None,
            };
            Ok((user, stored))
        })
        .await?;
    let fits = super::passwords::verify(app, password, stored).await?;
    let Some(user) = user else { return Err(refusals::login_failed().into()) };
    if !fits || user.state != ACTIVE {
        if staff::is_staff(&user) {
            // Not waited for: whether a login exists must not show in the time of the answer.
            app.ledger.commit_later(context, move |tx| staff::refused(tx, &user))?;
        }
        return Err(refusals::login_failed().into());
    }
    app.attempts.succeeded(&app.rates, attempt);
    app.ledger.commit_beside(staff::proven(context, &user), move |tx| start(tx, &user)).await
}

fn start(tx: &mut Tx<'_>, user: &UserRow) -> Result<Opened> {
    let now = tx.now();
    let id = SessionId::ordered(now).into_string();
    let token = random_token()?;
    let row = fresh(&token, &id, now);
    let until = now.plus_millis(limits::SESSION_MS);
    tx.beside(|conn| changes::start_session(conn, &id, &user.id, until, &row))?;
    staff::started(tx, user, &id, until)?;
    Ok(Opened { user: user.clone(), session_id: id, refresh_token: token })
}

fn fresh(token: &str, session_id: &str, now: Timestamp) -> RefreshRow {
    RefreshRow {
        hash: token_hash(token),
        session_id: session_id.to_owned(),
        issued_at: now.millis(),
        used_at: None,
        successor: None,
        expires_at: now.plus_millis(limits::REFRESH_TOKEN_MS).millis(),
    }
}

enum Refreshed {
    Opened(Box<Opened>),
    /// The session was ended just now, which must be kept although the caller is refused.
    Ended,
}

/// Carries a session on.
///
/// # Errors
/// `session-ended` when the token is unknown, too old, or was used before.
pub async fn refresh(app: &App, token: String, context: Context) -> Result<Opened> {
    let keys = app.keys.clone();
    match app.ledger.commit_beside(context, move |tx| carry_on(tx, &keys, &token)).await? {
        Refreshed::Opened(opened) => Ok(*opened),
        Refreshed::Ended => Err(refusals::session_ended().into()),
    }
}

fn carry_on(tx: &mut Tx<'_>, keys: &Keys, token: &str) -> Result<Refreshed> {
    let now = tx.now();
    let hash = token_hash(token);
    let row: RefreshRow = refresh_tokens::table
        .find(&hash)
        .select(RefreshRow::as_select())
        .first(tx.conn())
        .optional()?
        .ok_or_else(refusals::session_ended)?;
    if now.millis() >= row.expires_at || !queries::session_is_open(tx.conn(), &row.session_id, now.millis())? {
        return Err(refusals::session_ended().into());
    }
    let user_id: String = {
        use crate::db::schema::sessions;
        sessions::table.find(&row.session_id).select(sessions::user_id).first(tx.conn())?
    };
    let user =
        queries::user(tx.conn(), &user_id)?.filter(|user| user.state == ACTIVE).ok_or_else(refusals::session_ended)?;
    let refresh_token = match (row.used_at, &row.successor) {
        (None, _) => {
            let successor = random_token()?;
            let sealed = STANDARD
                .encode(keys.wrap(successor.as_bytes(), &hash).map_err(|error| Error::internal(error.to_string()))?);
            let next = fresh(&successor, &row.session_id, now);
            tx.beside(|conn| changes::rotate(conn, &hash, &sealed, &next))?;
            successor
        }
        (Some(used), Some(sealed)) if now.millis() < used + limits::REFRESH_GRACE_MS => {
            open_successor(keys, sealed, &hash)?
        }
        _ => {
            tx.beside(|conn| changes::end_session(conn, &row.session_id, now))?;
            staff::ended(tx, &user_id, &row.session_id, "refresh token used twice")?;
            return Ok(Refreshed::Ended);
        }
    };
    Ok(Refreshed::Opened(Box::new(Opened { user, session_id: row.session_id, refresh_token })))
}

fn open_successor(keys: &Keys, sealed: &str, hash: &str) -> Result<String> {
    let damaged = || Error::damaged("a stored refresh token");
    let wrapped = STANDARD.decode(sealed).map_err(|_| damaged())?;
    let plain = keys.unwrap(&wrapped, hash).map_err(|_| damaged())?;
    String::from_utf8(plain.expose().clone()).map_err(|_| damaged())
}

/// Ends the caller's session.
///
/// # Errors
/// The ledger's.
pub async fn sign_out(app: &App, session_id: String, context: Context) -> Result<()> {
    app.ledger
        .commit_beside(context, move |tx| {
            let now = tx.now();
            tx.beside(|conn| changes::end_session(conn, &session_id, now))?;
            match &tx.context().actor_id {
                Some(user) => staff::ended(tx, user, &session_id, "signed out"),
                None => Ok(()),
            }
        })
        .await
}
