//! The people of a drill, put into the database before the first server is killed, and how patient they are.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::clock::ShiftedClock;
use super::fleet::Fleet;
use super::ground::Ground;
use super::{DrillError, Result, broken};
use crate::client::{Client, ClientError, key_proof};
use crate::clock::Clock;
use crate::features::accounts::model::CONFIRMED;
use crate::features::accounts::ops::{self, NewPerson};
use crate::features::accounts::{passwords, signing_keys};
use crate::kernel::id::{OrgId, UserId};
use crate::kernel::org_identifier::OrgIdentifier;
use crate::kernel::role::Role;
use crate::kernel::secret::Secret;
use crate::ledger::{self, Context, Error, Ledger, Tx};
use crate::seal::keys::{Algorithm, SigningKey};

/// Everybody's password: the servers are gone in a moment.
const PASSWORD: &str = "drilled on this machine only";
/// Scheme of the invented identifiers.
const SCHEME: &str = "X-DRILL";
/// How long a person asks again while servers are killed and come back.
const PATIENCE: Duration = Duration::from_secs(90);

/// Somebody with an account.
pub struct Person {
    /// The name to sign in with.
    pub login: String,
    /// The organisation.
    pub org_id: String,
    /// The address for messages.
    pub email: String,
    /// The signing key.
    pub key: SigningKey,
    /// A client of each server, signed in; the preferred one first.
    clients: OnceLock<Vec<Client>>,
}

impl Person {
    /// A client of each server; none before signing in.
    fn clients(&self) -> &[Client] {
        self.clients.get().map_or(&[], Vec::as_slice)
    }

    /// Asks the server that is least preferred, once.
    ///
    /// # Errors
    /// The answer, where it is a refusal, or that there was none.
    pub fn ask_elsewhere<T>(&self, call: impl Fn(&Client) -> crate::client::Result<T>) -> crate::client::Result<T> {
        self.clients().last().map_or_else(|| Err(not_signed_in()), call)
    }

    /// Asks until there is an answer, of one server or another.
    ///
    /// # Errors
    /// The answer, where it is a refusal; what went wrong last when patience ends.
    pub fn insist<T>(&self, call: impl Fn(&Client) -> crate::client::Result<T>) -> crate::client::Result<T> {
        let began = Instant::now();
        let mut turn = 0;
        loop {
            let clients = self.clients();
            let client = clients.get(turn % clients.len().max(1)).ok_or_else(not_signed_in)?;
            match call(client) {
                Err(error) if is_passing(&error) && began.elapsed() < PATIENCE => turn += 1,
                answered => return answered,
            }
        }
    }
}

fn not_signed_in() -> ClientError {
    ClientError::Line("nobody signed in".into())
}

/// Whether the same request may be answered otherwise in a moment.
fn is_passing(error: &ClientError) -> bool {
    match error {
        ClientError::Line(_) => true,
        ClientError::Problem(problem) => problem.status >= 500 || matches!(problem.status, 401 | 408 | 429),
        _ => false,
    }
}

/// Everybody.
pub struct People {
    /// The centre's staff.
    pub centre: Person,
    /// Whose procurements these are.
    pub initiator: Person,
    /// The bidders.
    pub bidders: Vec<Person>,
    /// Who keep shares of a key.
    pub custodians: Vec<Person>,
}

impl People {
    /// Writes everybody into a migrated database that no server uses, and signs nobody in yet.
    ///
    /// # Errors
    /// The database's.
    pub fn hire(ground: &Ground, bidders: usize, custodians: usize) -> Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(ShiftedClock::new(0));
        let ledger = Ledger::start(&ground.url(), clock.clone());
        let hash = passwords::hash_blocking(&Secret::new(PASSWORD.to_owned())).map_err(broken)?;
        let hire = |login: String, role: Role| {
            let key = SigningKey::generate(Algorithm::EdDsa).map_err(broken)?;
            let pem = key.to_pem().expose().clone();
            let (context, hash) = (Context::system(clock.now(), "drill"), hash.clone());
            let email = format!("{login}@drill.example");
            let (name, mail) = (login.clone(), email.clone());
            let work = move |tx: &mut Tx<'_>| hire_one(tx, &name, &mail, role, &hash, &pem);
            let org_id = ledger.commit_blocking(context, work).map_err(broken)?;
            Ok(Person { login, org_id, email, key, clients: OnceLock::new() })
        };
        let several = |name: &str, role: Role, count: usize| {
            (1..=count).map(|n| hire(format!("{name}{n}"), role)).collect::<Result<Vec<Person>>>()
        };
        let people = (|| {
            Ok(Self {
                centre: hire("centre".into(), Role::Centre)?,
                initiator: hire("initiator".into(), Role::Initiator)?,
                bidders: several("bidder", Role::Bidder, bidders)?,
                custodians: several("custodian", Role::Custodian, custodians)?,
            })
        })();
        ledger.stop();
        people
    }

    /// Signs everybody in at every server.
    ///
    /// # Errors
    /// When a server does not let somebody in.
    pub fn sign_in(&self, fleet: &Fleet) -> Result<()> {
        let bases = fleet.bases();
        let everybody = [&self.centre, &self.initiator].into_iter().chain(&self.bidders).chain(&self.custodians);
        for (n, person) in everybody.enumerate() {
            let mut clients = Vec::new();
            for turn in 0..bases.len() {
                let client = Client::new(&bases[(n + turn) % bases.len()]);
                client
                    .sign_in(&person.login, PASSWORD)
                    .map_err(|error| DrillError::Wrong(format!("{} cannot sign in: {error}", person.login)))?;
                clients.push(client);
            }
            // Nobody signs in twice.
            let _ = person.clients.set(clients);
        }
        Ok(())
    }
}

fn hire_one(tx: &mut Tx<'_>, login: &str, email: &str, role: Role, hash: &str, pem: &str) -> ledger::Result<String> {
    let wrong = |error: &dyn std::fmt::Display| Error::internal(error.to_string());
    let identifier = OrgIdentifier::new(SCHEME, login).map_err(|error| wrong(&error))?;
    let org = ops::insert_organisation(tx, &identifier, &format!("{login} Ltd"), email, CONFIRMED)?;
    let person = NewPerson { login: login.to_owned(), name: login.to_owned(), email: email.to_owned() };
    let user = ops::insert_user(tx, &org.id, &person, &[role], Some(hash))?;
    let user_id = UserId::parse(&user.id).map_err(|error| wrong(&error))?;
    let org_id = OrgId::parse(&org.id).map_err(|error| wrong(&error))?;
    let key = SigningKey::from_pem(pem).map_err(|error| wrong(&error))?;
    let proof = key_proof(&key, &user.id).map_err(|error| wrong(&error))?;
    let proven = signing_keys::check_proof(&proof["proof"], &user_id)?;
    signing_keys::register(tx, &user_id, &org_id, &proven)?;
    Ok(org.id)
}
