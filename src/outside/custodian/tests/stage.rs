//! A platform of memory, its custodians, and a log.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::client::custodians::{Backups, CeremonyView, CustodianView, MemberView, PublicKey, SnapshotView};
use crate::client::wire::PlatformKey;
use crate::client::{ClientError, Result as Asked};
use crate::clock::ManualClock;
use crate::custodian::ceremony::{Ceremony, Me};
use crate::custodian::desk::Desk;
use crate::custodian::platform::Platform;
use crate::custodian::state::State;
use crate::custodian::vault::Vault;
use crate::custodian::vault::tests::{CHEAP, passphrase};
use crate::kernel::digest::sha256;
use crate::kernel::encoding::from_base64url;
use crate::kernel::time::Timestamp;
use crate::seal::ceremony::{Commit, Draft, Group, Message, Round1, Round2, Signed, Transcript};
use crate::seal::envelope::Part;
use crate::seal::ids::{Ident, UtcMillis};
use crate::seal::keys::{Algorithm, SigningKey, VerifyingKey};
use crate::seal::keyset::{KeySet, Member, Profile};
use crate::seal::manifest::{BidJson, Binding};
use crate::seal::part_writer::bid_part;
use crate::seal::partials::SignedPartials;
use crate::seal::points::Point;
use crate::seal::sealing::{Subject, seal_header, seal_payload};
use crate::seal::snapshot::{Line, Snapshot};
use crate::tlog::specimen::Specimen;
use crate::tlog::tiles::Tile;

pub const PASSPHRASE: &str = "five unrelated words here";
pub const LOT: &str = "lot-specimen";
pub const OPENS: &str = "2026-12-01T01:00:00.000Z";
const BEFORE: &str = "2026-11-20T01:00:00.000Z";

pub fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

pub fn ident(text: &str) -> Ident {
    Ident::parse(text, "test").unwrap()
}

fn broken() -> ClientError {
    ClientError::Line("cut".into())
}

/// How the line breaks with the next message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    Never,
    BeforeItArrives,
    AfterItArrived,
}

/// The platform.
pub struct Memory {
    pub key: SigningKey,
    tenderer: SigningKey,
    pub view: RefCell<Option<CeremonyView>>,
    pub cut: Cell<Cut>,
    /// Everything that anybody sent, in the order of arrival.
    pub sent: RefCell<Vec<Value>>,
    backups: RefCell<BTreeMap<usize, Vec<Value>>>,
}

/// One custodian's way to it.
pub struct Seat<'a> {
    pub memory: &'a Memory,
    pub user: usize,
}

fn public(key: &VerifyingKey) -> PublicKey {
    let (alg, public_key) = (key.algorithm().name().to_owned(), key.to_base64url());
    PublicKey { kid: Some(key.key_id().to_string()), alg, public_key }
}

impl Memory {
    pub fn new() -> Self {
        let key = || SigningKey::generate(Algorithm::EdDsa).unwrap();
        Self {
            key: key(),
            tenderer: key(),
            view: RefCell::new(None),
            cut: Cell::new(Cut::Never),
            sent: RefCell::default(),
            backups: RefCell::default(),
        }
    }

    pub fn key_view(&self) -> PlatformKey {
        let key = self.key.verifying_key();
        let verifier = crate::tlog::note::verifier_key("log.example/promise", &key.to_bytes());
        PlatformKey { alg: key.algorithm().name().into(), public_key: key.to_base64url(), verifier }
    }

    pub fn shown(&self) -> CeremonyView {
        self.view.borrow().clone().unwrap()
    }

    /// A new ceremony of these custodians, k of them needed.
    pub fn begin(&self, k: u8, members: &[(Me, VerifyingKey)]) {
        let named = members.iter().zip(1..).map(|((me, _), i)| Member {
            i,
            custodian: ident(&format!("cus-{i}")),
            org: ident(&format!("org-{i}")),
            sign_kid: me.sign_kid,
            kem: me.kem,
        });
        let groups = vec![Group { group: ident("group-1"), opens_not_before: UtcMillis::parse(OPENS, "t").unwrap() }];
        let draft = Draft::new(ident("prj-1"), ident(LOT), groups, Profile::Strict, k, named.collect()).unwrap();
        let signed = draft.sign(&self.tenderer).unwrap();
        let members = members.iter().zip(1..).map(|((_, key), i)| MemberView { i, key: public(key) }).collect();
        *self.view.borrow_mut() = Some(CeremonyView {
            id: "cer-1".into(),
            lot_id: LOT.into(),
            state: "commit".into(),
            expires_at: None,
            draft: serde_json::to_value(signed.jws()).unwrap(),
            tenderer: public(self.tenderer.verifying_key()),
            members,
            messages: BTreeMap::new(),
            culprit: None,
            cause: None,
            key_sets: Vec::new(),
        });
    }

    pub fn draft(&self) -> Draft {
        Draft::from_bytes(&payload(&self.shown().draft)).unwrap()
    }

    fn take(&self, user: usize, message: &Value, backups: &[Value]) {
        let step = step_of(message);
        let mut guard = self.view.borrow_mut();
        let view = guard.as_mut().unwrap();
        let said = view.messages.entry(step.into()).or_default();
        let member = |value: &Value| json_of(value)["member"].as_u64();
        match said.iter().find(|other| member(other) == member(message)) {
            Some(same) if step != "rehearsal" => assert_eq!(same, message, "another message for the same step"),
            _ => said.push(message.clone()),
        }
        said.sort_by_key(member);
        if !backups.is_empty() {
            self.backups.borrow_mut().insert(user, backups.to_vec());
        }
        let n = view.members.len();
        let all = |step: &str| view.messages.get(step).is_some_and(|said| said.len() == n);
        let reached = ["commit", "round1", "round2", "accept"].into_iter().take_while(|step| all(step)).count();
        view.state = ["commit", "round1", "round2", "accept", "active"][reached].into();
        if view.messages.contains_key("complaint") {
            view.state = "aborted".into();
        }
        if view.state == "active" && view.key_sets.is_empty() {
            let sets = transcript(view).key_sets().unwrap();
            view.key_sets =
                sets.iter().map(|set| serde_json::to_value(set.sign(&self.key).unwrap().jws()).unwrap()).collect();
        }
    }
}

/// What a signed object says.
pub fn payload(jws: &Value) -> Vec<u8> {
    from_base64url(jws["payload"].as_str().unwrap()).unwrap()
}

pub fn json_of(jws: &Value) -> Value {
    serde_json::from_slice(&payload(jws)).unwrap()
}

fn step_of(message: &Value) -> &'static str {
    let protected = from_base64url(message["protected"].as_str().unwrap()).unwrap();
    let protected: Value = serde_json::from_slice(&protected).unwrap();
    match protected["typ"].as_str().unwrap() {
        "sealbid-dkg-commit+jws" => "commit",
        "sealbid-dkg-round1+jws" => "round1",
        "sealbid-dkg-round2+jws" => "round2",
        "sealbid-dkg-accept+jws" => "accept",
        "sealbid-dkg-complaint+jws" => "complaint",
        "sealbid-partials+jws" => "rehearsal",
        other => panic!("{other}"),
    }
}

/// The transcript behind a view.
pub fn transcript(view: &CeremonyView) -> Transcript {
    fn each<M: Message>(view: &CeremonyView, step: &str) -> Vec<Signed<M>> {
        let said = view.messages.get(step).into_iter().flatten();
        said.map(|value| Signed::from_value(value).unwrap()).collect()
    }
    let mut transcript = Transcript::new(Draft::from_bytes(&payload(&view.draft)).unwrap());
    each::<Commit>(view, "commit").into_iter().for_each(|said| transcript.commit(said).unwrap());
    each::<Round1>(view, "round1").into_iter().for_each(|said| transcript.round1(said).unwrap());
    each::<Round2>(view, "round2").into_iter().for_each(|said| transcript.round2(said).unwrap());
    transcript
}

impl Platform for Seat<'_> {
    fn key(&self) -> Asked<PlatformKey> {
        Ok(self.memory.key_view())
    }

    fn user(&self) -> Asked<String> {
        Ok(format!("usr-{}", self.user))
    }

    fn register(&self, _: &SigningKey, _: &str) -> Asked<()> {
        Ok(())
    }

    fn name_keys(&self, sign_kid: &str, kem: &str, pok: &str) -> Asked<CustodianView> {
        let user = format!("usr-{}", self.user);
        crate::seal::ceremony::prove_kem::check(&Point::from_text(kem, "kem").unwrap(), &user, pok).unwrap();
        let (id, kid, kem) = (format!("cus-{}", self.user), sign_kid.into(), kem.into());
        Ok(CustodianView { id, user_id: user, org_id: "org-1".into(), sign_kid: kid, kem })
    }

    fn ceremonies(&self) -> Asked<Vec<CeremonyView>> {
        Ok(vec![self.memory.shown()])
    }

    fn ceremony(&self, _: &str) -> Asked<CeremonyView> {
        Ok(self.memory.shown())
    }

    fn say(&self, _: &str, message: &Value, backups: &[Value]) -> Asked<CeremonyView> {
        let cut = self.memory.cut.replace(Cut::Never);
        self.memory.sent.borrow_mut().push(message.clone());
        if cut != Cut::BeforeItArrives {
            self.memory.take(self.user, message, backups);
        }
        if cut == Cut::Never { Ok(self.memory.shown()) } else { Err(broken()) }
    }

    fn backups(&self, _: &str) -> Asked<Backups> {
        Ok(Backups { backups: self.memory.backups.borrow()[&self.user].clone() })
    }

    fn snapshots(&self, _: &str) -> Asked<Vec<SnapshotView>> {
        Ok(Vec::new())
    }

    fn opens_at(&self, _: &str) -> Asked<Option<Timestamp>> {
        Ok(Some(at(OPENS)))
    }

    fn give(&self, _: &str, _: &SignedPartials) -> Asked<()> {
        Ok(())
    }
}

/// Custodians with their files.
pub struct Office {
    pub memory: Memory,
    pub clock: ManualClock,
    pub dir: tempfile::TempDir,
    n: usize,
}

impl Office {
    /// `n` registered custodians, and a ceremony in which `k` are needed.
    pub fn new(k: u8, n: usize) -> Self {
        let office =
            Self { memory: Memory::new(), clock: ManualClock::new(at(BEFORE)), dir: tempfile::tempdir().unwrap(), n };
        let mut members = Vec::new();
        for user in 0..n {
            let vault = Vault::create_at(&office.file(user), passphrase(PASSPHRASE), CHEAP).unwrap();
            let policy = Specimen::new().policy();
            let state = State::new("https://a", "login", office.memory.key_view(), policy, at(BEFORE)).unwrap();
            let mut desk = Desk::begin(vault, state, &office.clock).unwrap();
            desk.register(&office.seat(user)).unwrap();
            let key = *desk.state().signing_key().unwrap().verifying_key();
            members.push((desk.me().unwrap(), key));
        }
        office.memory.begin(k, &members);
        office
    }

    pub fn file(&self, user: usize) -> PathBuf {
        self.dir.path().join(format!("{user}.state"))
    }

    pub fn seat(&self, user: usize) -> Seat<'_> {
        Seat { memory: &self.memory, user }
    }

    /// The custodian's file, opened anew, as after every crash.
    pub fn desk(&self, user: usize) -> Desk<'_> {
        Desk::open_cheaply(&self.file(user), passphrase(PASSPHRASE), &self.clock).unwrap()
    }

    pub fn read(&self, desk: &Desk<'_>) -> crate::custodian::Result<Ceremony> {
        Ceremony::read(&self.memory.shown(), &desk.me()?)
    }

    /// One step of one custodian with a file opened anew.
    pub fn step(&self, user: usize) -> crate::custodian::Result<()> {
        let mut desk = self.desk(user);
        let ceremony = self.read(&desk)?;
        desk.settle(&ceremony)?;
        desk.step(&self.seat(user), &ceremony).map(drop)
    }

    pub fn accept(&self, user: usize) -> crate::custodian::Result<()> {
        let mut desk = self.desk(user);
        let ceremony = self.read(&desk)?;
        let finished = desk.finish(&self.seat(user), &ceremony)?;
        desk.accept(&self.seat(user), &ceremony, finished).map(drop)
    }

    /// Everybody commits, shows round 1 and deals.
    pub fn dealt(self) -> Self {
        for _ in 0..3 {
            (0..self.n).for_each(|user| self.step(user).unwrap());
        }
        self
    }

    /// Everybody has accepted, and knows it.
    pub fn active(self) -> Self {
        let office = self.dealt();
        (0..office.n).for_each(|user| office.accept(user).unwrap());
        (0..office.n).for_each(|user| office.step(user).unwrap());
        office
    }

    pub fn key_set(&self) -> KeySet {
        transcript(&self.memory.shown()).key_sets().unwrap().remove(0)
    }
}

/// A line for a price sealed to a key set.
pub fn line(key_set: &KeySet, bidder: &str) -> Line {
    let binding = Binding { tender: key_set.tender.clone(), lot: ident(LOT), bidder: ident(bidder), part: Part::Price };
    let bid = BidJson { amount: "77.00".into(), currency: "CNY".into(), validity_days: None, note: None };
    let payload = seal_payload(bid_part(binding, &bid).unwrap().as_slice(), std::io::sink(), 1).unwrap();
    let subject = Subject {
        lot: ident(LOT),
        part: Part::Price,
        bidder: ident(bidder),
        rev: 1,
        doc_rev: sha256(b"documents"),
        created: UtcMillis::parse(BEFORE, "t").unwrap(),
    };
    let key = SigningKey::generate(Algorithm::EdDsa).unwrap();
    Line::of(&seal_header(&subject, &payload, &[key_set], &key).unwrap(), key_set.kid).remove(0)
}

/// Lines of so many bids, in order.
pub fn lines(key_set: &KeySet, bids: usize) -> Vec<Line> {
    let mut lines: Vec<Line> = (0..bids).map(|bid| line(key_set, &format!("org-{bid}"))).collect();
    lines.sort_by_key(|line| (line.envelope, line.slot));
    lines
}

/// A log that grows, with its files by their paths.
pub struct Log {
    pub specimen: Specimen,
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Log {
    pub fn new() -> Self {
        let mut log = Self { specimen: Specimen::new(), files: BTreeMap::new() };
        log.grow(20);
        log
    }

    pub fn grow(&mut self, entries: usize) {
        let files = &mut self.files;
        self.specimen.grow(entries, &mut |tile, bytes| drop(files.insert(tile.to_string(), bytes)));
    }

    pub fn checkpoint(&self) -> String {
        self.specimen.checkpoint(&self.specimen.head(), 1_795_309_260)
    }

    /// Records a snapshot and proves it.
    pub fn entry(&mut self, kind: &str, lot: &str, data: &Value) -> String {
        let files = &mut self.files;
        let write = &mut |tile: Tile, bytes| drop(files.insert(tile.to_string(), bytes));
        let batch = self.specimen.record(kind, lot, data, write);
        let tiles = |tile: Tile| self.files.get(&tile.to_string()).cloned().unwrap_or_default();
        let (head, entry) = (self.specimen.head(), &batch.entries[0]);
        self.specimen.receipt(entry, &head, &self.checkpoint(), &tiles)
    }

    /// The view of a snapshot, signed and in the log.
    pub fn snapshot(&mut self, key: &SigningKey, key_set: &KeySet, lines: &[Line]) -> SnapshotView {
        let snapshot = Snapshot::new(key_set, ident(LOT), lines);
        let data = json!({ "kid": snapshot.kid, "root": snapshot.root, "opens_at": OPENS });
        let proof = self.entry("box.snapshot", LOT, &data);
        view(key, &snapshot, lines, proof)
    }
}

pub fn view(key: &SigningKey, snapshot: &Snapshot, lines: &[Line], proof: String) -> SnapshotView {
    SnapshotView {
        lot_id: snapshot.lot.to_string(),
        kid: snapshot.kid.to_string(),
        snapshot: serde_json::to_value(snapshot.sign(key).unwrap()).unwrap(),
        lines: lines.iter().map(|line| serde_json::from_str(&line.to_json()).unwrap()).collect(),
        proof: Some(proof),
    }
}
