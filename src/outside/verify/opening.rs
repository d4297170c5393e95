//! Openings: the public bundle of an opening, checked from the keys up to the prices.
//!
//! What is shown, in this order: the key set follows from a ceremony that all its members signed; what was answered is signed by
//! the platform, whole, and (with the log's key) in the public log; every share was given by its member and is what it must be;
//! the shares of each envelope that opened are enough and belong to its slots; and every price that was read out comes out of its
//! signed envelope with nothing but these shares. The form is that of `docs/opening-format.md`.

mod ceremony;
mod escrow;
mod pace;
mod price;

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead;

use serde_json::Value;

use self::pace::Pace;
pub use self::pace::Watch;
use super::disclosure::Lines;
use super::receipt;
use super::report::{Failure, Proven, Result};
use super::trust::Trust;
use crate::kernel::digest::Digest;
use crate::kernel::parallel;
use crate::kernel::text::Bilingual;
use crate::seal::ids::KeyId;
use crate::seal::jws::Jws;
use crate::seal::keys::{Algorithm, VerifyingKey};
use crate::seal::keyset::{KeySet, KeySetKind, SignedKeySet};
use crate::seal::partials::SignedPartials;
use crate::seal::snapshot::{Line, SNAPSHOT_TYP, Snapshot};
use crate::seal::strict_json::Object;
use crate::seal::unsealing::{Holder, Share, SlotShares, combined};

/// The version of the form that this program knows.
const VERSION: &str = "sealbid-opening/1";

/// Bytes of a line: a ceremony of as many members as there may be, or a sealed price, with room.
const MAX_LINE_BYTES: usize = 4 * 1024 * 1024;

/// The lines of the box, each with its key set, by envelope and slot.
type InBox = BTreeMap<(Digest, u8), (KeyId, Line)>;

/// What is asked of the whole, while lines are read one by one.
struct Opening<'a> {
    trust: &'a Trust,
    platform: Option<VerifyingKey>,
    lot: String,
    tender: String,
    /// The opening group: what opens in this round.
    group: String,
    /// The group of bidders' keys in escrow, where they have one.
    escrow: Option<String>,
    /// Whose keys the slots of an envelope are sealed to, by the key mode.
    slots: &'static [KeySetKind],
    ceremony: Option<Value>,
    sets: BTreeMap<KeyId, KeySet>,
    snapshot: Option<(Jws, Option<String>)>,
    lists: Vec<List>,
    lines: InBox,
    /// Shares that hold, by envelope and slot.
    shares: BTreeMap<(Digest, u8), SlotShares>,
    envelopes: Vec<(String, Value)>,
    in_log: bool,
    tally: Tally,
    pace: Pace<'a>,
}

/// A list of shares.
struct List {
    place: String,
    signed: SignedPartials,
    /// The envelope with the key that it was made with, where that was not its holder's doing.
    escrow: Option<Digest>,
}

#[derive(Default)]
struct Tally {
    shares: u64,
    opened: u64,
    failed: u64,
    prices: u64,
    members: usize,
    k: u8,
}

/// Checks a bundle.
///
/// # Errors
/// Refuted with the line that does not hold; undecided for a key or a version that is not known, or a file that is cut off.
pub fn check(trust: &Trust, place: &str, reader: impl BufRead) -> Result<Proven> {
    check_watched(trust, place, reader, &|_, _| ())
}

/// [`check`], telling how far it is.
///
/// # Errors
/// As there.
pub fn check_watched(trust: &Trust, place: &str, reader: impl BufRead, watch: Watch<'_>) -> Result<Proven> {
    let mut lines = Lines::new(reader, place);
    let mut opening = Opening {
        trust,
        platform: None,
        lot: String::new(),
        tender: String::new(),
        group: String::new(),
        escrow: None,
        slots: &[],
        ceremony: None,
        sets: BTreeMap::new(),
        snapshot: None,
        lists: Vec::new(),
        lines: BTreeMap::new(),
        shares: BTreeMap::new(),
        envelopes: Vec::new(),
        in_log: false,
        tally: Tally::default(),
        pace: Pace::new(watch),
    };
    let (mut count, mut ended) = (0_u64, false);
    while let Some(text) = lines.read()?.map(str::to_owned) {
        let place = lines.place();
        if ended {
            return Err(Failure::refuted(place, "末行之后还有内容。", "there is something behind the last line"));
        }
        // A name that occurs twice would be read one way here and another way elsewhere.
        Object::parse(text.as_bytes(), MAX_LINE_BYTES).map_err(|error| refuted(&place, error))?;
        let value: Value = serde_json::from_str(&text).map_err(|error| refuted(&place, error))?;
        count += 1;
        ended = opening.line(&place, count, value)?;
    }
    if !ended {
        return Err(Failure::undecided(
            place,
            "文件不完整:缺少末行。",
            "the file is cut off: its last line is missing",
        ));
    }
    opening.conclude(place)
}

fn refuted(place: &str, what: impl std::fmt::Display) -> Failure {
    Failure::refuted(place, format!("不成立:{what}"), format!("it does not hold: {what}"))
}

fn text<'v>(place: &str, value: &'v Value, field: &str) -> Result<&'v str> {
    value[field].as_str().ok_or_else(|| refuted(place, format!("{field} is missing")))
}

fn key(place: &str, value: &Value) -> Result<VerifyingKey> {
    let (alg, public) = (text(place, value, "alg")?, text(place, value, "public_key")?);
    let key = VerifyingKey::parse(alg, public).map_err(|error| refuted(place, error))?;
    if key.key_id().to_string() != text(place, value, "kid")? {
        return Err(refuted(place, "a kid is not that of its key"));
    }
    Ok(key)
}

impl Opening<'_> {
    /// Takes a line; true at the end.
    fn line(&mut self, place: &str, number: u64, value: Value) -> Result<bool> {
        let kind = text(place, &value, "type")?.to_owned();
        if number == 1 && kind != VERSION {
            return Err(Failure::undecided(
                place,
                "不是本程序认识的开标文件版本。",
                format!("it is not of the version {VERSION}"),
            ));
        }
        match kind.as_str() {
            VERSION if number == 1 => self.head(place, &value)?,
            "ceremony" => self.ceremony = Some(value),
            "key_set" => self.key_set(place, &value)?,
            "own_key" => self.own_key(place, &value)?,
            "snapshot" => self.snapshot(place, &value)?,
            "partials" => self.partials(place, &value)?,
            "envelope" => self.envelope(place, value)?,
            "end" if value["lines"].as_u64() == Some(number) => return Ok(true),
            "end" => return Err(refuted(place, "lines are missing, or there are too many")),
            _ => {
                return Err(Failure::undecided(
                    place,
                    "行的类型未知。",
                    format!("a line of type {kind} is not known to this program"),
                ));
            }
        }
        Ok(false)
    }

    fn head(&mut self, place: &str, value: &Value) -> Result<()> {
        let platform = key(place, &value["platform"])?;
        let given = self.trust.keys().iter().any(|verifier| {
            VerifyingKey::from_bytes(Algorithm::EdDsa, verifier.public_key()).is_ok_and(|given| given == platform)
        });
        if !given {
            return Err(Failure::undecided(
                place,
                "平台公钥不在所给的 --vkey 之中。",
                "the platform's key is not among those that were given with --vkey",
            ));
        }
        self.platform = Some(platform);
        self.lot = text(place, value, "lot")?.to_owned();
        self.tender = text(place, value, "tender")?.to_owned();
        self.group = text(place, value, "group")?.to_owned();
        self.escrow = value["escrow"].as_str().map(str::to_owned);
        self.slots = match text(place, value, "mode")? {
            "platform" => &[KeySetKind::Platform],
            "custodians" => &[KeySetKind::Custodians],
            "bidder" => &[KeySetKind::Bidder],
            "dual" => &[KeySetKind::Custodians, KeySetKind::Bidder],
            other => return Err(Failure::undecided(place, "密钥方式未知。", format!("key mode {other} is not known"))),
        };
        Ok(())
    }

    fn platform(&self, place: &str) -> Result<&VerifyingKey> {
        self.platform.as_ref().ok_or_else(|| refuted(place, "the first line is missing"))
    }

    fn belongs(&self, place: &str, set: &KeySet) -> Result<()> {
        let of_escrow = set.kind == KeySetKind::Custodians && self.is_escrow(set);
        if (set.group.as_str() != self.group && !of_escrow) || set.tender.as_str() != self.tender {
            return Err(refuted(place, "the key set is for another lot"));
        }
        Ok(())
    }

    fn key_set(&mut self, place: &str, value: &Value) -> Result<()> {
        let signed = SignedKeySet::parse(value["key_set"].to_string().as_bytes()).map_err(|e| refuted(place, e))?;
        let set = signed.verify(self.platform(place)?).map_err(|error| refuted(place, error))?.clone();
        self.belongs(place, &set)?;
        if set.kind == KeySetKind::Custodians {
            let held = self.ceremony.take();
            let held = held.ok_or_else(|| refuted(place, "the ceremony of this key set is missing"))?;
            let made = ceremony::key_sets_of(place, &held)?;
            if !made.contains(&set) {
                return Err(refuted(place, "the key set does not follow from its ceremony"));
            }
            (self.tally.members, self.tally.k) = (set.members.len(), set.k);
        }
        self.sets.insert(set.kid, set);
        Ok(())
    }

    fn own_key(&mut self, place: &str, value: &Value) -> Result<()> {
        let signed = SignedKeySet::parse(value["key_set"].to_string().as_bytes()).map_err(|e| refuted(place, e))?;
        let set = signed.verify(&key(place, &value["signer"])?).map_err(|error| refuted(place, error))?.clone();
        self.belongs(place, &set)?;
        if set.kind != KeySetKind::Bidder {
            return Err(refuted(place, "it is not a bidder's own key set"));
        }
        self.sets.insert(set.kid, set);
        Ok(())
    }

    fn snapshot(&mut self, place: &str, value: &Value) -> Result<()> {
        let jws = Jws::from_value(&value["snapshot"], SNAPSHOT_TYP).map_err(|error| refuted(place, error))?;
        let proof = value["proof"].as_str().map(str::to_owned);
        if self.snapshot.replace((jws, proof)).is_some() {
            return Err(refuted(place, "there are two snapshots"));
        }
        Ok(())
    }

    fn partials(&mut self, place: &str, value: &Value) -> Result<()> {
        let list = SignedPartials::parse(value["partials"].to_string().as_bytes()).map_err(|e| refuted(place, e))?;
        let signer = key(place, &value["signer"])?;
        let said = list.verify(&signer).map_err(|error| refuted(place, error))?;
        let set = self.sets.get(&said.kid).ok_or_else(|| refuted(place, "its key set is missing"))?;
        let member = set.members.iter().find(|member| member.i == said.member);
        if member.is_some_and(|member| member.sign_kid != signer.key_id()) {
            return Err(refuted(place, format!("member {} did not sign it", said.member)));
        }
        let escrow = self.escrow_named(place, value, set.kind, &signer)?;
        self.lists.push(List { place: place.to_owned(), signed: list, escrow });
        Ok(())
    }

    fn envelope(&mut self, place: &str, value: Value) -> Result<()> {
        for line in value["lines"].as_array().ok_or_else(|| refuted(place, "lines are missing"))? {
            let mut line = line.clone();
            let kid = KeyId::parse(text(place, &line, "kid")?, "kid").map_err(|error| refuted(place, error))?;
            line.as_object_mut().map(|line| line.remove("kid"));
            let line = Line::parse(line.to_string().as_bytes()).map_err(|error| refuted(place, error))?;
            let set = self.sets.get(&kid).ok_or_else(|| refuted(place, format!("key set {kid} is missing")))?;
            line.check(set).map_err(|error| refuted(place, error))?;
            if line.envelope.to_string() != text(place, &value, "envelope")?
                || self.lines.insert((line.envelope, line.slot), (kid, line)).is_some()
            {
                return Err(refuted(place, "a line is of another envelope, or there twice"));
            }
        }
        self.envelopes.push((place.to_owned(), value));
        Ok(())
    }

    /// What needs all lines.
    fn conclude(mut self, place: &str) -> Result<Proven> {
        self.check_snapshot(place)?;
        self.check_escrow()?;
        let shares: usize = self.lists.iter().map(|list| list.signed.list().partials.len()).sum();
        self.pace.all = (shares + self.envelopes.len()) as u64;
        self.check_lists()?;
        for (place, value) in std::mem::take(&mut self.envelopes) {
            self.check_envelope(&place, &value)?;
            self.pace.step(1);
        }
        let Tally { shares, opened, failed, prices, members, k } = self.tally;
        Ok(Proven::new(Bilingual::new(
            "开标成立:每份解密份额都正确,公布的报价都由密封信封得出。",
            "The opening holds: every share is right, and every price that was read out comes out of its sealed envelope.",
        ))
        .with("lot", "标段", "lot", self.lot)
        .with("custodians", "保管人(k/n)", "custodians (k of n)", format!("{k}/{members}"))
        .with("shares", "核验的解密份额", "shares verified", shares)
        .with("opened", "已开启的信封", "envelopes opened", opened)
        .with("failed", "未能开启的信封", "envelopes not opened", failed)
        .with("prices", "重新解密并核对的报价", "prices decrypted again", prices)
        .with("snapshot_in_log", "开标清单已在公开日志中核验", "the snapshot is proven in the public log", self.in_log))
    }

    /// The snapshot is that of these lines, and in the log where the log's key was given.
    fn check_snapshot(&mut self, place: &str) -> Result<()> {
        let Some((jws, proof)) = self.snapshot.take() else {
            // Of keys in escrow there may be none that anybody had to ask for.
            let asked = |set: &KeySet| !self.is_escrow(set) || self.lines.values().any(|(kid, _)| *kid == set.kid);
            let custodians = self.sets.values().any(|set| set.kind == KeySetKind::Custodians && asked(set));
            return if custodians { Err(refuted(place, "the snapshot is missing")) } else { Ok(()) };
        };
        let read = Snapshot::read(&jws).map_err(|error| refuted(place, error))?;
        let lines: Vec<Line> = self.lines.values().filter(|(kid, _)| *kid == read.kid).map(|(_, line)| *line).collect();
        let snapshot = Snapshot::verified(&jws, self.platform(place)?, &lines).map_err(|e| refuted(place, e))?;
        let custodians = self.sets.get(&snapshot.kid).is_some_and(|set| set.kind == KeySetKind::Custodians);
        if snapshot.lot.as_str() != self.lot || !custodians {
            return Err(refuted(place, "the snapshot is of another lot"));
        }
        let roots = self.lists.iter().filter(|list| list.signed.list().kid == snapshot.kid);
        for list in roots {
            if list.signed.list().snapshot != snapshot.root {
                return Err(refuted(&list.place, "it answers another snapshot"));
            }
        }
        if self.trust.policy().logs().is_empty() {
            return Ok(());
        }
        let proof = proof.ok_or_else(|| {
            Failure::undecided(
                place,
                "缺少开标清单的日志证明。",
                "the proof that the snapshot is in the log is missing",
            )
        })?;
        let included = receipt::included(self.trust, place, &proof)?;
        let said: Value = serde_json::from_slice(&included.opening.p).map_err(|error| refuted(place, error))?;
        let data = &said["data"];
        if data["root"].as_str() != Some(&snapshot.root.to_string())
            || data["kid"].as_str() != Some(&snapshot.kid.to_string())
        {
            return Err(refuted(place, "what is in the log is another snapshot"));
        }
        self.in_log = true;
        Ok(())
    }

    /// Every share that was given is what it must be. Slow, and done by all processors.
    fn check_lists(&mut self) -> Result<()> {
        let lists = std::mem::take(&mut self.lists);
        let (known, pace) = ((&self.sets, &self.lines), &self.pace);
        parallel::try_each(&lists, |list| {
            list_holds(known, &list.place, &list.signed)?;
            pace.step(list.signed.list().partials.len() as u64);
            Ok(())
        })?;
        for list in &lists {
            let said = list.signed.list();
            for partial in &said.partials {
                let shares = self.shares.entry((partial.envelope, partial.slot)).or_default();
                if shares.iter().any(|(member, other)| *member == said.member && other.d != partial.share.d) {
                    return Err(refuted(&list.place, "a member gave two different shares"));
                }
                shares.push((said.member, partial.share));
                self.tally.shares += 1;
            }
        }
        Ok(())
    }

    /// The shares of an envelope are enough and right, and its price comes out of it.
    fn check_envelope(&mut self, place: &str, value: &Value) -> Result<()> {
        let envelope: Digest =
            text(place, value, "envelope")?.parse().map_err(|_| refuted(place, "the envelope's id"))?;
        if value["outcome"].as_str() != Some("opened") {
            self.tally.failed += 1;
            return Ok(());
        }
        let mut used: BTreeMap<u8, SlotShares> = BTreeMap::new();
        for share in value["shares"].as_array().ok_or_else(|| refuted(place, "shares are missing"))? {
            let (slot, member, given) = self.used_share(place, envelope, share)?;
            used.entry(slot).or_default().push((member, given));
        }
        let slots: BTreeSet<u8> =
            self.lines.range((envelope, 0)..=(envelope, u8::MAX)).map(|((_, slot), _)| *slot).collect();
        let kinds: Vec<KeySetKind> =
            slots.iter().map(|slot| self.sets[&self.lines[&(envelope, *slot)].0].kind).collect();
        if kinds != self.kinds_of(place, value, &slots, envelope)? {
            return Err(refuted(place, "an envelope is sealed to others than the key mode says"));
        }
        let mut points = Vec::new();
        for slot in &slots {
            let (kid, _) = self.lines[&(envelope, *slot)];
            let given = used.get(slot).map_or(&[][..], Vec::as_slice);
            let d = combined(&self.sets[&kid], usize::from(*slot), given).map_err(|error| refuted(place, error))?;
            points.push(d);
        }
        self.tally.opened += 1;
        match (value["header"].is_null(), value["part"].as_str()) {
            (true, Some("price")) => Err(refuted(place, "the price of an opened envelope is missing")),
            (true, _) => Ok(()),
            (false, _) => self.check_price(place, value, envelope, &points),
        }
    }

    /// A share that an outcome names: one that was given and holds, or the platform's own, which is verified here.
    fn used_share(
        &mut self,
        place: &str,
        envelope: Digest,
        share: &Value,
    ) -> Result<(u8, u8, crate::seal::unsealing::Share)> {
        let number = |field: &str| share[field].as_u64().and_then(|n| u8::try_from(n).ok());
        let (Some(slot), Some(member)) = (number("slot"), number("member")) else {
            return Err(refuted(place, "a share names no slot or no member"));
        };
        let written = serde_json::json!({ "d": share["d"], "proof": share["proof"] }).to_string();
        let read = Share::parse(written.as_bytes()).map_err(|error| refuted(place, error))?;
        let given = self.shares.get(&(envelope, slot)).into_iter().flatten();
        if given.clone().any(|(other, share)| *other == member && share.d == read.d) {
            return Ok((slot, member, read));
        }
        let (kid, line) = self.lines.get(&(envelope, slot)).ok_or_else(|| refuted(place, "a share of no slot"))?;
        let set = &self.sets[kid];
        if set.kind != KeySetKind::Platform {
            return Err(refuted(place, format!("a share of member {member} that it never gave")));
        }
        if !line.verify(&Holder::of(set, member), &read) {
            return Err(refuted(place, format!("the share for slot {slot} is not what it must be")));
        }
        self.tally.shares += 1;
        Ok((slot, member, read))
    }
}

fn list_holds((sets, lines): (&BTreeMap<KeyId, KeySet>, &InBox), place: &str, list: &SignedPartials) -> Result<()> {
    let said = list.list();
    let set = sets.get(&said.kid).ok_or_else(|| refuted(place, "its key set is missing"))?;
    let holder = Holder::of(set, said.member);
    for partial in &said.partials {
        let known = lines.get(&(partial.envelope, partial.slot)).filter(|(kid, _)| *kid == said.kid);
        let (_, line) = known.ok_or_else(|| refuted(place, "a share for something that is not in the box"))?;
        if !line.verify(&holder, &partial.share) {
            let what = format!("the share of member {} for envelope {} is wrong", said.member, partial.envelope);
            return Err(refuted(place, what));
        }
    }
    Ok(())
}
