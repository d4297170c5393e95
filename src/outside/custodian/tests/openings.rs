//! Openings: every refusal, and what is given when there is none.

use serde_json::json;

use super::stage::{LOT, Log, OPENS, Office, at, ident, line, lines, view};
use crate::client::custodians::SnapshotView;
use crate::custodian::Error;
use crate::custodian::desk::Asked;
use crate::custodian::opening::Checked;
use crate::custodian::watch;
use crate::kernel::digest::sha256;
use crate::kernel::time::Timestamp;
use crate::seal::keys::{Algorithm, SigningKey};
use crate::seal::partials::SignedPartials;
use crate::seal::snapshot::{Line, Snapshot};
use crate::seal::unsealing::Holder;
use crate::tlog::specimen::Specimen;

/// An office after its ceremony at the opening time, a log, and a snapshot of three bids.
struct Opening {
    office: Office,
    log: Log,
    lines: Vec<Line>,
    view: SnapshotView,
}

impl Opening {
    fn new() -> Self {
        let office = Office::new(2, 3).active();
        office.clock.set(at(OPENS));
        let key_set = office.key_set();
        let (mut log, lines) = (Log::new(), lines(&key_set, 3));
        let view = log.snapshot(&office.memory.key, &key_set, &lines);
        log.grow(5);
        Self { office, log, lines, view }
    }

    fn asked(&self, view: &SnapshotView) -> Asked {
        Asked { view: view.clone(), opens_at: Some(at(OPENS)), checkpoint: self.log.checkpoint() }
    }

    fn check(&self, asked: &Asked) -> Result<Checked, Error> {
        self.office.desk(0).check(asked, &self.log.files)
    }

    /// The code with which a view is refused; nothing is on file as answered afterwards.
    fn refused(&self, asked: &Asked) -> String {
        let code = self.check(asked).unwrap_err().code().unwrap().to_owned();
        let desk = self.office.desk(0);
        assert!(desk.state().shares.values().all(|share| share.answered.is_none()), "{code}");
        code
    }

    /// A snapshot of other lines, signed by the platform and in the log.
    fn other(&mut self, lines: &[Line]) -> SnapshotView {
        let key_set = self.office.key_set();
        self.log.snapshot(&self.office.memory.key, &key_set, lines)
    }
}

fn given(desk: &mut crate::custodian::desk::Desk<'_>, checked: &Checked) -> Vec<SignedPartials> {
    let mut lists = Vec::new();
    desk.answer(checked, |list, _| {
        lists.push(list.clone());
        Ok(())
    })
    .unwrap();
    lists
}

#[test]
fn every_line_is_answered_and_the_snapshot_is_on_file_before() {
    let opening = Opening::new();
    let checked = opening.check(&opening.asked(&opening.view)).unwrap();
    let mut desk = opening.office.desk(0);
    let answered = desk.state().shares.values().next().unwrap().answered.as_ref().unwrap();
    assert_eq!((answered.root, answered.done), (checked.snapshot.root, false));
    assert_eq!(desk.state().head, Some(opening.log.checkpoint()));
    assert_eq!(desk.unanswered().unwrap(), [(at(OPENS), LOT.to_owned())]);
    let (key_set, lists) = (opening.office.key_set(), given(&mut desk, &checked));
    assert_eq!(lists.len(), 1);
    let list = lists[0].verify(desk.state().signing_key().unwrap().verifying_key()).unwrap();
    assert_eq!((list.kid, list.member, list.snapshot), (key_set.kid, 1, checked.snapshot.root));
    for (line, partial) in opening.lines.iter().zip(&list.partials) {
        assert_eq!((line.envelope, line.slot), (partial.envelope, partial.slot));
        assert!(line.verify(&Holder::of(&key_set, 1), &partial.share));
    }
    assert!(desk.unanswered().unwrap().is_empty());
    drop(desk);
    // The same again, as often as one likes.
    opening.check(&opening.asked(&opening.view)).unwrap();
}

#[test]
fn many_lines_go_in_lists_of_five_hundred() {
    let mut opening = Opening::new();
    let key_set = opening.office.key_set();
    let one = line(&key_set, "org-1");
    // The proof does not name the envelope, so that one line stands for many.
    let mut many: Vec<Line> = (0..501_u32).map(|n| Line { envelope: sha256(&n.to_be_bytes()), ..one }).collect();
    many.sort_by_key(|line| line.envelope);
    let view = opening.other(&many);
    let checked = opening.check(&opening.asked(&view)).unwrap();
    let lists = given(&mut opening.office.desk(0), &checked);
    let sizes: Vec<usize> = lists.iter().map(|list| list.list().partials.len()).collect();
    assert_eq!(sizes, [500, 1]);
}

#[test]
fn nothing_is_given_before_its_time_by_ones_own_clock() {
    let mut opening = Opening::new();
    let early = at(OPENS).plus_millis(-1);
    opening.office.clock.jump(early);
    assert_eq!(opening.refused(&opening.asked(&opening.view)), "too-early");
    assert_eq!(opening.office.desk(0).in_time(LOT).unwrap_err().code(), Some("too-early"));
    assert_eq!(opening.office.desk(0).in_time("lot-2").unwrap_err().code(), Some("no-share"));
    opening.office.clock.jump(at(OPENS));
    // The lot opens later than the key set says: by the platform's word, or by the record.
    let later = at(OPENS).plus_seconds(60);
    let asked = Asked { opens_at: Some(later), ..opening.asked(&opening.view) };
    assert_eq!(opening.refused(&asked), "too-early");
    let key_set = opening.office.key_set();
    let snapshot = Snapshot::new(&key_set, ident(LOT), &opening.lines);
    let data = json!({ "kid": snapshot.kid, "root": snapshot.root, "opens_at": later });
    let proof = opening.log.entry("box.snapshot", LOT, &data);
    let recorded = view(&opening.office.memory.key, &snapshot, &opening.lines, proof);
    let asked = Asked { opens_at: None, ..opening.asked(&recorded) };
    assert_eq!(opening.refused(&asked), "too-early");
    // An earlier word counts for nothing.
    opening.office.clock.jump(early);
    let asked = Asked { opens_at: Some(Timestamp::from_millis(0)), ..opening.asked(&opening.view) };
    assert_eq!(opening.refused(&asked), "too-early");
}

#[test]
fn from_a_file_the_moment_is_the_one_on_record_and_a_false_one_is_evidence() {
    let mut opening = Opening::new();
    let moved = at(OPENS).plus_seconds(60);
    let snapshot = Snapshot::new(&opening.office.key_set(), ident(LOT), &opening.lines);
    // The opening was moved after the key was made: the record says so, and a file has nothing else to go by.
    let data = json!({ "kid": snapshot.kid, "root": snapshot.root, "opens_at": moved });
    let proof = opening.log.entry("box.snapshot", LOT, &data);
    let recorded = view(&opening.office.memory.key, &snapshot, &opening.lines, proof);
    assert_eq!(opening.refused(&Asked { opens_at: None, ..opening.asked(&recorded) }), "too-early");
    // A record that keeps to the old moment is contradicted by the platform's own schedule, where that is asked.
    assert_eq!(opening.refused(&Asked { opens_at: Some(moved), ..opening.asked(&opening.view) }), "too-early");
    // From a file nothing contradicts it; but what convicts whoever wrote it is in the log, under the head that is kept.
    let checked = opening.check(&Asked { opens_at: None, ..opening.asked(&opening.view) }).unwrap();
    let desk = opening.office.desk(0);
    let answered = desk.state().shares.values().next().unwrap().answered.as_ref().unwrap();
    assert_eq!((answered.root, &answered.snapshot), (checked.snapshot.root, &opening.view.snapshot));
    let trust = watch::trust(&desk.state().policy).unwrap();
    let head = trust.head("kept", desk.state().head.as_deref().unwrap()).unwrap();
    let proof = opening.view.proof.as_deref();
    let (_, said) = watch::recorded(&trust, &opening.log.files, head, proof, &checked.snapshot).unwrap();
    assert_eq!(said, Some(at(OPENS)));
}

#[test]
fn a_snapshot_of_another_hand_or_of_something_else_is_refused() {
    let mut opening = Opening::new();
    let key_set = opening.office.key_set();
    let stranger = SigningKey::generate(Algorithm::EdDsa).unwrap();
    let signed = opening.log.snapshot(&stranger, &key_set, &opening.lines);
    assert_eq!(opening.refused(&opening.asked(&signed)), "snapshot-invalid");
    let platform = SigningKey::from_pem(opening.office.memory.key.to_pem().expose()).unwrap();
    for (change, lot) in [("lot", "lot-2"), ("group", LOT), ("tender", LOT)] {
        let mut other = key_set.clone();
        match change {
            "group" => other.group = ident("group-2"),
            "tender" => other.tender = ident("prj-2"),
            _ => {}
        }
        let snapshot = Snapshot::new(&other, ident(lot), &opening.lines);
        let mut shown = view(&platform, &snapshot, &opening.lines, opening.view.proof.clone().unwrap());
        shown.lot_id = LOT.into();
        assert_eq!(opening.refused(&opening.asked(&shown)), "snapshot-of-another", "{change}");
    }
    let other = Office::new(2, 3).active().key_set();
    let shown = opening.log.snapshot(&platform, &other, &opening.lines);
    assert_eq!(opening.refused(&opening.asked(&shown)), "no-share");
    let shown = SnapshotView { kid: key_set.kid.to_string(), ..shown };
    assert_eq!(opening.refused(&opening.asked(&shown)), "snapshot-of-another");
}

#[test]
fn altered_lines_and_lines_without_their_proof_are_refused() {
    let mut opening = Opening::new();
    let mut shown = opening.view.clone();
    shown.lines.swap(0, 1);
    assert_eq!(opening.refused(&opening.asked(&shown)), "lines-altered");
    let mut shown = opening.view.clone();
    shown.lines.pop();
    assert_eq!(opening.refused(&opening.asked(&shown)), "lines-altered");
    let mut shown = opening.view.clone();
    shown.lines[0]["enc"] = shown.lines[1]["enc"].clone();
    assert_eq!(opening.refused(&opening.asked(&shown)), "lines-altered");
    // The platform itself has signed lines that prove nothing: another bid's key in disguise, or no proof.
    for change in [
        |lines: &mut Vec<Line>| lines[0].enc = lines[1].enc,
        |lines: &mut Vec<Line>| lines[0].pok = None,
        |lines: &mut Vec<Line>| lines[0].ctx_hash = lines[1].ctx_hash,
        |lines: &mut Vec<Line>| lines[0].slot = 1,
    ] {
        let mut lines = opening.lines.clone();
        change(&mut lines);
        let shown = opening.other(&lines);
        assert_eq!(opening.refused(&opening.asked(&shown)), "line-unproven");
    }
}

#[test]
fn a_snapshot_that_is_not_in_the_log_is_refused() {
    let mut opening = Opening::new();
    let mut shown = opening.view.clone();
    shown.proof = None;
    assert_eq!(opening.refused(&opening.asked(&shown)), "snapshot-not-yet-in-log");
    let key_set = opening.office.key_set();
    let snapshot = Snapshot::new(&key_set, ident(LOT), &opening.lines);
    let (kid, root) = (snapshot.kid, snapshot.root);
    for (kind, lot, data) in [
        ("box.other", LOT, json!({ "kid": kid, "root": root })),
        ("box.snapshot", "lot-2", json!({ "kid": kid, "root": root })),
        ("box.snapshot", LOT, json!({ "kid": "00".repeat(16), "root": root })),
        ("box.snapshot", LOT, json!({ "kid": kid, "root": sha256(b"other") })),
        ("box.snapshot", LOT, json!({ "root": root })),
    ] {
        let proof = Some(opening.log.entry(kind, lot, &data));
        let shown = SnapshotView { proof, ..opening.view.clone() };
        assert_eq!(opening.refused(&opening.asked(&shown)), "snapshot-not-in-log", "{data}");
    }
    // A proof that leads nowhere, and one whose entry was changed.
    let mut shown = opening.view.clone();
    let proof = shown.proof.clone().unwrap();
    let at = proof.lines().position(|line| line.starts_with("index ")).unwrap();
    let wrong: Vec<&str> = proof.lines().enumerate().map(|(n, line)| if n == at { "index 1" } else { line }).collect();
    shown.proof = Some(wrong.join("\n") + "\n");
    assert_eq!(opening.refused(&opening.asked(&shown)), "snapshot-not-in-log");
    let extra = proof.lines().find(|line| line.starts_with("extra ")).unwrap();
    let mut changed = extra.to_owned();
    let digit = changed.len() - 20;
    let other = if changed.as_bytes()[digit] == b'A' { "B" } else { "A" };
    changed.replace_range(digit..=digit, other);
    shown.proof = Some(proof.replace(extra, &changed));
    assert_eq!(opening.refused(&opening.asked(&shown)), "snapshot-not-in-log");
}

#[test]
fn a_log_that_was_rolled_back_or_forked_is_noticed() {
    let mut opening = Opening::new();
    // It has followed the log further than what is shown now.
    let older = opening.log.checkpoint();
    opening.log.grow(300);
    let newer = opening.log.checkpoint();
    opening.office.desk(0).follow(&opening.log.files, &newer).unwrap();
    let asked = Asked { checkpoint: older, ..opening.asked(&opening.view) };
    assert_eq!(opening.refused(&asked), "log-refuted");
    // Another history of the same size.
    let specimen = Specimen::new();
    let forged = |size: u64| {
        let mut head = opening.log.specimen.head();
        (head.size, head.root) = (size, sha256(b"another history"));
        specimen.checkpoint(&head, 1_795_309_260)
    };
    let size = opening.log.specimen.head().size;
    let asked = Asked { checkpoint: forged(size), ..opening.asked(&opening.view) };
    assert_eq!(opening.refused(&asked), "log-forked");
    // A log of its own, whole in itself, that never was a beginning of this one: the snapshot is in it.
    let mut other = Log::new();
    other.grow(600);
    let key_set = opening.office.key_set();
    let shown = other.snapshot(&opening.office.memory.key, &key_set, &opening.lines);
    let asked = Asked { checkpoint: other.checkpoint(), ..opening.asked(&shown) };
    let refused = opening.office.desk(0).check(&asked, &other.files).unwrap_err();
    assert_eq!(refused.code(), Some("log-forked"));
    // The proof is of that log, the checkpoint of this one.
    let asked = opening.asked(&shown);
    assert!(opening.refused(&asked).starts_with("log-"));
    // Tiles are missing, a stranger signed, the witnesses are too few.
    let asked = Asked { checkpoint: forged(size + 8), ..opening.asked(&opening.view) };
    let refused = opening.office.desk(0).check(&asked, &std::collections::BTreeMap::new()).unwrap_err();
    assert_eq!(refused.code(), Some("log-undecided"));
    let uncosigned: String = newer.split_inclusive('\n').take(5).collect();
    let asked = Asked { checkpoint: uncosigned, ..opening.asked(&opening.view) };
    assert_eq!(opening.refused(&asked), "log-undecided");
    assert_eq!(opening.office.desk(0).state().head, Some(newer), "what was believed is not replaced");
}

#[test]
fn a_second_snapshot_is_never_answered_and_both_are_kept() {
    let mut opening = Opening::new();
    opening.check(&opening.asked(&opening.view)).unwrap();
    let fewer = opening.lines[..2].to_vec();
    let other = opening.other(&fewer);
    let refused = opening.check(&opening.asked(&other)).unwrap_err();
    assert_eq!(refused.code(), Some("second-snapshot"));
    let desk = opening.office.desk(0);
    let share = desk.state().shares.values().next().unwrap();
    assert_eq!(share.answered.as_ref().unwrap().snapshot, opening.view.snapshot);
    assert_eq!(share.other_snapshot.as_ref(), Some(&other.snapshot));
}

#[test]
fn a_file_put_back_after_the_opening_time_answers_only_when_a_person_is_certain() {
    let opening = Opening::new();
    let copy = opening.office.dir.path().join("copy");
    opening.office.desk(0).copy(&copy).unwrap();
    std::fs::remove_file(opening.office.file(0)).unwrap();
    let passphrase = || crate::custodian::vault::tests::passphrase(super::stage::PASSPHRASE);
    let clock = &opening.office.clock;
    drop(crate::custodian::desk::Desk::put_back(&copy, &opening.office.file(0), passphrase(), clock).unwrap());
    assert_eq!(opening.refused(&opening.asked(&opening.view)), "restored-after-opening");
    opening.office.desk(0).not_answered(&opening.view.kid).unwrap();
    opening.check(&opening.asked(&opening.view)).unwrap();
}

#[test]
fn a_key_set_that_was_never_seen_to_be_complete_is_not_used() {
    let office = Office::new(2, 3).dealt();
    (0..3).for_each(|user| office.accept(user).unwrap());
    office.clock.set(at(OPENS));
    let (key_set, mut log) = (office.key_set(), Log::new());
    let view = log.snapshot(&office.memory.key, &key_set, &lines(&key_set, 1));
    let opening = Opening { office, log, lines: Vec::new(), view };
    assert_eq!(opening.refused(&opening.asked(&opening.view)), "key-set-unconfirmed");
    opening.office.step(0).unwrap();
    opening.check(&opening.asked(&opening.view)).unwrap();
}
