//! What must be true when the servers have been killed often enough: everything that somebody was told is done is there,
//! once; the record explains every row; every message left, to the right party; nothing lies about that nobody uses.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use diesel::prelude::*;
use serde_json::Value;

use super::clock::ShiftedClock;
use super::journal::{Act, Told};
use super::play::Stage;
use super::public_log;
use super::sink::Delivery;
use super::{DrillError, Result, broken};
use crate::app::App;
use crate::clock::{Clock, SystemClock};
use crate::db::schema::{audit_entry, bid_envelopes, bids, documents, leases, lots, outbox, questions, uploads};
use crate::features::inspection::replay;
use crate::keys::Keys;
use crate::ledger::{Error, Reader};
use crate::limits;
use crate::tlog::receipt::Receipt;
use crate::worker::sweeper;

/// What was looked at, and what does not hold.
#[derive(Debug, Default, serde::Serialize)]
pub struct Verdict {
    /// Acts with bids that were answered, refusals on record included.
    pub acknowledged: usize,
    /// Of these, the refusals.
    pub refused: usize,
    /// Of all, those that are there with a receipt that holds and is given again.
    pub verified: usize,
    /// Of all, those that are not.
    pub lost: usize,
    /// Entries of the record that were replayed.
    pub entries: u64,
    /// Lots whose session was held.
    pub lots_opened: usize,
    /// Lots with too few bids.
    pub lots_unsuccessful: usize,
    /// Messages.
    pub mails: usize,
    /// Deliveries beyond the first of a message.
    pub mails_twice: usize,
    /// Uploads in use, re-read byte by byte.
    pub payloads: usize,
    /// Uploads that were swept.
    pub swept: usize,
    /// Leaves of the public log.
    pub leaves: u64,
    /// Of the acknowledged, those that the log proves.
    pub proven: usize,
    /// What does not hold.
    pub wrong: Vec<String>,
}

/// Asks the servers again, which must be quiet: the same requests are answered the same.
pub fn ask_again(stage: &Stage, verdict: &mut Verdict) {
    let told = stage.journal.told().clone();
    verdict.acknowledged = told.acts.len();
    verdict.refused = told.acts.iter().filter(|act| act.refused).count();
    for act in &told.acts {
        match again(stage, act) {
            Ok(()) => verdict.verified += 1,
            Err(why) => {
                verdict.lost += 1;
                verdict.wrong.push(format!(
                    "{} of {}: {why}",
                    act.said("entry_id"),
                    stage.people.bidders[act.who].login
                ));
            }
        }
    }
}

/// The act's receipt holds, says what was answered, and is given again.
fn again(stage: &Stage, act: &Act) -> std::result::Result<(), String> {
    let receipt: Receipt = serde_json::from_value(act.answer["receipt"].clone()).map_err(|error| error.to_string())?;
    receipt.check(&stage.verifier).map_err(|error| error.to_string())?;
    let recorded: Value = serde_json::from_slice(&receipt.opening.p).map_err(|error| error.to_string())?;
    let (received, deadline) = (recorded["data"]["received_at"].as_str(), recorded["data"]["deadline_at"].as_str());
    if let (Some(received), Some(deadline), false) = (received, deadline, act.refused)
        && received >= deadline
    {
        return Err(format!("accepted at {received}, and the deadline was {deadline}"));
    }
    let person = &stage.people.bidders[act.who];
    let path = format!("/v1/receipts/{}", act.said("entry_id"));
    let kept: Value = person.insist(|client| client.get(&path)).map_err(|error| error.to_string())?;
    if kept["receipt"] != act.answer["receipt"] {
        return Err("its receipt is another one now".into());
    }
    if act.refused {
        return Ok(());
    }
    let answer: Value =
        person.insist(|client| client.post_once(&act.path, &act.body, &act.key)).map_err(|error| error.to_string())?;
    if answer == act.answer { Ok(()) } else { Err("the same request is answered otherwise now".into()) }
}

/// Looks into the database and the files, of which no server must be left.
///
/// # Errors
/// When they cannot be read at all.
pub fn look(stage: &Stage, verdict: &mut Verdict) -> Result<()> {
    sweep(stage, verdict)?;
    let told = stage.journal.told().clone();
    verdict.wrong.extend(told.wrong.iter().cloned());
    verdict.lots_opened = told.opened.len();
    verdict.lots_unsuccessful = told.unsuccessful.len();
    let reader = Reader::open(&stage.ground.url());
    let report = reader.read_blocking(replay::replay).map_err(broken)?;
    verdict.entries = report.entries;
    verdict.wrong.extend(report.differences.iter().map(|difference| format!("replay: {difference}")));
    let found = reader.read_blocking(|conn| Ok(Found::load(conn)?)).map_err(broken)?;
    found.check_acts(&told, verdict);
    found.check_moves(&told, verdict);
    found.check_mails(stage, &told, verdict);
    found.check_uploads(stage, &told, verdict);
    public_log::look(stage, verdict)
}

/// Does the sweeper's rounds on a platform that nobody else has, after files have grown old.
fn sweep(stage: &Stage, verdict: &mut Verdict) -> Result<()> {
    let config = stage.ground.site().config(0);
    let old = Duration::from_millis(2 * limits::ORPHAN_AGE_MS);
    age(&config.storage.blobs, old).map_err(broken)?;
    let keys = Keys::load(&config.keys.dir).map_err(broken)?;
    let clock = Arc::new(ShiftedClock::new(stage.fleet.ahead()));
    let app = web::Data::new(App::open(config, clock, keys).map_err(broken)?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(broken)?;
    let swept = runtime.block_on(async {
        let mut swept = 0;
        loop {
            match sweeper::round(&app).await? {
                0 => return Ok::<u32, Error>(swept),
                removed => swept += removed,
            }
        }
    });
    app.ledger.stop();
    verdict.swept = usize::try_from(swept.map_err(broken)?).unwrap_or(usize::MAX);
    Ok(())
}

/// Makes every file below `dir` look as old as that.
fn age(dir: &Path, old: Duration) -> std::io::Result<()> {
    let millis = u64::try_from(SystemClock.now().millis()).unwrap_or(0);
    let then = std::time::UNIX_EPOCH + Duration::from_millis(millis).saturating_sub(old);
    for fan in fs::read_dir(dir)?.flatten().filter(|fan| fan.path().is_dir()) {
        for file in fs::read_dir(fan.path())?.flatten() {
            File::options().write(true).open(file.path())?.set_modified(then)?;
        }
    }
    Ok(())
}

/// What is stored.
struct Found {
    /// By entry: its stream, revision, kind, lot and organisation, and its commitment.
    entries: BTreeMap<String, EntryLine>,
    bids: BTreeMap<String, (i64, String)>,
    lots: BTreeMap<String, String>,
    questions: BTreeSet<String>,
    mails: Vec<MailLine>,
    uploads: BTreeMap<String, (String, Option<String>)>,
    used: BTreeSet<String>,
    leases: Vec<(String, i64)>,
}

struct EntryLine {
    stream: String,
    rev: i64,
    kind: String,
    lot: Option<String>,
    org: Option<String>,
    c: Vec<u8>,
}

#[derive(Queryable)]
struct MailLine {
    id: String,
    dedup: String,
    recipient: String,
    state: String,
    lease_until: i64,
    lot: Option<String>,
}

impl Found {
    fn load(conn: &mut crate::db::Conn) -> diesel::QueryResult<Self> {
        type Line = (String, String, i64, String, Option<String>, Option<String>, Vec<u8>);
        let entries: Vec<Line> = audit_entry::table
            .select((
                audit_entry::entry_id,
                audit_entry::stream,
                audit_entry::rev,
                audit_entry::kind,
                audit_entry::lot_id,
                audit_entry::org_id,
                audit_entry::c,
            ))
            .load(conn)?;
        let line = |(id, stream, rev, kind, lot, org, c): Line| (id, EntryLine { stream, rev, kind, lot, org, c });
        let bids: Vec<(String, i64, String)> = bids::table.select((bids::id, bids::version, bids::state)).load(conn)?;
        let uploads: Vec<(String, String, Option<String>)> =
            uploads::table.select((uploads::id, uploads::state, uploads::attached_to)).load(conn)?;
        let sealed: Vec<String> = bid_envelopes::table.select(bid_envelopes::upload_id).load(conn)?;
        let plain: Vec<String> = documents::table.select(documents::upload_id).load(conn)?;
        Ok(Self {
            entries: entries.into_iter().map(line).collect(),
            bids: bids.into_iter().map(|(id, version, state)| (id, (version, state))).collect(),
            lots: lots::table.select((lots::id, lots::state)).load::<(String, String)>(conn)?.into_iter().collect(),
            questions: questions::table.select(questions::id).load::<String>(conn)?.into_iter().collect(),
            mails: outbox::table
                .select((
                    outbox::id,
                    outbox::dedup,
                    outbox::recipient,
                    outbox::state,
                    outbox::lease_until,
                    outbox::lot_id,
                ))
                .load(conn)?,
            uploads: uploads.into_iter().map(|(id, state, used)| (id, (state, used))).collect(),
            used: sealed.into_iter().chain(plain).collect(),
            leases: leases::table.select((leases::name, leases::until_ms)).load(conn)?,
        })
    }

    /// Every act that was answered has its entry, each its own; and there is no entry that nobody was told of, since
    /// everybody asked until there was an answer.
    fn check_acts(&self, told: &Told, verdict: &mut Verdict) {
        let wrong = &mut verdict.wrong;
        let mut known = BTreeSet::new();
        for act in &told.acts {
            let id = act.said("entry_id");
            known.insert(id.to_owned());
            let Some(entry) = self.entries.get(id) else {
                wrong.push(format!("the entry {id} is gone"));
                continue;
            };
            if crate::kernel::encoding::hex(&entry.c) != act.answer["receipt"]["c"].as_str().unwrap_or_default() {
                wrong.push(format!("the entry {id} is not what was promised"));
            }
            if !act.refused {
                let row = self.bids.get(act.said("bid_id"));
                let version = act.answer["version"].as_i64().unwrap_or(i64::MAX);
                let fits = entry.stream == act.said("bid_id") && entry.rev == version;
                if !fits || row.is_none_or(|(at, _)| *at < version) {
                    wrong.push(format!("the bid {} is behind its version {version}", act.said("bid_id")));
                }
            }
        }
        const BY_BIDDERS: [&str; 5] =
            ["bid.submitted", "bid.replaced", "bid.confirmed", "bid.withdrawn", "bid.refused"];
        for (id, entry) in &self.entries {
            if BY_BIDDERS.contains(&entry.kind.as_str()) && !known.contains(id) {
                wrong.push(format!(
                    "{} {id} in {} by {} happened, and nobody was told of it",
                    entry.kind,
                    entry.lot.as_deref().unwrap_or("no lot"),
                    entry.org.as_deref().unwrap_or("nobody")
                ));
            }
        }
    }

    fn check_moves(&self, told: &Told, verdict: &mut Verdict) {
        let wrong = &mut verdict.wrong;
        wrong.extend(
            told.questions
                .iter()
                .filter(|(_, id)| !self.questions.contains(id))
                .map(|(lot, id)| format!("the question {id} on {lot} is gone")),
        );
        let ended = [(&told.opened, "opened"), (&told.unsuccessful, "unsuccessful")];
        for (lots, state) in ended {
            for lot in lots.iter().filter(|lot| self.lots.get(*lot).is_none_or(|found| found != state)) {
                wrong.push(format!("{lot} is {:?} and not {state}", self.lots.get(lot)));
            }
        }
        // Each move that was answered is an entry of its lot; a lot may have moved on since.
        let mut moves: BTreeMap<&str, i64> = BTreeMap::new();
        told.moves.iter().for_each(|(lot, _)| *moves.entry(lot).or_default() += 1);
        for (lot, count) in moves {
            let versions = self.entries.values().filter(|entry| entry.stream == lot).count();
            if i64::try_from(versions).unwrap_or(0) <= count {
                wrong.push(format!("{lot} has {versions} entries, and {count} moves were answered"));
            }
        }
        for (name, until) in self.leases.iter().filter(|(_, until)| *until == i64::MAX) {
            wrong.push(format!("the lease {name} stands until {until}"));
        }
    }

    fn check_mails(&self, stage: &Stage, told: &Told, verdict: &mut Verdict) {
        let deliveries = stage.sink.deliveries();
        let wrong = &mut verdict.wrong;
        verdict.mails = self.mails.len();
        for mail in &self.mails {
            let taken = deliveries.get(&mail.id).map_or(&[][..], Vec::as_slice);
            if mail.state != "sent" || mail.lease_until != 0 || taken.is_empty() {
                wrong.push(format!(
                    "the message {} is {} and was delivered {} times",
                    mail.id,
                    mail.state,
                    taken.len()
                ));
            }
            verdict.mails_twice += taken.len().saturating_sub(1);
            let right =
                |delivery: &Delivery| delivery.to == [mail.recipient.clone()] && delivery.header_to == mail.recipient;
            if !taken.iter().all(right) {
                wrong.push(format!("the message {} went to somebody else", mail.id));
            }
        }
        let ids: BTreeSet<&str> = self.mails.iter().map(|mail| mail.id.as_str()).collect();
        wrong.extend(deliveries.keys().filter(|id| !ids.contains(id.as_str())).map(|id| format!("{id} is no message")));
        let email = |who: usize| stage.people.bidders[who].email.as_str();
        for act in told.acts.iter().filter(|act| act.notify && !act.refused) {
            let due = |mail: &&MailLine| mail.dedup == act.said("entry_id") && mail.recipient == email(act.who);
            if !self.mails.iter().any(|mail| due(&mail)) {
                wrong.push(format!("there is no mail about {}", act.said("entry_id")));
            }
        }
        let mut due: BTreeMap<(&str, usize), usize> = BTreeMap::new();
        for (lot, holders) in &told.clarified {
            holders.iter().for_each(|who| *due.entry((lot, *who)).or_default() += 1);
        }
        for ((lot, who), count) in due {
            let about = |mail: &&MailLine| {
                mail.lot.as_deref() == Some(lot) && mail.recipient == email(who) && mail.dedup.contains("-clarify-")
            };
            let found = self.mails.iter().filter(about).count();
            if found < count {
                wrong.push(format!("{} was told of {found} of {count} clarifications of {lot}", email(who)));
            }
        }
    }

    fn check_uploads(&self, stage: &Stage, told: &Told, verdict: &mut Verdict) {
        let config = stage.ground.site().config(0);
        let wrong = &mut verdict.wrong;
        let (blobs, _) = match crate::blobs::DiskBlobs::open(&config.storage.blobs, None) {
            Ok(opened) => opened,
            Err(error) => return wrong.push(format!("the blobs: {error}")),
        };
        for id in &self.used {
            match (self.uploads.get(id), blobs.verify(id)) {
                (Some((state, Some(_))), Ok(damaged)) if state == "complete" && damaged.is_empty() => {
                    verdict.payloads += 1;
                }
                (row, read) => wrong.push(format!("the payload {id} is {row:?}, read {read:?}")),
            }
        }
        let mut there = BTreeSet::new();
        let each = blobs.for_each(|id, _| {
            there.insert(id.to_owned());
            true
        });
        if let Err(error) = each {
            wrong.push(format!("the blobs: {error}"));
        }
        wrong.extend(there.difference(&self.used).map(|id| format!("the blob {id} is used by nothing")));
        wrong.extend(
            self.uploads.keys().filter(|id| !self.used.contains(*id)).map(|id| format!("the upload {id} is over")),
        );
        // Whoever was told that an upload is complete finds it complete, unless nobody used it and it was swept.
        wrong.extend(told.uploads.iter().filter_map(|(who, id)| {
            let row = self.uploads.get(id)?;
            (row.0 != "complete").then(|| format!("the upload {id} of {who} is {}", row.0))
        }));
    }
}

/// Waits until every message has left.
///
/// # Errors
/// When none leaves any more.
pub fn wait_for_mails(stage: &Stage) -> Result<()> {
    let reader = Reader::open(&stage.ground.url());
    let (mut before, mut idle) = (i64::MAX, 0);
    while idle < MAIL_LOOKS {
        let waiting: i64 = reader
            .read_blocking(|conn| Ok(outbox::table.filter(outbox::state.ne("sent")).count().get_result(conn)?))
            .map_err(broken)?;
        if waiting == 0 {
            return Ok(());
        }
        if waiting < before {
            idle = 0;
        } else {
            // A message that a dead server had in hand waits for the end of its lease, and one that failed for its next
            // turn. Not while others leave: a server gives back what it has in hand when its time is half over.
            stage.fleet.move_to(stage.fleet.now().plus_millis(limits::MAIL_LEASE_MS));
            idle += 1;
        }
        before = waiting;
        std::thread::sleep(Duration::from_millis(limits::MAIL_PAUSE_MS));
    }
    Err(DrillError::Wrong("messages do not leave".into()))
}

/// How often it is looked in vain whether a message has left.
const MAIL_LOOKS: u32 = 90;
