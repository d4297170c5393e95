//! Calls about organisations, users and keys.

use serde_json::json;

use super::error::{ClientError, Result};
use super::http::Client;
use super::wire::{Made, Organisation, Page, PlatformKey, User};
use crate::kernel::org_identifier::OrgIdentifier;
use crate::kernel::time::Timestamp;
use crate::seal::jws::Jws;
use crate::seal::keys::{SigningKey, VerifyingKey};

/// `typ` of the proof that a signing key is in one's hands.
const PROOF_TYP: &str = "sealbid-key-proof+jws";

/// Makes the proof that `user` holds `key`, as the body of a registration.
///
/// # Errors
/// When the system gives no random numbers.
pub fn key_proof(key: &SigningKey, user: &str) -> Result<serde_json::Value> {
    let public = key.verifying_key();
    let said = json!({ "v": crate::seal::VERSION, "user": user, "alg": public.algorithm().name(), "public_key": public.to_base64url() });
    let jws =
        Jws::sign(key, PROOF_TYP, said.to_string().as_bytes()).map_err(|error| ClientError::Seal(error.to_string()))?;
    let jws = serde_json::to_value(jws).map_err(|error| ClientError::Seal(error.to_string()))?;
    Ok(json!({ "proof": jws }))
}

impl Client {
    /// The signed-in user.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn me(&self) -> Result<User> {
        self.get("/v1/me")
    }

    /// Registers an organisation with its first user, who signs in as `login`.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn register_organisation(
        &self,
        identifier: &OrgIdentifier,
        name: &str,
        role: &str,
        login: &str,
        password: &str,
    ) -> Result<Organisation> {
        let email = format!("{login}@example.org");
        let user = json!({ "login": login, "name": name.chars().take(100).collect::<String>(), "email": email });
        self.post(
            "/v1/organisations",
            &json!({ "identifier": identifier, "name": name, "role": role, "user": user, "password": password }),
        )
    }

    /// Confirms a registration, as the centre.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn confirm_organisation(&self, org: &str) -> Result<Organisation> {
        self.act(&format!("/v1/organisations/{org}/actions/confirm"))
    }

    /// Makes a user of an organisation that exists, as an administrator.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn create_user(&self, org: &str, login: &str, name: &str, roles: &[&str]) -> Result<User> {
        let user = json!({ "login": login, "name": name, "email": format!("{login}@example.org") });
        self.post("/v1/users", &json!({ "user": user, "roles": roles, "org_id": org }))
    }

    /// Makes a user with an organisation of its own, as an administrator.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn create_user_with_organisation(
        &self,
        identifier: &OrgIdentifier,
        org: &str,
        login: &str,
        name: &str,
        roles: &[&str],
    ) -> Result<User> {
        let user = json!({ "login": login, "name": name, "email": format!("{login}@example.org") });
        self.post(
            "/v1/users",
            &json!({ "user": user, "roles": roles, "organisation": { "identifier": identifier, "name": org } }),
        )
    }

    /// Grants an inspector a mandate for every lot, as an administrator.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn grant_mandate(&self, inspector: &str, matter: &str, until: Timestamp, reason: &str) -> Result<Made> {
        let mandate =
            json!({ "user_id": inspector, "reach": "all", "matter": matter, "until": until, "reason": reason });
        self.post("/v1/inspection/mandates", &mandate)
    }

    /// Makes a one-time token with which a user sets a password, as an administrator.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn reset_token(&self, user: &str) -> Result<String> {
        #[derive(serde::Deserialize)]
        struct Token {
            token: String,
        }
        let token: Token = self.post_bare(&format!("/v1/users/{user}/actions/reset-password"), &json!({}))?.json()?;
        Ok(token.token)
    }

    /// Sets a password with a one-time token.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn set_password(&self, token: &str, password: &str) -> Result<()> {
        self.post_bare("/v1/password-resets", &json!({ "token": token, "password": password })).map(drop)
    }

    /// Registers a signing key of the signed-in user's organisation, with its proof.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn register_key(&self, key: &SigningKey, user: &str) -> Result<Made> {
        self.post("/v1/signing-keys", &key_proof(key, user)?)
    }

    /// The organisations that wait for the centre; the first hundred.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn pending_organisations(&self) -> Result<Page<Organisation>> {
        self.get("/v1/organisations?state=pending&limit=100")
    }

    /// The platform's key, as the server names it: to be compared with one from elsewhere.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn platform_key(&self) -> Result<PlatformKey> {
        self.get("/v1/platform-key")
    }
}

impl PlatformKey {
    /// The key itself.
    ///
    /// # Errors
    /// When it is none.
    pub fn key(&self) -> Result<VerifyingKey> {
        VerifyingKey::parse(&self.alg, &self.public_key)
            .map_err(|error| ClientError::Answer(format!("platform key: {}", error.reason())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::keys::Algorithm;

    #[test]
    fn a_proof_is_signed_by_the_key_it_names_for_one_user() {
        for algorithm in [Algorithm::EdDsa, Algorithm::Es256] {
            let key = SigningKey::generate(algorithm).expect("random numbers");
            let body = key_proof(&key, "usr-1").expect("a proof");
            let jws = Jws::from_value(&body["proof"], PROOF_TYP).expect("a signed object");
            jws.verify(key.verifying_key()).expect("its own signature");
            let said: serde_json::Value = serde_json::from_slice(jws.payload()).expect("JSON");
            assert_eq!(said["user"], "usr-1");
            assert_eq!(said["public_key"], key.verifying_key().to_base64url());
        }
    }
}
