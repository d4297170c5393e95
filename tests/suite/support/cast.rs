//! The people of every test, made once for each database: hashing passwords is slow on purpose.

use std::collections::BTreeSet;
use std::sync::Arc;

use sealbid::clock::{Clock, ManualClock};
use sealbid::db::DbUrl;
use sealbid::features::accounts::model::CONFIRMED;
use sealbid::features::accounts::ops::{self, NewPerson};
use sealbid::features::accounts::{passwords, signing_keys};
use sealbid::features::mandates::model::{NewMandate, Reach};
use sealbid::features::mandates::ops::grant;
use sealbid::kernel::id::{OrgId, UserId};
use sealbid::kernel::org_identifier::OrgIdentifier;
use sealbid::kernel::role::Role;
use sealbid::kernel::secret::Secret;
use sealbid::kernel::time::Timestamp;
use sealbid::ledger::{Context, Ledger, Result, Tx};
use sealbid::seal::jws::Jws;
use sealbid::seal::keys::{Algorithm, SigningKey};
use serde_json::json;

use super::custody::CUSTODIANS;

/// The password of everybody.
pub const PASSWORD: &str = "correct horse battery";
/// The matter number for which the inspector may look into everything.
pub const MATTER: &str = "JD-2026-1";
/// Bidders, each of an organisation of its own.
pub const BIDDERS: usize = 8;

/// Monday, 2 March 2026, nine o'clock in China: every test begins here.
pub fn start() -> Timestamp {
    Timestamp::parse("2026-03-02T01:00:00.000Z").expect("a time")
}

/// One person with its organisation.
#[derive(Clone, Debug)]
pub struct Member {
    pub login: String,
    pub user_id: String,
    pub org_id: String,
    /// As stored: names, separated by commas.
    pub roles: String,
    /// The private half of the registered signing key.
    pub pem: String,
}

/// Makes everybody in the database at `url`.
pub fn hire(url: &DbUrl) -> Vec<Member> {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(start()));
    let ledger = Ledger::start(url, clock);
    let hash = passwords::hash_blocking(&Secret::new(PASSWORD.to_owned())).expect("hashed");
    let mut plan = vec![
        ("admin".to_owned(), Role::Admin),
        ("centre".to_owned(), Role::Centre),
        ("inspector".to_owned(), Role::Inspector),
    ];
    plan.extend((1..=2).map(|n| (format!("initiator{n}"), Role::Initiator)));
    plan.extend((1..=CUSTODIANS).map(|n| (format!("custodian{n}"), Role::Custodian)));
    plan.extend((1..=BIDDERS).map(|n| (format!("bidder{n}"), Role::Bidder)));
    let cast = plan
        .into_iter()
        .enumerate()
        .map(|(n, (login, role))| {
            let key = SigningKey::generate(if n % 2 == 0 { Algorithm::EdDsa } else { Algorithm::Es256 })
                .expect("random numbers");
            let pem = key.to_pem().expose().clone();
            let hash = hash.clone();
            let context = Context::system(start(), "cast");
            let member = ledger.commit_blocking(context, move |tx| hire_one(tx, n, &login, role, &hash, &pem, None));
            member.expect("hired")
        })
        .collect();
    let mut cast: Vec<Member> = cast;
    let body = cast.iter().find(|member| member.login == "inspector").expect("hired").org_id.clone();
    for (login, org) in [("inspector2", Some(body)), ("inspector3", None)] {
        let (n, hash, context) = (cast.len(), hash.clone(), Context::system(start(), "cast"));
        let pem = SigningKey::generate(Algorithm::EdDsa).expect("random numbers").to_pem().expose().clone();
        let hired = ledger
            .commit_blocking(context, move |tx| hire_one(tx, n, login, Role::Inspector, &hash, &pem, org.as_deref()));
        cast.push(hired.expect("hired"));
    }
    let inspector = cast.iter().find(|member| member.login == "inspector").expect("hired").user_id.clone();
    let mandate = NewMandate {
        user_id: UserId::parse(&inspector).expect("an id"),
        reach: Reach::All,
        lots: BTreeSet::new(),
        matter: MATTER.to_owned(),
        from: None,
        until: start().plus_seconds(300 * 24 * 60 * 60),
        reason: "Every test may look".to_owned(),
    };
    ledger.commit_blocking(Context::system(start(), "cast"), move |tx| grant(tx, &mandate)).expect("granted");
    ledger.stop();
    cast
}

/// Makes one of them, in an organisation that is there or in one of its own.
fn hire_one(
    tx: &mut Tx<'_>,
    n: usize,
    login: &str,
    role: Role,
    hash: &str,
    pem: &str,
    org: Option<&str>,
) -> Result<Member> {
    let identifier = OrgIdentifier::new("X-TEST", &format!("TEST-{n}")).expect("a plain identifier");
    let email = format!("{login}@example.org");
    let org = match org {
        Some(org) => org.to_owned(),
        None => ops::insert_organisation(tx, &identifier, &format!("{login} Ltd"), &email, CONFIRMED)?.id,
    };
    let person = NewPerson { login: login.to_owned(), name: format!("Person {login}"), email };
    let user = ops::insert_user(tx, &org, &person, &[role], Some(hash))?;
    let (user_id, org_id) = (UserId::parse(&user.id).expect("an id"), OrgId::parse(&org).expect("an id"));
    let key = SigningKey::from_pem(pem).expect("just made");
    let proven = signing_keys::check_proof(&key_proof(&key, &user.id), &user_id)?;
    signing_keys::register(tx, &user_id, &org_id, &proven)?;
    Ok(Member { login: login.to_owned(), user_id: user.id, org_id: org, roles: user.roles, pem: pem.to_owned() })
}

/// The proof that `user` holds `key`.
pub fn key_proof(key: &SigningKey, user: &str) -> serde_json::Value {
    let public = key.verifying_key();
    let said = json!({ "v": "sealbid/1", "user": user, "alg": public.algorithm().name(), "public_key": public.to_base64url() });
    let jws = Jws::sign(key, signing_keys::PROOF_TYP, said.to_string().as_bytes()).expect("random numbers");
    serde_json::from_str(&jws.to_json()).expect("JSON")
}
