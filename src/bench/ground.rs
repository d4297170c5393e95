//! What is measured on: a platform with bidders, published lots, and bids that are sealed, uploaded and ready to be
//! submitted.
//!
//! People and uploads are put there through the same use cases as over HTTP, only without HTTP, so that a run is about
//! what it measures and not about its preparation. Lots are registered, reviewed and published over HTTP.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde_json::{Value, json};

use super::{BenchError, Result};
use crate::app::App;
use crate::client::sealer::{Sealer, envelope_json};
use crate::client::{act, key_proof, new_key};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::demo::cast::Cast;
use crate::demo::custody::Mode;
use crate::features::accounts::model::CONFIRMED;
use crate::features::accounts::ops::{NewPerson, insert_organisation, insert_user};
use crate::features::accounts::signing_keys;
use crate::features::uploads::model::{NewUpload, Purpose};
use crate::features::uploads::{ops, queries, storage};
use crate::kernel::digest::sha256;
use crate::kernel::id::{OrgId, UserId};
use crate::kernel::org_identifier::OrgIdentifier;
use crate::kernel::principal::PrincipalId;
use crate::kernel::role::{Actor, Role};
use crate::ledger::{Error, Failure};
use crate::seal::envelope::Part;
use crate::seal::keys::{Algorithm, SigningKey};
use crate::seal::manifest::BidJson;
use crate::seal::part_writer::describe;
use crate::seal::sealing::SealedPayload;
use crate::stage::{Platform, Scratch, parallel};

/// Uploads that are stored at the same time while the ground is prepared.
const UPLOADING: usize = 64;
/// Organisations that are made in one use case.
const TOGETHER: usize = 100;
/// How often a step is tried again while the platform is busy, and the pause before it.
const TRIES: usize = 100;
/// See [`TRIES`].
const PAUSE: Duration = Duration::from_millis(50);
/// A day in milliseconds.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Days for which documents are issued.
const DAYS_OF_ISSUE: i64 = 6;
/// Days from a notice to its deadline.
const DAYS_TO_DEADLINE: i64 = 21;

/// An organisation that bids.
pub struct Bidder {
    /// The organisation.
    pub org: OrgId,
    /// Its user.
    pub user: UserId,
    /// Its signing key.
    pub key: Arc<SigningKey>,
}

impl Bidder {
    /// As the rules see it.
    pub fn actor(&self) -> Actor {
        let user_id = PrincipalId::Person(self.user.clone());
        Actor::User { user_id, org_id: self.org.clone(), roles: vec![Role::Bidder] }
    }
}

/// A lot that accepts bids.
pub struct OpenLot {
    /// The lot.
    pub id: String,
    /// For bidders to seal with.
    pub sealer: Sealer,
}

/// A bid that lacks nothing but its submission.
pub struct ReadyBid {
    /// The lot, by its place.
    pub lot: usize,
    /// The bidder, by its place.
    pub bidder: usize,
    /// The signed headers.
    pub envelopes: Vec<Value>,
    /// The bidder's own key sets, where the lot's key mode asks for them.
    pub key_sets: Vec<Value>,
}

/// The parts of a bid: a price, and documents of so many bytes where there are any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Bytes of the one file of the documents; 0 for none.
    pub document_bytes: usize,
}

/// A platform with people and lots.
pub struct Ground {
    /// The platform.
    pub platform: Platform,
    /// Staff and initiator.
    pub cast: Cast,
    /// Bidders.
    pub bidders: Vec<Bidder>,
    /// Lots.
    pub lots: Vec<OpenLot>,
    runtime: tokio::runtime::Runtime,
}

impl Ground {
    /// Puts up a platform on a database (`None`: SQLite in its own directory) with so many bidders and lots.
    ///
    /// # Errors
    /// When something cannot be put up.
    pub fn lay(database: Option<String>, bidders: usize, lots: usize) -> Result<Self> {
        Self::lay_with(database, bidders, lots, |_| ())
    }

    /// As [`Ground::lay`], with another configuration.
    ///
    /// # Errors
    /// When something cannot be put up.
    pub fn lay_with(
        database: Option<String>,
        bidders: usize,
        lots: usize,
        change: impl FnOnce(&mut Config),
    ) -> Result<Self> {
        let platform = Platform::start_with(|config| {
            on(config, database);
            change(config);
        });
        Self::lay_on(platform.map_err(BenchError::of)?, bidders, &vec![Mode::default(); lots])
    }

    /// As [`Ground::lay`], with a lot for each of these key modes.
    ///
    /// # Errors
    /// When something cannot be put up.
    pub fn lay_in(database: Option<String>, bidders: usize, modes: &[Mode]) -> Result<Self> {
        let platform = Platform::start_with(|config| on(config, database)).map_err(BenchError::of)?;
        Self::lay_on(platform, bidders, modes)
    }

    /// As [`Ground::lay`], with the day and hour of today, for a server that reads the computer's clock.
    ///
    /// # Errors
    /// When something cannot be put up.
    pub fn lay_now(database: Option<String>, bidders: usize, lots: usize) -> Result<Self> {
        let platform = Platform::start_at(SystemClock.now(), |config| on(config, database)).map_err(BenchError::of)?;
        Self::lay_on(platform, bidders, &vec![Mode::default(); lots])
    }

    fn lay_on(platform: Platform, bidders: usize, lots: &[Mode]) -> Result<Self> {
        let held = lots.iter().find(|mode| mode.key_mode().needs_custodians());
        let cast = Cast::assemble(&platform, held.copied().unwrap_or_default()).map_err(BenchError::of)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(BenchError::of)?;
        let mut ground = Self { platform, cast, bidders: Vec::new(), lots: Vec::new(), runtime };
        ground.invite(bidders)?;
        ground.publish(lots)?;
        Ok(ground)
    }

    /// Where the server listens.
    ///
    /// # Errors
    /// None in practice: the platform listens on an address of its own.
    pub fn address(&self) -> Result<SocketAddr> {
        self.platform.app().config.server.bind.parse().map_err(BenchError::of)
    }

    /// The platform's parts.
    pub fn app(&self) -> web::Data<App> {
        self.platform.app().clone()
    }

    /// Runs something that waits.
    pub fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    fn invite(&mut self, count: usize) -> Result<()> {
        for first in (0..count).step_by(TOGETHER) {
            let numbers = first..count.min(first + TOGETHER);
            let keys: Vec<Arc<SigningKey>> = numbers
                .clone()
                .map(|_| SigningKey::generate(Algorithm::EdDsa).map(Arc::new).map_err(BenchError::of))
                .collect::<Result<_>>()?;
            let mine = keys.clone();
            let made: Vec<(OrgId, UserId)> = self
                .platform
                .commit("benchmark", move |tx| {
                    numbers.clone().zip(mine.iter()).map(|(n, key)| enrol(tx, n, key)).collect()
                })
                .map_err(BenchError::of)?;
            let bidders = made.into_iter().zip(keys).map(|((org, user), key)| Bidder { org, user, key });
            self.bidders.extend(bidders);
        }
        Ok(())
    }

    fn publish(&mut self, modes: &[Mode]) -> Result<()> {
        let client = &self.cast.initiator.client;
        let project = json!({ "code": "BENCH-1", "name": "Benchmark", "description": "Measured on.", "approval_number": "B-2026-1" });
        let project = client.register_project(&project).map_err(BenchError::of)?;
        let terms = |mode: Mode| {
            json!({
                "description": "An invented road.", "key_mode": mode.key_mode(), "currency": "CNY", "approval_number": "B-2026-1", "no_dispute_declared": true,
                "estimate": { "amount": "1000000.00", "currency": "CNY" }, "ceiling": { "amount": "1000000.00", "currency": "CNY" },
                "deposit": { "amount": "20000.00", "currency": "CNY" },
            })
        };
        let deadline = self.platform.now().plus_millis(DAYS_TO_DEADLINE * DAY_MS);
        for (n, mode) in modes.iter().enumerate() {
            let lot = client
                .register_lot(&project.id, "construction", &format!("Road {n}"), &terms(*mode))
                .map_err(BenchError::of)?
                .id;
            client.attach_document(&lot, "road.txt", "text/plain", b"A road\n").map_err(BenchError::of)?;
            client.act_with_lot(&lot, "submit").map_err(BenchError::of)?;
            self.cast.centre.act_with_lot(&lot, "accept").map_err(BenchError::of)?;
            if let Some(custody) = self.cast.custody.as_ref().filter(|_| mode.key_mode().needs_custodians()) {
                custody.make_key(&self.cast.initiator, &lot, &project.id, deadline).map_err(BenchError::of)?;
            }
            let now = self.platform.now();
            let schedule = json!({
                "doc_issue_start_at": now, "doc_issue_end_at": now.plus_millis(DAYS_OF_ISSUE * DAY_MS),
                "deadline_at": deadline, "opens_at": deadline,
            });
            client.do_with_lot(&lot, "publish", &schedule).map_err(BenchError::of)?;
            let org = self.bidders.first().map_or(self.cast.initiator.org.as_str(), |bidder| bidder.org.as_str());
            let sealer = Sealer::prepare(client, &lot, org, &self.cast.platform_key).map_err(BenchError::of)?;
            self.lots.push(OpenLot { id: lot, sealer });
        }
        self.platform.settle().map_err(BenchError::of)
    }

    /// An access token of a bidder, as a sign-in gives it.
    pub fn token(&self, bidder: &Bidder) -> String {
        let app = self.platform.app();
        let roles = [Role::Bidder.name().to_owned()];
        app.tokens.issue(bidder.user.as_str(), bidder.org.as_str(), &roles, "benchmark", self.platform.now()).0
    }

    /// Seals and uploads a bid of each of `bidders` on each of `lots`, all in `shape`.
    ///
    /// # Errors
    /// When something does not go as it must.
    pub fn ready(
        &self,
        lots: std::ops::Range<usize>,
        bidders: std::ops::Range<usize>,
        shape: Shape,
    ) -> Result<Vec<ReadyBid>> {
        let mut ready = Vec::new();
        for lot in lots {
            let mut sealed: Vec<(usize, Result<Sealed>)> =
                bidders.clone().map(|bidder| (bidder, Err(BenchError("not sealed".into())))).collect();
            parallel::each(&mut sealed, |(bidder, out)| *out = self.seal(lot, *bidder, shape));
            let sealed = sealed
                .into_iter()
                .map(|(bidder, sealed)| sealed.map(|sealed| (bidder, sealed)))
                .collect::<Result<Vec<_>>>()?;
            let stored = stream::iter(sealed)
                .map(|(bidder, sealed)| self.store(lot, bidder, sealed))
                .buffer_unordered(UPLOADING)
                .try_collect::<Vec<_>>();
            ready.extend(self.wait(stored)?);
        }
        Ok(ready)
    }

    fn seal(&self, lot: usize, bidder: usize, shape: Shape) -> Result<Sealed> {
        let who = &self.bidders[bidder];
        let sealer = self.lots[lot].sealer.of(who.org.as_str()).map_err(BenchError::of)?;
        let bid =
            BidJson { amount: format!("9{bidder:05}.00"), currency: "CNY".into(), validity_days: Some(90), note: None };
        let mut parts = vec![(Part::Price, sealer.seal_price(Part::Price, &bid).map_err(BenchError::of)?)];
        if shape.document_bytes > 0 {
            let content = vec![b'a'; shape.document_bytes];
            let file = describe("bid/technical.bin", content.as_slice()).map_err(BenchError::of)?;
            let mut out = Vec::new();
            let payload =
                sealer.seal_documents(vec![file], |_| Ok(content.as_slice()), &mut out).map_err(BenchError::of)?;
            parts.push((Part::Documents, (payload, out)));
        }
        let now = self.platform.now();
        let key_sets = sealer.own_keys_json(&who.key).map_err(BenchError::of)?;
        let mut sealed = Sealed { payloads: Vec::new(), envelopes: Vec::new(), key_sets };
        for (part, (payload, bytes)) in parts {
            let header = sealer.header(&who.key, part, &payload, 1, now).map_err(BenchError::of)?;
            sealed.envelopes.push(envelope_json(&header).map_err(BenchError::of)?);
            sealed.payloads.push((payload, bytes));
        }
        Ok(sealed)
    }

    /// Uploads the payloads of a sealed bid, as its bidder.
    async fn store(&self, lot: usize, bidder: usize, sealed: Sealed) -> Result<ReadyBid> {
        let (app, who, lot_id) = (self.platform.app(), &self.bidders[bidder], &self.lots[lot].id);
        for (payload, bytes) in sealed.payloads {
            store(app, who, lot_id, payload, bytes).await.map_err(BenchError::of)?;
        }
        Ok(ReadyBid { lot, bidder, envelopes: sealed.envelopes, key_sets: sealed.key_sets })
    }

    /// Stops the platform and leaves its directory to the caller.
    pub fn leave(self) -> Scratch {
        self.platform.leave()
    }

    /// Stops the platform and removes everything.
    pub fn clear(self) {
        self.platform.stop(false);
    }
}

/// On which database; `None` is an SQLite file of the platform's own.
pub fn on(config: &mut Config, database: Option<String>) {
    if let Some(url) = database {
        config.database.url = url;
    }
}

/// A bid that is sealed, with its ciphertexts.
struct Sealed {
    payloads: Vec<(SealedPayload, Vec<u8>)>,
    envelopes: Vec<Value>,
    key_sets: Vec<Value>,
}

/// Makes a confirmed organisation with a user and a signing key.
fn enrol(tx: &mut crate::ledger::Tx<'_>, n: usize, key: &SigningKey) -> std::result::Result<(OrgId, UserId), Error> {
    let damaged = |error: &dyn std::fmt::Display| Error::internal(error.to_string());
    let identifier = OrgIdentifier::new("X-BENCH", &format!("N{n}")).map_err(|error| damaged(&error))?;
    let login = format!("bench{n}");
    let org = insert_organisation(tx, &identifier, &login, &format!("{login}@example.org"), CONFIRMED)?;
    let person = NewPerson { email: format!("{login}@example.org"), name: login.clone(), login };
    let user = insert_user(tx, &org.id, &person, &[Role::Bidder], None)?;
    let (org, user) = (OrgId::parse(&org.id), UserId::parse(&user.id));
    let (org, user) = (org.map_err(|error| damaged(&error))?, user.map_err(|error| damaged(&error))?);
    let proof = key_proof(key, user.as_str()).map_err(|error| damaged(&error))?;
    let proven = signing_keys::check_proof(&proof["proof"], &user)?;
    signing_keys::register(tx, &user, &org, &proven)?;
    Ok((org, user))
}

/// Uploads one payload whole.
async fn store(
    app: &web::Data<App>,
    bidder: &Bidder,
    lot: &str,
    payload: SealedPayload,
    bytes: Vec<u8>,
) -> std::result::Result<(), Error> {
    let actor = bidder.actor();
    let new = NewUpload { purpose: Purpose::Bid, size_bytes: payload.size_bytes, root: payload.root };
    let (lot, org) = (lot.to_owned(), bidder.org.clone());
    let made = patiently(|| {
        let (actor, lot, new) = (actor.clone(), lot.clone(), new.clone());
        app.ledger.commit_beside(app.system("benchmark"), move |tx| {
            let upload = ops::create(tx, &actor, &lot, &new)?;
            queries::own(tx.conn(), actor.org_id().map_or("", OrgId::as_str), upload.id.as_str())
        })
    })
    .await?;
    let row = made.ok_or_else(|| Error::internal("an upload that was just made is gone"))?;
    storage::prepare(app, row.clone()).await?;
    let chunk = usize::try_from(row.chunk_size()).unwrap_or(usize::MAX);
    for (n, piece) in (0u32..).zip(bytes.chunks(chunk)) {
        storage::receive(app, row.clone(), n, piece.to_vec(), sha256(piece)).await?;
    }
    storage::settle(app, row.clone()).await?;
    patiently(|| {
        let (org, id) = (org.clone(), row.id.clone());
        app.ledger.commit_beside(app.system("benchmark"), move |tx| ops::complete(tx, &org, &id))
    })
    .await
    .map(drop)
}

/// Tries again while the platform is busy, as a client does: the ground is not what is measured.
async fn patiently<T, W>(mut work: impl FnMut() -> W) -> std::result::Result<T, Error>
where
    W: Future<Output = std::result::Result<T, Error>>,
{
    for _ in 0..TRIES {
        match work().await {
            Err(Error::Failed(Failure::Busy)) => tokio::time::sleep(PAUSE).await,
            done => return done,
        }
    }
    work().await
}

/// The submission of a ready bid as a request.
pub fn submission(ground: &Ground, bid: &ReadyBid, tokens: &[String]) -> Vec<u8> {
    let body = act(&bid.envelopes, &bid.key_sets).to_string();
    let path = format!("/v1/lots/{}/bids", ground.lots[bid.lot].id);
    super::load::request(
        "POST",
        &path,
        tokens.get(bid.bidder).map(String::as_str),
        &[("Idempotency-Key", &new_key())],
        body.as_bytes(),
    )
}
