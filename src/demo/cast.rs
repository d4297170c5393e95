//! The people: staff, an initiator, an inspector, and bidders who register when they are first needed.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use super::custody::{Custody, Mode};
use super::{During, Result, say};
use crate::client::Client;
use crate::client::sealer::Sealer;
use crate::features::accounts::first::{FirstAdmin, make_first_admin};
use crate::features::accounts::ops::NewPerson;
use crate::kernel::org_identifier::OrgIdentifier;
use crate::seal::keys::{Algorithm, SigningKey, VerifyingKey};
use crate::stage::{Platform, StageError, parallel};

/// Scheme of the invented identifiers: the real bidders come from everywhere, and no register has all of them.
const SCHEME: &str = "X-DEMO";
/// Everybody's password: the directory and the server are gone in a moment.
pub const PASSWORD: &str = "demonstration-only";

/// The demonstration moves its clock by some months.
const MANDATE_SECONDS: i64 = 365 * 24 * 60 * 60;
/// The matter number for which the inspector looks.
pub const MATTER: &str = "DEMO-1";

/// Somebody who is signed in and signs.
pub struct Player {
    /// Signed in.
    pub client: Client,
    /// The signing key.
    pub key: SigningKey,
    /// The organisation.
    pub org: String,
    /// The organisation's name.
    pub name: String,
}

impl Player {
    /// Gets ready to seal for a lot.
    pub fn sealer(&self, lot: &str, cast: &Cast) -> Result<Sealer> {
        Sealer::prepare(&self.client, lot, &self.org, &cast.platform_key)
            .during(format!("{}: the key set of {lot}", self.name))
    }
}

/// Everybody.
pub struct Cast {
    /// The centre's staff.
    pub centre: Client,
    /// The inspector.
    pub inspector: Client,
    /// Whose procurements these are.
    pub initiator: Player,
    /// The platform's key.
    pub platform_key: VerifyingKey,
    /// The same as a verifier of receipts.
    pub verifier: String,
    /// To whom the contracts' bids are sealed.
    pub mode: Mode,
    /// The custodians, where there are some.
    pub custody: Option<Custody>,
    bidders: Mutex<HashMap<String, std::sync::Arc<Player>>>,
    count: AtomicU32,
    /// Acts with bids: who, and the entry.
    acts: Mutex<Vec<(String, String)>>,
}

fn identifier(id: &str) -> OrgIdentifier {
    OrgIdentifier::new(SCHEME, id).expect("the scheme is well-formed and the ids are a letter and digits")
}

fn person(login: &str, name: &str) -> NewPerson {
    NewPerson { login: login.into(), name: name.into(), email: format!("{login}@example.org") }
}

/// Signs in a user that the administrator made.
fn join(platform: &Platform, admin: &Client, user: &str, login: &str) -> Result<Client> {
    let client = platform.client();
    let token = admin.reset_token(user).during("a password token")?;
    client.set_password(&token, PASSWORD).during("a password")?;
    client.sign_in(login, PASSWORD).during(format!("{login} signs in"))?;
    Ok(client)
}

/// Registers an organisation, has it confirmed, signs in and registers a signing key.
fn register(platform: &Platform, centre: &Client, id: &str, name: &str, role: &str, login: &str) -> Result<Player> {
    let client = platform.client();
    let org = client
        .register_organisation(&identifier(id), name, role, login, PASSWORD)
        .during(format!("{name} registers"))?;
    centre.confirm_organisation(&org.id).during(format!("the centre confirms {name}"))?;
    let session = client.sign_in(login, PASSWORD).during(format!("{name} signs in"))?;
    let key = SigningKey::generate(Algorithm::EdDsa).map_err(StageError::of)?;
    client.register_key(&key, &session.user.id).during(format!("{name} registers a signing key"))?;
    Ok(Player { client, key, org: org.id, name: name.to_owned() })
}

/// Custodians, each of an institution of its own, with their tools set up.
fn custody(platform: &Platform, admin: &Client) -> Result<Custody> {
    let logins = Custody::logins();
    for (n, login) in logins.iter().enumerate() {
        let institution = format!("演示保管机构{n} (demonstration institution {n})");
        let user = admin
            .create_user_with_organisation(&identifier(&format!("K{n}")), &institution, login, login, &["custodian"])
            .during(format!("{login}'s account"))?;
        join(platform, admin, &user.id, login)?;
    }
    // What they believe is the public log, which has to have begun.
    platform.settle()?;
    Custody::assemble(platform, &logins)
}

impl Cast {
    /// Everybody but the bidders.
    pub fn assemble(platform: &Platform, mode: Mode) -> Result<Self> {
        let first = FirstAdmin {
            identifier: identifier("C1"),
            organisation: "演示交易中心 (demonstration centre)".into(),
            person: person("admin", "Administrator"),
        };
        let token = platform.commit("admin init", move |tx| make_first_admin(tx, &first))?;
        let admin = platform.client();
        admin.set_password(&token, PASSWORD).during("the administrator's password")?;
        let session = admin.sign_in("admin", PASSWORD).during("the administrator signs in")?;
        let centre = admin
            .create_user(&session.user.org_id, "centre", "Centre staff", &["centre"])
            .during("the centre's user")?;
        let centre = join(platform, &admin, &centre.id, "centre")?;
        let inspector = admin
            .create_user_with_organisation(
                &identifier("I1"),
                "演示监督部门 (demonstration inspectorate)",
                "inspector",
                "Inspector",
                &["inspector"],
            )
            .during("the inspector")?;
        let until = platform.now().plus_seconds(MANDATE_SECONDS);
        admin
            .grant_mandate(&inspector.id, MATTER, until, "Demonstration of supervision")
            .during("the inspector's mandate")?;
        let inspector = join(platform, &admin, &inspector.id, "inspector")?;
        let initiator =
            register(platform, &centre, "P1", "演示项目单位 (demonstration initiator)", "initiator", "initiator")?;
        let said = admin.platform_key().during("the platform's key")?;
        let custody = if mode.key_mode().needs_custodians() { Some(custody(platform, &admin)?) } else { None };
        say(
            "Administrator, centre, inspector and initiator have accounts; the initiator has registered, was confirmed and has a signing key.",
        );
        Ok(Self {
            platform_key: said.key().during("the platform's key")?,
            verifier: said.verifier,
            centre,
            inspector,
            initiator,
            mode,
            custody,
            bidders: Mutex::default(),
            count: AtomicU32::new(0),
            acts: Mutex::default(),
        })
    }

    /// Lets the bidders of these names register, several at a time; each name once.
    pub fn invite(&self, platform: &Platform, names: impl Iterator<Item = String>) -> Result<()> {
        let mut invited: Vec<(String, Result<()>)> =
            names.collect::<BTreeSet<_>>().into_iter().map(|name| (name, Ok(()))).collect();
        parallel::each(&mut invited, |(name, done)| *done = self.bidder(platform, name).map(drop));
        invited.into_iter().try_for_each(|(_, done)| done)
    }

    /// The bidder of that name: the same one in every lot.
    pub fn bidder(&self, platform: &Platform, name: &str) -> Result<std::sync::Arc<Player>> {
        if let Some(known) = self.bidders.lock().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Ok(known.clone());
        }
        let number = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        let (id, login) = (format!("B{number}"), format!("bidder{number}"));
        let shown: String = name.chars().filter(|c| !c.is_control()).take(crate::limits::NAME_LEN).collect();
        let player = std::sync::Arc::new(register(platform, &self.centre, &id, &shown, "bidder", &login)?);
        let mut known = self.bidders.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(known.entry(name.to_owned()).or_insert(player).clone())
    }

    /// Remembers an act with a bid, for which there will be a receipt.
    pub fn remember(&self, player: &str, entry: &str) {
        let act = (player.to_owned(), entry.to_owned());
        self.acts.lock().unwrap_or_else(PoisonError::into_inner).push(act);
    }

    /// Every act with a bid: who did it, and its entry.
    pub fn acts(&self) -> Vec<(std::sync::Arc<Player>, String)> {
        let known = self.bidders.lock().unwrap_or_else(PoisonError::into_inner);
        let by_name = |shown: &str| known.values().find(|player| player.name == shown).cloned();
        let acts = self.acts.lock().unwrap_or_else(PoisonError::into_inner);
        acts.iter().filter_map(|(player, entry)| Some((by_name(player)?, entry.clone()))).collect()
    }
}
