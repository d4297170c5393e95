//! A lost share, and the files that go from hand to hand.

use std::path::{Path, PathBuf};

use super::stage::{LOT, OPENS, Office, at};
use crate::custodian::desk::{Desk, Outcome};
use crate::custodian::repair::{Papers, REQUEST, SPLIT, SUM, Sheet};
use crate::custodian::state::State;
use crate::custodian::vault::tests::{CHEAP, passphrase};
use crate::custodian::vault::{self, Vault};
use crate::seal::ceremony::repair::{Repair, Request, Signed};
use crate::seal::keyset::KeyShare;

/// Who lost its share, by index; users count from 0.
const LOST: u8 = 2;

/// A ceremony of five, three of whom open, and one of whom has only a copy from before it.
struct Round {
    office: Office,
    dir: tempfile::TempDir,
    /// The lost share.
    lost: KeyShare,
}

fn code<T: std::fmt::Debug>(result: crate::custodian::Result<T>) -> String {
    result.unwrap_err().code().unwrap().to_owned()
}

impl Round {
    fn new() -> Self {
        let office = Office::new(3, 5);
        let copy = office.dir.path().join("copy");
        office.desk(1).copy(&copy).unwrap();
        let office = office.active();
        let kid = office.key_set().kid.to_string();
        let lost = office.desk(1).state().shares[&kid].secret().unwrap();
        std::fs::remove_file(office.file(1)).unwrap();
        Self::put_back(&office, &copy);
        Self { office, dir: tempfile::tempdir().unwrap(), lost }
    }

    fn put_back(office: &Office, copy: &Path) {
        let plain = vault::unseal(&vault::read(copy).unwrap(), &passphrase(super::stage::PASSPHRASE)).unwrap();
        let vault = Vault::create_at(&office.file(1), passphrase(super::stage::PASSPHRASE), CHEAP).unwrap();
        Desk::begin(vault, State::read(&plain).unwrap(), &office.clock).unwrap();
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn put(&self, name: &str, sheet: &Sheet) {
        std::fs::write(self.file(name), serde_json::to_string(sheet).unwrap()).unwrap();
    }

    fn sheet(&self, name: &str) -> Sheet {
        serde_json::from_slice(&std::fs::read(self.file(name)).unwrap()).unwrap()
    }

    /// The custodian that lost its share asks these members.
    fn ask(&self, helpers: &[u8]) -> crate::custodian::Result<()> {
        let mut desk = self.office.desk(1);
        let ceremony = self.office.read(&desk)?;
        let sheet = desk.ask_for_repair(&ceremony, helpers)?;
        self.put(REQUEST, &sheet);
        Ok(())
    }

    /// A member runs the command, with a file opened anew, until nothing is to be written.
    fn run(&self, member: u8) -> crate::custodian::Result<Outcome> {
        loop {
            let papers = Papers::read(self.dir.path())?;
            match self.office.desk(usize::from(member) - 1).repair(&papers)? {
                Outcome::Write(name, sheet) => self.put(&name, &sheet),
                outcome => return Ok(outcome),
            }
        }
    }

    /// Everybody runs it twice.
    fn all_helped(&self, helpers: &[u8]) {
        for _ in 0..2 {
            helpers.iter().for_each(|helper| drop(self.run(*helper).unwrap()));
        }
    }

    fn kid(&self) -> String {
        self.office.key_set().kid.to_string()
    }
}

#[test]
fn one_directory_goes_round_and_the_share_is_back() {
    let round = Round::new();
    round.ask(&[5, 1, 4]).unwrap();
    assert!(matches!(round.run(LOST).unwrap(), Outcome::Wait(SPLIT, missing) if missing == [1, 4, 5]));
    assert!(matches!(round.run(1).unwrap(), Outcome::Wait(SPLIT, missing) if missing == [4, 5]));
    let first = round.sheet("repair-split-1.json");
    // Whoever runs it again, or lost the file on the way, gives the same one.
    std::fs::remove_file(round.file("repair-split-1.json")).unwrap();
    round.run(1).unwrap();
    assert_eq!(round.sheet("repair-split-1.json"), first);
    round.run(4).unwrap();
    assert!(matches!(round.run(5).unwrap(), Outcome::Helped));
    assert!(matches!(round.run(LOST).unwrap(), Outcome::Wait(SUM, missing) if missing == [1, 4]));
    round.all_helped(&[1, 4, 5]);
    assert!(matches!(round.run(LOST).unwrap(), Outcome::Repaired(_)));
    assert!(matches!(round.run(LOST).unwrap(), Outcome::Repaired(_)), "and again");
    let desk = round.office.desk(1);
    let share = &desk.state().shares[&round.kid()];
    assert_eq!(share.secret().unwrap().private_bytes().expose(), round.lost.private_bytes().expose());
    assert!(share.confirmed && !share.unsure && share.lot == LOT);
    let helper = round.office.desk(0);
    let kept = helper.state().repairs.values().next().unwrap();
    assert!(kept.done && kept.own().is_err(), "what the helper kept for itself is erased");
    drop((desk, helper));
    // It works: its owner shows it to the platform.
    let mut desk = round.office.desk(1);
    let ceremony = round.office.read(&desk).unwrap();
    assert_eq!(desk.rehearse(&round.office.seat(1), &ceremony).unwrap(), 1);
    assert_eq!(code(desk.ask_for_repair(&ceremony, &[1, 4, 5])), "repair-not-needed");
}

#[test]
fn a_share_that_is_back_after_the_opening_time_may_have_answered() {
    let round = Round::new();
    round.ask(&[1, 3, 4]).unwrap();
    round.all_helped(&[1, 3, 4]);
    round.office.clock.set(at(OPENS));
    round.run(LOST).unwrap();
    assert!(round.office.desk(1).state().shares[&round.kid()].unsure);
}

#[test]
fn whoever_is_not_asked_or_has_another_key_set_is_refused_and_so_are_too_few_helpers() {
    let round = Round::new();
    for helpers in [&[1, 3][..], &[1, 3, LOST], &[1, 3, 4, 5]] {
        assert_eq!(code(round.ask(helpers)), "repair-of-another", "{helpers:?}");
    }
    round.ask(&[1, 3, 4]).unwrap();
    assert_eq!(code(round.run(5)), "repair-not-asked");
    let stranger = Office::new(3, 5).active();
    let papers = Papers::read(round.dir.path()).unwrap();
    assert_eq!(code(stranger.desk(0).repair(&papers)), "repair-of-another");
    // Somebody who has the file of the one that asked, but did not ask with it.
    let request = round.sheet(REQUEST);
    std::fs::remove_file(round.office.file(1)).unwrap();
    Round::put_back(&round.office, &round.office.dir.path().join("copy"));
    assert_eq!(code(round.run(LOST)), "repair-of-another");
    round.put(REQUEST, &request);
    assert!(round.run(1).is_ok());
}

#[test]
fn files_of_another_repair_repeated_altered_or_made_by_somebody_else_are_refused_by_name() {
    let round = Round::new();
    round.ask(&[1, 3, 4]).unwrap();
    round.all_helped(&[1, 3, 4]);
    let refused = |name: &str, sheet: &Sheet, expected: &str| {
        let before = std::fs::read(round.file(name)).ok();
        round.put(name, sheet);
        let error = round.run(LOST).unwrap_err();
        assert_eq!(error.code(), Some(expected), "{name}: {error}");
        assert!(error.to_string().contains(name), "{error}");
        match before {
            Some(bytes) => std::fs::write(round.file(name), bytes).unwrap(),
            None => std::fs::remove_file(round.file(name)).unwrap(),
        }
    };
    let (split, sum) = (round.sheet("repair-split-3.json"), round.sheet("repair-sum-3.json"));
    refused("repair-split-3x.json", &split, "repair-file-twice");
    refused("repair-sum-9.json", &sum, "repair-file-twice");
    refused("repair-sum-3.json", &split, "file-invalid");
    let mut forged = split.clone();
    forged.signer = sum.signer.clone();
    forged.signed["signature"] = round.sheet("repair-split-1.json").signed["signature"].clone();
    refused("repair-split-3.json", &forged, "file-invalid");
    // The same member, the same helpers, another time; and what goes to another member.
    let later = by(&round, LOST, &[1, 3, 4]);
    refused("repair-split-3.json", &helped(&round, &later, 3), "repair-of-another");
    let of_another = by(&round, 5, &[1, 3, 4]);
    refused("repair-split-3.json", &helped(&round, &of_another, 3), "repair-of-another");
    assert!(matches!(round.run(LOST).unwrap(), Outcome::Repaired(_)));
}

/// Another repair of the same key set.
fn by(round: &Round, member: u8, helpers: &[u8]) -> Repair {
    let key = round.office.desk(usize::from(member) - 1).state().signing_key().unwrap();
    let request = Request::new(&round.office.key_set(), member, helpers).unwrap();
    let signed = Signed::sign(request, &key).unwrap();
    Repair::asked(round.office.key_set(), &signed, key.verifying_key()).unwrap()
}

/// What a helper says in it.
fn helped(round: &Round, repair: &Repair, helper: u8) -> Sheet {
    let desk = round.office.desk(usize::from(helper) - 1);
    let share = desk.state().shares[&round.kid()].secret().unwrap();
    Sheet::sign(repair.split(&share).unwrap().split, &desk.state().signing_key().unwrap()).unwrap()
}

#[test]
fn a_helper_with_a_wrong_summand_is_named_by_whom_it_is_for_and_its_file_is_kept() {
    let round = Round::new();
    round.ask(&[1, 3, 4]).unwrap();
    let desk = round.office.desk(2);
    let share = desk.state().shares[&round.kid()].secret().unwrap();
    let repair = Papers::read(round.dir.path()).unwrap().repair(round.office.key_set()).unwrap();
    let wrong = repair.split_with(&share, |to, value| if to == 4 { value + value } else { value }).unwrap();
    let sheet = Sheet::sign(wrong.split, &desk.state().signing_key().unwrap()).unwrap();
    drop(desk);
    round.put("repair-split-3.json", &sheet);
    round.run(1).unwrap();
    let error = round.run(4).unwrap_err();
    assert_eq!(error.code(), Some("repair-wrong-value"));
    assert!(error.to_string().contains("repair-split-3.json"), "{error}");
    // Member 3's own tool did not say this.
    assert_eq!(code(round.run(3)), "message-not-mine");
}
