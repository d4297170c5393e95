//! The members of a drilled ceremony: what each says, and what must have come of it.

use diesel::prelude::*;
use serde_json::{Value, json};

use super::check::Verdict;
use super::officials::Registered;
use super::people::Person;
use super::play::{DAY, Stage};
use super::{DrillError, Result, broken};
use crate::client::custodians::SnapshotView;
use crate::client::new_key;
use crate::db::schema::{audit_entry, ceremony_messages, partials, share_backups, snapshots, unsealings};
use crate::ledger::Reader;
use crate::seal::ceremony::{Backup, Commit, Dealer, Draft, Group, Message, Round1, Round2, Signed, Transcript};
use crate::seal::ceremony::{prove_kem, rehearsal};
use crate::seal::ids::{Ident, UtcMillis};
use crate::seal::keyset::{KeyShare, Member, Profile};
use crate::seal::partials::{Partial, Partials};
use crate::seal::points::PrivateScalar;
use crate::seal::snapshot::{self, Line};

/// How many there are.
pub const MEMBERS: usize = 3;
/// How many open.
pub const THRESHOLD: u8 = 2;
/// What every member says, in this order.
pub const STEPS: [Step; 5] = [Step::Commit, Step::Round1, Step::Round2, Step::Accept, Step::Rehearse];

/// A step of a ceremony.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The commitment.
    Commit,
    /// The polynomials.
    Round1,
    /// The dealt values.
    Round2,
    /// The acceptance, of which the last publishes the key set.
    Accept,
    /// The rehearsal.
    Rehearse,
}

/// The members' indices.
pub fn indices() -> impl Iterator<Item = u8> {
    (1_u8..).take(MEMBERS)
}

/// A request that a member repeats until it is answered.
pub struct Word {
    member: u8,
    body: Value,
    key: String,
}

/// The members of a ceremony of a lot.
pub struct Members<'a> {
    stage: &'a Stage,
    draft: Draft,
    ceremony: String,
    dealers: Vec<(Dealer, Commit, Round1)>,
    shares: Vec<KeyShare>,
}

fn wrong(what: impl std::fmt::Display) -> DrillError {
    DrillError::Wrong(what.to_string())
}

fn ident(text: &str) -> Result<Ident> {
    Ident::parse(text, "id").map_err(broken)
}

impl<'a> Members<'a> {
    /// Registers the custodians and begins a ceremony for a lot.
    ///
    /// # Errors
    /// A refusal.
    pub fn enrolled(stage: &'a Stage, lot: &Registered) -> Result<Self> {
        let mut members = Vec::new();
        for (i, person) in (1..).zip(&stage.people.custodians) {
            members.push(enrolled(person, i)?);
        }
        // The notice sets the opening later.
        let opens = stage.fleet.now().plus_millis(DAY).to_string();
        let opens_not_before = UtcMillis::parse(opens, "opens").map_err(broken)?;
        let groups = vec![Group { group: ident(&lot.lot)?, opens_not_before }];
        let (tender, id) = (ident(&lot.project)?, ident(&lot.lot)?);
        let draft = Draft::new(tender, id, groups, Profile::Strict, THRESHOLD, members).map_err(broken)?;
        let initiator = &stage.people.initiator;
        let signed = draft.clone().sign(&initiator.key).map_err(broken)?;
        let begun = initiator.insist(|client| client.begin_ceremony(&lot.lot, &signed));
        let view = begun.map_err(wrong)?;
        let dealers = indices().map(|i| Dealer::begin(&draft, i)).collect::<std::result::Result<_, _>>();
        Ok(Self { stage, draft, ceremony: view.id, dealers: dealers.map_err(broken)?, shares: Vec::new() })
    }

    fn person(&self, member: u8) -> &'a Person {
        &self.stage.people.custodians[usize::from(member) - 1]
    }

    fn view(&self) -> Result<Value> {
        let path = format!("/v1/ceremonies/{}", self.ceremony);
        self.stage.people.centre.insist(|client| client.get(&path)).map_err(wrong)
    }

    fn transcript(&self) -> Result<Transcript> {
        let view = self.view()?;
        let mut transcript = Transcript::new(self.draft.clone());
        let said = |step: &str| view["messages"][step].as_array().cloned().unwrap_or_default();
        for value in said("commit") {
            transcript.commit(Signed::<Commit>::from_value(&value).map_err(wrong)?).map_err(wrong)?;
        }
        for value in said("round1") {
            transcript.round1(Signed::<Round1>::from_value(&value).map_err(wrong)?).map_err(wrong)?;
        }
        for value in said("round2") {
            transcript.round2(Signed::<Round2>::from_value(&value).map_err(wrong)?).map_err(wrong)?;
        }
        Ok(transcript)
    }

    fn signed<M: Message>(&self, member: u8, message: M) -> Result<Value> {
        let signed = Signed::sign(message, &self.person(member).key).map_err(broken)?;
        serde_json::to_value(signed.jws()).map_err(broken)
    }

    /// What a member says in a step.
    ///
    /// # Errors
    /// When what was said before is not in order.
    pub fn word(&mut self, step: Step, member: u8) -> Result<Word> {
        let at = usize::from(member) - 1;
        let mut backups: Vec<Value> = Vec::new();
        let message = match step {
            Step::Commit => self.signed(member, self.dealers[at].1.clone())?,
            Step::Round1 => self.signed(member, self.dealers[at].2.clone())?,
            Step::Round2 => {
                let dealt = self.dealers[at].0.deal(&self.transcript()?).map_err(wrong)?;
                self.signed(member, dealt)?
            }
            Step::Accept => {
                let finished = self.dealers[at].0.finish(&self.transcript()?);
                let mut finished = finished.map_err(|fault| wrong(format!("member {member}: {fault:?}")))?;
                let share = finished.shares.remove(0);
                let backup = Backup::seal(&self.draft, &share).map_err(broken)?.to_json();
                backups.push(serde_json::from_str(&backup).map_err(broken)?);
                self.shares.push(share);
                self.signed(member, finished.accept)?
            }
            Step::Rehearse => {
                let answer = rehearsal::answer(&self.shares[at]).map_err(broken)?;
                let signed = answer.sign(&self.person(member).key).map_err(broken)?;
                serde_json::to_value(signed.jws()).map_err(broken)?
            }
        };
        Ok(Word { member, body: json!({ "message": message, "backups": backups }), key: new_key() })
    }

    /// A member says it, until it is answered.
    ///
    /// # Errors
    /// A refusal.
    pub fn say(&self, word: &Word) -> Result<Value> {
        self.say_under(word, &word.key)
    }

    fn say_under(&self, word: &Word, key: &str) -> Result<Value> {
        let path = format!("/v1/ceremonies/{}/messages", self.ceremony);
        self.person(word.member).insist(|client| client.post_once(&path, &word.body, key)).map_err(wrong)
    }

    /// The same message again is answered as it was, and the ceremony waits for whoever has not spoken, by name.
    ///
    /// # Errors
    /// Whatever is otherwise.
    pub fn check_said(&self, step: Step, member: u8, word: &Word, said: &Value) -> Result<()> {
        for key in [word.key.clone(), new_key()] {
            if self.say_under(word, &key)? != *said {
                return Err(wrong(format!("the same {step:?} of member {member} is answered otherwise")));
            }
        }
        let next: Vec<u8> = match indices().filter(|other| *other > member).collect::<Vec<u8>>() {
            others if others.is_empty() && step != Step::Rehearse => indices().collect(),
            others => others,
        };
        let view = self.view()?;
        if view["waiting_for"] != json!(next) {
            let waits = &view["waiting_for"];
            return Err(wrong(format!("after {step:?} of member {member} it waits for {waits}, not {next:?}")));
        }
        Ok(())
    }

    /// Everybody has said everything, once.
    ///
    /// # Errors
    /// Whatever is otherwise.
    pub fn finish(&mut self) -> Result<()> {
        let view = self.view()?;
        let said: usize = view["messages"].as_object().into_iter().flatten().map(|(_, said)| count(said)).sum();
        if view["state"] != "active" || said != STEPS.len() * MEMBERS || count(&view["key_sets"]) != 1 {
            return Err(wrong(format!("the ceremony has {said} messages: {view}")));
        }
        Ok(())
    }

    /// A member gives its share of every line, until it is answered.
    ///
    /// # Errors
    /// A refusal.
    pub fn give(&self, member: u8, lot: &str, asked: &SnapshotView) -> Result<Value> {
        let lines = asked.lines.iter().map(|line| Line::parse(line.to_string().as_bytes()));
        let lines = lines.collect::<std::result::Result<Vec<_>, _>>().map_err(wrong)?;
        let share = &self.shares[usize::from(member) - 1];
        let partial = |line: &Line| {
            Ok(Partial { envelope: line.envelope, slot: line.slot, share: line.share(share).map_err(wrong)? })
        };
        let list = Partials {
            kid: share.key_set().kid,
            member,
            snapshot: snapshot::root(&lines),
            partials: lines.iter().map(partial).collect::<Result<_>>()?,
        };
        let person = self.person(member);
        let signed = list.sign(&person.key).map_err(broken)?;
        person.insist(|client| client.give_partials(lot, &signed)).map_err(wrong)
    }

    /// The same again is answered as it was, and the platform says how many have given and how many are needed.
    ///
    /// # Errors
    /// Whatever is otherwise.
    pub fn check_given(&self, member: u8, lot: &str, asked: &SnapshotView, given: &Value) -> Result<()> {
        let lines = json!(asked.lines.len());
        let again = self.give(member, lot, asked)?;
        if again != *given || given["received"] != lines || given["count"] != lines {
            return Err(wrong(format!("shares of member {member}: {given}, then {again}")));
        }
        let path = format!("/v1/lots/{lot}/partials");
        let shown: Value = self.person(member).insist(|client| client.get(&path)).map_err(wrong)?;
        let items = json!([{ "kid": asked.kid, "member": member, "received": lines }]);
        if shown["items"] != items || shown["k"] != THRESHOLD {
            return Err(wrong(format!("what is said to be missing: {shown}")));
        }
        Ok(())
    }
}

fn count(list: &Value) -> usize {
    list.as_array().map_or(0, Vec::len)
}

fn enrolled(person: &Person, i: u8) -> Result<Member> {
    let kem = PrivateScalar::generate().map_err(broken)?;
    let user = person.insist(|client| client.me()).map_err(wrong)?.id;
    let pok = prove_kem::prove(&kem, &user).map_err(broken)?;
    let sign_kid = person.key.verifying_key().key_id().to_string();
    let public = crate::kernel::encoding::base64url(&kem.public().to_compressed());
    let made = person.insist(|client| client.put_custodian(&sign_kid, &public, &pok)).map_err(wrong)?;
    made.member(i).map_err(wrong)
}

/// Whatever happened is on record once, and stored once.
///
/// # Errors
/// The database's.
pub fn count_once(stage: &Stage, lot: &str, verdict: &mut Verdict) -> Result<()> {
    let (bids, lot) = (stage.journal.told().acts.len(), lot.to_owned());
    let said = MEMBERS * STEPS.len();
    let once = [
        ("ceremony.begun", 1),
        ("ceremony.message", said),
        ("key_set.created", 1),
        ("box.snapshot", 1),
        ("partials.received", usize::from(THRESHOLD)),
        ("opening.begun", 1),
        ("opening.unsealed", 1),
        ("opening.closed", 1),
    ];
    let reader = Reader::open(&stage.ground.url());
    let counted = reader.read_blocking(move |conn| {
        let mut counted: Vec<(String, i64, usize)> = Vec::new();
        for (kind, expected) in once {
            let of = audit_entry::table.filter(audit_entry::kind.eq(kind)).filter(audit_entry::lot_id.eq(&lot));
            counted.push((kind.to_owned(), of.count().get_result(conn)?, expected));
        }
        let outcomes: i64 = unsealings::table.count().get_result(conn)?;
        let lines = usize::try_from(outcomes).unwrap_or(0);
        let good = unsealings::table.filter(unsealings::state.eq("opened")).count().get_result(conn)?;
        counted.push(("envelopes that opened".into(), good, lines));
        counted.push(("ceremony_messages".into(), ceremony_messages::table.count().get_result(conn)?, said));
        counted.push(("share_backups".into(), share_backups::table.count().get_result(conn)?, MEMBERS));
        counted.push(("snapshots".into(), snapshots::table.count().get_result(conn)?, 1));
        let shares = partials::table.count().get_result(conn)?;
        counted.push(("partials".into(), shares, lines * usize::from(THRESHOLD)));
        counted.push(("envelopes".into(), i64::from(lines >= bids), 1));
        Ok(counted)
    });
    for (what, found, expected) in counted.map_err(broken)? {
        if usize::try_from(found) != Ok(expected) {
            verdict.wrong.push(format!("{what}: {found}, and not {expected}"));
        }
    }
    Ok(())
}
