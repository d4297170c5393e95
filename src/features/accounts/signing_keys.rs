//! Signing keys: registered by a user for the organisation, with proof that the private half is in its hands.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::model::{ACTIVE, REVOKED, SigningKeyRow, SigningKeyView};
use super::queries;
use crate::kernel::id::{KeyId, OrgId, UserId};
use crate::ledger::{Error, Record, Result, Tx};
use crate::refusals;
use crate::seal::jws::Jws;
use crate::seal::keys::VerifyingKey;

/// `typ` of the proof of possession.
pub const PROOF_TYP: &str = "sealbid-key-proof+jws";

/// What the proof signs.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyProof {
    /// `sealbid/1`.
    pub v: String,
    /// The user who registers the key: a proof cannot be used by another.
    pub user: UserId,
    /// `EdDSA` (Ed25519) or `ES256` (P-256).
    pub alg: String,
    /// The public key, base64url: 32 bytes for Ed25519, 65 uncompressed for P-256.
    pub public_key: String,
}

/// A key read from its proof.
#[derive(Clone, Debug)]
pub struct ProvenKey {
    pub(super) alg: String,
    pub(super) public_key: String,
    pub(super) kid: String,
}

/// Checks a proof of possession: the key it names has signed it, for this user.
///
/// # Errors
/// 422 `key-proof-invalid`, saying what does not fit.
pub fn check_proof(proof: &serde_json::Value, user: &UserId) -> Result<ProvenKey> {
    check_proof_as(proof, PROOF_TYP, user)
}

/// As [`check_proof`], for a key with another purpose, which its `typ` names.
///
/// # Errors
/// As [`check_proof`].
pub fn check_proof_as(proof: &serde_json::Value, typ: &'static str, user: &UserId) -> Result<ProvenKey> {
    let jws = Jws::from_value(proof, typ).map_err(|error| refusals::key_proof_invalid(error.reason()))?;
    let said: KeyProof =
        serde_json::from_slice(jws.payload()).map_err(|error| refusals::key_proof_invalid(&error.to_string()))?;
    if said.v != "sealbid/1" || said.user != *user {
        return Err(refusals::key_proof_invalid("v must be sealbid/1 and user the signed-in user").into());
    }
    let key = VerifyingKey::parse(&said.alg, &said.public_key)
        .map_err(|error| refusals::key_proof_invalid(error.reason()))?;
    jws.verify(&key).map_err(|error| refusals::key_proof_invalid(error.reason()))?;
    Ok(ProvenKey { alg: said.alg, public_key: said.public_key, kid: key.key_id().to_string() })
}

/// Registers a proven key for the caller's organisation.
///
/// # Errors
/// 409 when the key is registered already.
pub fn register(tx: &mut Tx<'_>, user: &UserId, org: &OrgId, key: &ProvenKey) -> Result<SigningKeyView> {
    if queries::signing_key(tx.conn(), &key.kid)?.is_some()
        || queries::service_client_by_key(tx.conn(), &key.kid)?.is_some()
    {
        return Err(refusals::taken("该公钥", "This key").into());
    }
    let row = SigningKeyRow {
        id: KeyId::ordered(tx.now()).into_string(),
        version: 0,
        state: ACTIVE.into(),
        kid: key.kid.clone(),
        org_id: org.to_string(),
        user_id: user.to_string(),
        alg: key.alg.clone(),
        public_key: key.public_key.clone(),
    };
    let (row, _) =
        tx.insert(row, Record::new("signing_key.registered").public("kid", &key.kid).public("alg", &key.alg))?;
    view(&row)
}

/// Revokes a key: nothing new is accepted with it, what it signed stays valid.
///
/// # Errors
/// 404 for somebody else's key; 409 when it is revoked already.
pub fn revoke(tx: &mut Tx<'_>, id: &str, org: Option<&OrgId>) -> Result<SigningKeyView> {
    let row = queries::signing_key_by_id(tx.conn(), id)?
        .filter(|row| org.is_none_or(|org| row.org_id == org.as_str()))
        .ok_or_else(refusals::not_found)?;
    if row.state == REVOKED {
        return Err(refusals::state_forbids("该公钥已撤销。", "The key is revoked already.").into());
    }
    let new = SigningKeyRow { state: REVOKED.into(), ..row.clone() };
    let (row, _) =
        tx.update(&row, new, Record::new("signing_key.revoked").org(row.org_id.clone()).public("kid", &row.kid))?;
    view(&row)
}

/// A key as the API shows it.
///
/// # Errors
/// When what is stored cannot be read.
pub fn view(row: &SigningKeyRow) -> Result<SigningKeyView> {
    Ok(SigningKeyView {
        id: row.id.clone(),
        kid: row.kid.clone(),
        state: row.state.clone(),
        org_id: OrgId::parse(&row.org_id).map_err(|error| Error::damaged(error.to_string()))?,
        alg: row.alg.clone(),
        public_key: row.public_key.clone(),
    })
}

/// The active keys of an organisation with these key ids, in their order; `None` where it has no such key.
///
/// # Errors
/// The database's, or damage.
pub fn active_keys(conn: &mut crate::db::Conn, org: &OrgId, kids: &[String]) -> Result<Vec<Option<VerifyingKey>>> {
    let mut rows = queries::signing_keys(conn, kids)?;
    rows.retain(|row| row.state == ACTIVE && row.org_id == org.as_str());
    kids.iter().map(|kid| rows.iter().find(|row| row.kid == *kid).map(verifying_key).transpose()).collect()
}

fn verifying_key(row: &SigningKeyRow) -> Result<VerifyingKey> {
    VerifyingKey::parse(&row.alg, &row.public_key)
        .map_err(|error| Error::damaged(format!("key {}: {}", row.id, error.reason())))
}
