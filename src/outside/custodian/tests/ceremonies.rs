//! Ceremonies: the same words after a crash, and no word where something does not fit.

use super::stage::{Cut, OPENS, Office, PASSPHRASE, Seat, at, json_of};
use crate::custodian::Error;
use crate::custodian::ceremony::{Ceremony, Next, fingerprint};
use crate::custodian::desk::Desk;
use crate::custodian::platform::Platform;
use crate::custodian::vault::tests::passphrase;
use crate::kernel::encoding::base64url;
use crate::seal::ceremony::{Dealer, Signed, Transcript, judge, rehearsal};
use crate::seal::jws::Jws;
use crate::seal::keys::{Algorithm, SigningKey};
use crate::seal::partials::SignedPartials;
use crate::seal::points::PrivateScalar;

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    result.unwrap_err().code().unwrap().to_owned()
}

#[test]
fn all_members_come_to_one_key_with_a_new_process_for_every_step() {
    let office = Office::new(3, 5).active();
    let key_set = office.key_set();
    for user in 0..5 {
        let desk = office.desk(user);
        let share = desk.state().shares.values().next().unwrap();
        assert!(share.confirmed && share.public().unwrap() == key_set);
        assert_eq!(usize::from(share.secret().unwrap().member()), user + 1);
        let kept = &desk.state().ceremonies["cer-1"];
        assert!(kept.secrets.is_none(), "the ceremony's secrets are erased");
        let ceremony = office.read(&desk).unwrap();
        assert_eq!(desk.next(&ceremony).unwrap(), Next::Active);
    }
    assert_eq!(
        fingerprint("000102030405060708090a0b0c0d0e0f".parse().unwrap()),
        "0001 0203 0405 0607 0809 0a0b 0c0d 0e0f"
    );
}

#[test]
fn what_was_stored_and_not_sent_is_sent_and_what_was_sent_is_sent_again() {
    for cut in [Cut::BeforeItArrives, Cut::AfterItArrived] {
        let office = Office::new(2, 3);
        for step in ["commit", "round1", "round2"] {
            for user in 0..3 {
                office.memory.cut.set(cut);
                assert!(matches!(office.step(user), Err(Error::Server(_))), "{step}");
                // Where it had arrived the platform shows it, and the next step finds it to be what is kept.
                if cut == Cut::BeforeItArrives {
                    office.step(user).unwrap();
                    let sent = office.memory.sent.borrow();
                    assert_eq!(sent[sent.len() - 1], sent[sent.len() - 2], "{step}");
                }
            }
            assert_eq!(office.memory.shown().messages[step].len(), 3);
        }
        for user in 0..3 {
            office.memory.cut.set(cut);
            assert!(matches!(office.accept(user), Err(Error::Server(_))));
            assert!(office.desk(user).state().ceremonies["cer-1"].secrets.is_none());
            office.step(user).unwrap();
        }
        office.step(0).unwrap();
        assert!(office.desk(0).state().shares.values().next().unwrap().confirmed);
    }
}

#[test]
fn a_file_that_does_not_know_what_was_said_in_its_name_says_no_more() {
    let office = Office::new(2, 3);
    let old = std::fs::read(office.file(0)).unwrap();
    (0..3).for_each(|user| office.step(user).unwrap());
    std::fs::write(office.file(0), old).unwrap();
    assert_eq!(code(office.step(0)), "message-not-mine");
    assert_eq!(office.memory.sent.borrow().len(), 3);
}

#[test]
fn a_draft_with_other_keys_or_another_signature_is_refused() {
    let office = Office::new(2, 3);
    let me = office.desk(0).me().unwrap();
    let read = |change: &dyn Fn(&mut crate::client::custodians::CeremonyView)| {
        let mut view = office.memory.shown();
        change(&mut view);
        code(Ceremony::read(&view, &me))
    };
    let stranger = SigningKey::generate(Algorithm::EdDsa).unwrap();
    let public = stranger.verifying_key().to_base64url();
    assert_eq!(read(&|view| view.tenderer.public_key.clone_from(&public)), "draft-invalid");
    assert_eq!(read(&|view| view.members[1].key.public_key.clone_from(&public)), "draft-invalid");
    assert_eq!(read(&|view| drop(view.members.pop())), "draft-invalid");
    assert_eq!(read(&|view| view.lot_id = "lot-other".into()), "draft-invalid");
    assert_eq!(read(&|view| view.draft["payload"] = base64url(b"{}").into()), "draft-invalid");
    let other = crate::custodian::ceremony::Me { sign_kid: stranger.verifying_key().key_id(), ..me };
    assert_eq!(code(Ceremony::read(&office.memory.shown(), &other)), "not-a-member");
    let other = crate::custodian::ceremony::Me { kem: PrivateScalar::generate().unwrap().public(), ..me };
    assert_eq!(code(Ceremony::read(&office.memory.shown(), &other)), "backup-key-not-mine");
}

#[test]
fn messages_of_strangers_and_messages_that_were_altered_are_refused() {
    let office = Office::new(2, 3).dealt();
    let me = office.desk(0).me().unwrap();
    let stranger = SigningKey::generate(Algorithm::EdDsa).unwrap();
    let draft = office.memory.draft();
    let (_, commit, _) = Dealer::begin(&draft, 2).unwrap();
    let forged = serde_json::to_value(Signed::sign(commit, &stranger).unwrap().jws()).unwrap();
    for step in ["commit", "round1", "round2"] {
        let mut view = office.memory.shown();
        let other = view.messages[step][2]["signature"].clone();
        view.messages.get_mut(step).unwrap()[1]["signature"] = other;
        assert_eq!(code(Ceremony::read(&view, &me)), "message-invalid", "{step}");
        let mut view = office.memory.shown();
        let twice = view.messages[step][1].clone();
        view.messages.get_mut(step).unwrap().push(twice);
        assert_eq!(code(Ceremony::read(&view, &me)), "message-invalid", "{step} twice");
    }
    let mut view = office.memory.shown();
    view.messages.get_mut("commit").unwrap()[1] = forged;
    assert_eq!(code(Ceremony::read(&view, &me)), "message-invalid");
}

#[test]
fn round_1_is_kept_back_until_all_have_committed() {
    let office = Office::new(2, 3);
    office.step(0).unwrap();
    office.step(0).unwrap();
    let desk = office.desk(0);
    assert_eq!(desk.next(&office.read(&desk).unwrap()).unwrap(), Next::Wait("commit", vec![2, 3]));
    assert_eq!(office.memory.sent.borrow().len(), 1);
    // A platform that hurries is not followed.
    office.memory.view.borrow_mut().as_mut().unwrap().state = "round1".into();
    drop(desk);
    office.step(0).unwrap();
    assert_eq!(office.memory.sent.borrow().len(), 1);
}

#[test]
fn a_wrong_share_ends_in_a_complaint_that_is_sent_again_after_a_crash() {
    let office = Office::new(2, 3);
    for _ in 0..2 {
        (0..3).for_each(|user| office.step(user).unwrap());
    }
    // Member 3 deals the values of another polynomial.
    office.step(0).unwrap();
    office.step(1).unwrap();
    let desk = office.desk(2);
    let ceremony = office.read(&desk).unwrap();
    let (dealer, commit, round1) = Dealer::begin(ceremony.draft(), 3).unwrap();
    let key = desk.state().signing_key().unwrap();
    let (said, mut forged) = (&ceremony.transcript, Transcript::new(office.memory.draft()));
    for member in [1, 2] {
        forged.commit(Signed::sign(said.committed(member).unwrap().clone(), &key).unwrap()).unwrap();
    }
    forged.commit(Signed::sign(commit, &key).unwrap()).unwrap();
    for member in [1, 2] {
        forged.round1(Signed::sign(said.said_round1(member).unwrap().clone(), &key).unwrap()).unwrap();
    }
    forged.round1(Signed::sign(round1, &key).unwrap()).unwrap();
    let wrong = serde_json::to_value(Signed::sign(dealer.deal(&forged).unwrap(), &key).unwrap().jws()).unwrap();
    drop(desk);
    Seat { memory: &office.memory, user: 2 }.say("cer-1", &wrong, &[]).unwrap();
    office.memory.cut.set(Cut::BeforeItArrives);
    assert!(matches!(office.accept(0), Err(Error::Server(_))));
    assert!(office.desk(0).state().ceremonies["cer-1"].secrets.is_none());
    assert!(office.desk(0).state().shares.is_empty());
    office.step(0).unwrap();
    let complaint = office.memory.shown().messages["complaint"][0].clone();
    assert_eq!(json_of(&complaint)["accused"], 3);
    let judged =
        judge(&super::stage::transcript(&office.memory.shown()), Signed::from_value(&complaint).unwrap().message());
    assert_eq!(judged.unwrap().culprit(), 3);
    let desk = office.desk(0);
    assert!(matches!(desk.next(&office.read(&desk).unwrap()).unwrap(), Next::Ended(_)));
}

#[test]
fn members_who_saw_different_things_do_not_accept() {
    let office = Office::new(2, 3).dealt();
    office.accept(1).unwrap();
    // Member 2 has signed another transcript.
    let key = office.desk(1).state().signing_key().unwrap();
    let mut said = json_of(&office.memory.shown().messages["accept"][0]);
    said["transcript"] = "00".repeat(32).into();
    let bytes = format!(
        r#"{{"v":"sealbid/1","ceremony":{},"member":2,"transcript":{},"key_sets":{}}}"#,
        said["ceremony"], said["transcript"], said["key_sets"]
    );
    let forged = Jws::sign(&key, "sealbid-dkg-accept+jws", bytes.as_bytes()).unwrap();
    office.memory.view.borrow_mut().as_mut().unwrap().messages.get_mut("accept").unwrap()[0] =
        serde_json::to_value(forged).unwrap();
    assert_eq!(code(office.accept(0)), "transcripts-differ");
    assert!(office.desk(0).state().shares.is_empty());
}

#[test]
fn a_published_key_set_that_nobody_accepted_is_not_confirmed() {
    let office = Office::new(2, 3).dealt();
    (0..3).for_each(|user| office.accept(user).unwrap());
    let other = Office::new(2, 3).active();
    let genuine = office.memory.shown().key_sets;
    let resigned = other.key_set().sign(&office.memory.key).unwrap();
    let stranger = office.key_set().sign(&other.memory.key).unwrap();
    for wrong in [vec![], vec![resigned.jws()], vec![stranger.jws()]] {
        let wrong = wrong.into_iter().map(|jws| serde_json::to_value(jws).unwrap()).collect();
        office.memory.view.borrow_mut().as_mut().unwrap().key_sets = wrong;
        assert_eq!(code(office.step(0)), "key-set-differs");
        assert!(!office.desk(0).state().shares.values().next().unwrap().confirmed);
    }
    office.memory.view.borrow_mut().as_mut().unwrap().key_sets = genuine;
    office.step(0).unwrap();
    assert!(office.desk(0).state().shares.values().next().unwrap().confirmed);
}

#[test]
fn a_rehearsal_is_shown_once_and_the_same_after_a_crash() {
    let office = Office::new(2, 3).active();
    let rehearse = |user| {
        let mut desk = office.desk(user);
        let ceremony = office.read(&desk).unwrap();
        desk.rehearse(&office.seat(user), &ceremony)
    };
    office.memory.cut.set(Cut::BeforeItArrives);
    assert!(rehearse(0).is_err());
    assert_eq!((rehearse(0).unwrap(), rehearse(0).unwrap()), (1, 0));
    let sent = office.memory.sent.borrow();
    assert_eq!(sent[sent.len() - 1], sent[sent.len() - 2]);
    let shown = SignedPartials::parse(sent.last().unwrap().to_string().as_bytes()).unwrap();
    assert!(rehearsal::verify(&office.key_set(), shown.list()));
}

#[test]
fn a_platform_with_another_key_is_not_known() {
    let office = Office::new(2, 3);
    let other = Office::new(2, 3);
    let desk = office.desk(0);
    desk.knows(&office.seat(0)).unwrap();
    assert_eq!(code(desk.knows(&other.seat(0))), "platform-key-changed");
    drop(desk);
    // A person vouches for the new one.
    let mut desk = office.desk(0);
    desk.believe(Some(other.memory.key_view()), None).unwrap();
    desk.knows(&other.seat(0)).unwrap();
    assert_eq!(code(desk.believe(None, Some("nonsense".into()))), "policy-invalid");
}

#[test]
fn lost_shares_come_back_from_a_copy_or_from_the_platform_for_their_owner_alone() {
    let office = Office::new(2, 3);
    let early = office.dir.path().join("early.copy");
    office.desk(0).copy(&early).unwrap();
    assert_eq!(code(office.desk(0).copy(&early)), "state-exists");
    let office = office.active();
    let late = office.dir.path().join("late.copy");
    office.desk(0).copy(&late).unwrap();
    let share = |desk: &Desk<'_>| {
        desk.state().shares.values().next().map(|share| *share.secret().unwrap().private_bytes().expose())
    };
    let before = share(&office.desk(0)).unwrap();
    let put_back = |copy: &std::path::Path| {
        std::fs::remove_file(office.file(0)).unwrap();
        Desk::put_back(copy, &office.file(0), passphrase(PASSPHRASE), &office.clock).unwrap()
    };
    assert_eq!(share(&put_back(&late)), Some(before));
    let mut desk = put_back(&early);
    assert_eq!(share(&desk), None);
    let ceremony = office.read(&desk).unwrap();
    // Somebody else's backup is not opened.
    assert_eq!(code(desk.fetch_shares(&office.seat(1), &ceremony)), "backup-wrong");
    assert_eq!(desk.fetch_shares(&office.seat(0), &ceremony).unwrap(), 1);
    assert_eq!(desk.fetch_shares(&office.seat(0), &ceremony).unwrap(), 0);
    assert_eq!(share(&desk), Some(before));
    assert_eq!(desk.next(&ceremony).unwrap(), Next::Active);
    assert!(!desk.state().shares.values().next().unwrap().unsure, "the opening is still to come");
    drop(desk);
    office.clock.set(at(OPENS));
    let desk = put_back(&late);
    assert!(desk.state().shares.values().next().unwrap().unsure, "it may have been answered meanwhile");
    drop(desk);
    let wrong = Desk::put_back(&late, &office.dir.path().join("new"), passphrase("not the passphrase"), &office.clock);
    assert_eq!(code(wrong.map(drop)), "passphrase-wrong");
}
