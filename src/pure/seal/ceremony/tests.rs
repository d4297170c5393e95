//! Whole ceremonies, and everything that can go wrong in one.

use super::message::Head;
use super::transcript::package_info;
use super::*;
use crate::kernel::digest::sha256;
use crate::kernel::secret::Secret;
use crate::seal::envelope::Part;
use crate::seal::hpke;
use crate::seal::ids::{Ident, UtcMillis};
use crate::seal::keys::{Algorithm, SigningKey};
use crate::seal::keyset::{KeySet, KeySetKind, KeyShare, Member, Profile};
use crate::seal::manifest::{BidJson, Binding};
use crate::seal::part_reader::Discard;
use crate::seal::part_writer::bid_part;
use crate::seal::points::{Point, PrivateScalar};
use crate::seal::pok;
use crate::seal::sealing::{Subject, seal_header, seal_payload};
use crate::seal::unsealing::{OpenError, open_part, payload_keys, slot_share, verify_share};

fn ident(text: &str) -> Ident {
    Ident::parse(text, "test").unwrap()
}

pub(super) struct Cast {
    draft: Draft,
    signers: Vec<SigningKey>,
    pub(super) kems: Vec<PrivateScalar>,
}

pub(super) fn cast(k: u8, n: u8, groups: &[&str]) -> Cast {
    let signers: Vec<SigningKey> = (0..n).map(|_| SigningKey::generate(Algorithm::EdDsa).unwrap()).collect();
    let kems: Vec<PrivateScalar> = (0..n).map(|_| PrivateScalar::generate().unwrap()).collect();
    let members = (1..=n).map(|i| Member {
        i,
        custodian: ident(&format!("custodian-{i}")),
        org: ident(&format!("org-{i}")),
        sign_kid: signers[usize::from(i) - 1].verifying_key().key_id(),
        kem: kems[usize::from(i) - 1].public(),
    });
    let opens = UtcMillis::parse("2026-12-01T01:00:00.000Z", "test").unwrap();
    let groups = groups.iter().map(|group| Group { group: ident(group), opens_not_before: opens.clone() }).collect();
    let draft = Draft::new(ident("prj-1"), ident("lot-1"), groups, Profile::Strict, k, members.collect()).unwrap();
    Cast { draft, signers, kems }
}

impl Cast {
    pub(super) fn signer(&self, member: u8) -> &SigningKey {
        &self.signers[usize::from(member) - 1]
    }

    fn signed<M: Message>(&self, message: M) -> Signed<M> {
        let member = message.head().member;
        Signed::sign(message, self.signer(member)).unwrap()
    }

    /// All have committed and shown round 1.
    fn begun(&self) -> (Vec<Dealer>, Transcript) {
        let begun: Vec<_> = self.draft.indices().map(|i| Dealer::begin(&self.draft, i).unwrap()).collect();
        let mut transcript = Transcript::new(self.draft.clone());
        let (mut dealers, mut shown) = (Vec::new(), Vec::new());
        for (dealer, commit, round1) in begun {
            transcript.commit(self.signed(commit)).unwrap();
            dealers.push(dealer);
            shown.push(round1);
        }
        for round1 in shown {
            transcript.round1(self.signed(round1)).unwrap();
        }
        (dealers, transcript)
    }

    /// All have dealt.
    fn dealt(&self) -> (Vec<Dealer>, Transcript) {
        let (dealers, mut transcript) = self.begun();
        for dealer in &dealers {
            let round2 = dealer.deal(&transcript).unwrap();
            transcript.round2(self.signed(round2)).unwrap();
        }
        (dealers, transcript)
    }

    /// The shares of every member for the first group.
    pub(super) fn shares(&self) -> Vec<KeyShare> {
        let (dealers, transcript) = self.dealt();
        dealers.iter().map(|dealer| dealer.finish(&transcript).unwrap().shares.remove(0)).collect()
    }
}

fn reason<T: std::fmt::Debug>(result: Result<T, CeremonyError>) -> &'static str {
    result.unwrap_err().reason()
}

/// A price sealed to a key set, opened with the shares of these members.
pub(super) fn opens(key_set: &KeySet, shares: &[&KeyShare]) -> Result<String, OpenError> {
    let binding =
        Binding { tender: key_set.tender.clone(), lot: ident("lot-1"), bidder: ident("org-9"), part: Part::Price };
    let bid = BidJson { amount: "77.00".into(), currency: "CNY".into(), validity_days: None, note: None };
    let mut ciphertext = Vec::new();
    let payload = seal_payload(bid_part(binding, &bid).unwrap().as_slice(), &mut ciphertext, 1).unwrap();
    let subject = Subject {
        lot: ident("lot-1"),
        part: Part::Price,
        bidder: ident("org-9"),
        rev: 1,
        doc_rev: sha256(b"documents"),
        created: UtcMillis::parse("2026-11-30T01:00:00.000Z", "test").unwrap(),
    };
    let key = SigningKey::generate(Algorithm::EdDsa).unwrap();
    let envelope = seal_header(&subject, &payload, &[key_set], &key).unwrap();
    let given: Vec<_> = shares.iter().map(|share| (share.member(), slot_share(share, &envelope, 0).unwrap())).collect();
    for (member, share) in &given {
        assert!(verify_share(key_set, *member, &envelope, 0, share));
        // A member cannot speak for another.
        assert!(!verify_share(key_set, member % u8::try_from(key_set.shares.len()).unwrap() + 1, &envelope, 0, share));
    }
    let keys = payload_keys(&envelope, &[key_set], &[given])?;
    Ok(open_part(&envelope, keys, ciphertext.as_slice(), &mut Discard)?.bid.unwrap().amount)
}

#[test]
fn all_members_come_to_the_same_key_sets_and_any_k_of_them_open() {
    for (k, n) in [(2, 3), (3, 5)] {
        let cast = cast(k, n, &["group-1", "group-2"]);
        let (dealers, transcript) = cast.dealt();
        let key_sets = transcript.key_sets().unwrap();
        assert_ne!(key_sets[0].public, key_sets[1].public, "each group has a key of its own");
        let finished: Vec<Finished> = dealers.iter().map(|dealer| dealer.finish(&transcript).unwrap()).collect();
        for one in &finished {
            assert_eq!(one.accept.transcript, transcript.digest().unwrap());
            assert_eq!(one.accept.key_sets, finished[0].accept.key_sets);
            for (share, key_set) in one.shares.iter().zip(&key_sets) {
                assert_eq!(share.key_set(), key_set);
                assert_eq!(KeySet::from_bytes(&key_set.to_bytes()).as_ref(), Ok(key_set), "it comes back from bytes");
                assert_eq!(
                    (key_set.kind, key_set.k, key_set.shares.len()),
                    (KeySetKind::Custodians, k, usize::from(n))
                );
            }
        }
        let shares: Vec<&KeyShare> = finished.iter().map(|one| &one.shares[1]).collect();
        let (few, many) = (usize::from(k), usize::from(n));
        assert_eq!(opens(&key_sets[1], &shares[..few]).unwrap(), "77.00");
        assert_eq!(opens(&key_sets[1], &shares[many - few..]).unwrap(), "77.00");
        assert_eq!(opens(&key_sets[1], &shares).unwrap(), "77.00");
        let OpenError::Failed { reason, .. } = opens(&key_sets[1], &shares[..few - 1]).unwrap_err() else { panic!() };
        assert_eq!(reason, "no_share");
    }
}

#[test]
fn messages_come_back_from_their_json_and_bind_ceremony_member_and_key() {
    let (one, other) = (cast(2, 3, &["group-1"]), cast(2, 3, &["group-1"]));
    let (dealer, commit, round1) = Dealer::begin(&one.draft, 2).unwrap();
    drop(dealer);
    let id = one.draft.id();
    let signed = one.signed(commit);
    let back = Signed::<Commit>::from_value(&serde_json::to_value(signed.jws()).unwrap()).unwrap();
    assert_eq!(back, signed);
    back.verify(&one.draft, &id, one.signer(2).verifying_key()).unwrap();
    assert_eq!(reason(back.verify(&one.draft, &id, one.signer(1).verifying_key())), "not_a_member");
    assert_eq!(reason(back.verify(&other.draft, &other.draft.id(), one.signer(2).verifying_key())), "other_ceremony");
    let by_another = Signed::sign(back.message().clone(), one.signer(1)).unwrap();
    assert_eq!(reason(by_another.verify(&one.draft, &id, one.signer(2).verifying_key())), "other_signing_key");
    // A message is not read as one of another step.
    let wrong = Signed::<Round1>::from_value(&serde_json::to_value(signed.jws()).unwrap()).unwrap_err();
    assert_eq!(wrong.reason(), "wrong_typ");
    let round1 = one.signed(round1);
    assert_eq!(Signed::<Round1>::from_value(&serde_json::to_value(round1.jws()).unwrap()).unwrap(), round1);
}

#[test]
fn every_later_message_comes_back_from_its_json() {
    let cast = cast(2, 3, &["group-1", "group-2"]);
    let (dealers, transcript) = cast.begun();
    let round2 = cast.signed(dealers[0].deal(&transcript).unwrap());
    assert_eq!(Signed::<Round2>::from_value(&serde_json::to_value(round2.jws()).unwrap()).unwrap(), round2);
    let (dealers, transcript) = cast.dealt();
    let accept = cast.signed(dealers[2].finish(&transcript).unwrap().accept);
    assert_eq!(Signed::<Accept>::from_value(&serde_json::to_value(accept.jws()).unwrap()).unwrap(), accept);
    let draft = cast.draft.clone().sign(cast.signer(1)).unwrap();
    let back = SignedDraft::from_value(&serde_json::to_value(draft.jws()).unwrap()).unwrap();
    assert_eq!((back.id(), back.draft()), (cast.draft.id(), &cast.draft));
}

#[test]
fn an_old_round_1_is_refused_because_it_was_not_committed_to() {
    let (old, new) = (cast(2, 3, &["group-1"]), cast(2, 3, &["group-1"]));
    let (_, _, replayed) = Dealer::begin(&old.draft, 1).unwrap();
    let (_, commit, _) = Dealer::begin(&new.draft, 1).unwrap();
    let mut transcript = Transcript::new(new.draft.clone());
    let message = Round1 { head: Head::new(new.draft.id(), 1), ..replayed.clone() };
    assert_eq!(reason(transcript.round1(new.signed(message.clone()))), "message_missing");
    transcript.commit(new.signed(commit)).unwrap();
    assert_eq!(reason(transcript.round1(new.signed(message))), "not_committed");
    // As it was signed, it names its own ceremony.
    let signed = new.signed(replayed);
    assert_eq!(reason(signed.verify(&new.draft, &new.draft.id(), new.signer(1).verifying_key())), "other_ceremony");
}

#[test]
fn two_versions_of_one_round_1_give_two_transcripts_and_are_not_accepted() {
    let cast = cast(2, 3, &["group-1"]);
    let (dealers, seen_by_some) = cast.dealt();
    // Member 3 shows member 1 other commitments than member 2, together with another commit.
    let mut seen_by_others = seen_by_some.clone();
    let (_, commit, round1) = Dealer::begin(&cast.draft, 3).unwrap();
    seen_by_others.commit(cast.signed(commit)).unwrap();
    seen_by_others.round1(cast.signed(round1)).unwrap();
    assert_ne!(seen_by_some.digest().unwrap(), seen_by_others.digest().unwrap());
    assert_ne!(seen_by_some.key_sets().unwrap(), seen_by_others.key_sets().unwrap());
    let accept = dealers[0].finish(&seen_by_some).unwrap().accept;
    assert_ne!(Some(accept.transcript), seen_by_others.digest().ok());
    // What was dealt does not fit the other version, so nobody accepts it.
    assert!(matches!(dealers[0].finish(&seen_by_others), Err(Fault::Complaint(complaint)) if complaint.accused == 3));
}

#[test]
fn a_wrong_polynomial_proof_key_proof_or_shape_is_refused_by_name() {
    let cast = cast(2, 3, &["group-1"]);
    let (_, commit, round1) = Dealer::begin(&cast.draft, 1).unwrap();
    let (_, other, _) = Dealer::begin(&cast.draft, 2).unwrap();
    let mut transcript = Transcript::new(cast.draft.clone());
    let stolen = Commit { key: other.key, ..commit.clone() };
    assert_eq!(reason(transcript.commit(cast.signed(stolen))), "proof_does_not_verify");
    let taken_over = Commit { head: commit.head, ..other };
    assert_eq!(reason(transcript.commit(cast.signed(taken_over))), "proof_does_not_verify");
    let mut try_round1 = |change: &dyn Fn(&mut Round1)| {
        let mut changed = round1.clone();
        change(&mut changed);
        transcript.commit(cast.signed(Commit { round1: sha256(&changed.to_bytes()), ..commit.clone() })).unwrap();
        transcript.round1(cast.signed(changed)).map_err(|error| error.reason())
    };
    assert_eq!(try_round1(&|_| {}), Ok(()));
    assert_eq!(try_round1(&|message| message.groups[0].proof[40] ^= 1), Err("proof_does_not_verify"));
    assert_eq!(try_round1(&|message| message.groups[0].proof[0] = 9), Err("proof_does_not_verify"));
    assert_eq!(
        try_round1(&|message| message.groups[0].commitments[0] = Point::GENERATOR),
        Err("proof_does_not_verify")
    );
    let more = |message: &mut Round1| message.groups[0].commitments.push(Point::GENERATOR);
    assert_eq!(try_round1(&more), Err("wrong_shape"), "a changed threshold");
    assert_eq!(try_round1(&|message| message.groups.clear()), Err("wrong_shape"));
}

#[test]
fn round_2_must_be_whole_and_prove_its_ephemeral_keys() {
    let cast = cast(2, 3, &["group-1"]);
    let (dealers, mut transcript) = cast.begun();
    assert_eq!(transcript.missing(), vec![1, 2, 3]);
    let good = dealers[0].deal(&transcript).unwrap();
    let mut try_round2 = |change: &dyn Fn(&mut Round2)| {
        let mut changed = good.clone();
        change(&mut changed);
        transcript.round2(cast.signed(changed)).map_err(|error| error.reason())
    };
    assert_eq!(try_round2(&|message| message.packages.truncate(1)), Err("wrong_shape"));
    assert_eq!(try_round2(&|message| message.packages.reverse()), Err("wrong_shape"));
    assert_eq!(try_round2(&|message| message.packages[0].ct[0] ^= 1), Err("proof_does_not_verify"));
    assert_eq!(try_round2(&|message| message.packages[0].enc = Point::GENERATOR), Err("proof_does_not_verify"));
    assert_eq!(try_round2(&|_| {}), Ok(()));
    assert_eq!(transcript.missing(), vec![2, 3]);
    assert_eq!(reason(transcript.digest()), "message_missing");
}

/// Member 1 deals member 2 a value of its choice, with a proper proof of the ephemeral key.
fn deal_wrongly(cast: &Cast, transcript: &mut Transcript, round2: &Round2, value: &[u8; 32]) {
    let mut wrong = round2.clone();
    let (ephemeral, nonce) = (PrivateScalar::generate().unwrap(), PrivateScalar::generate().unwrap());
    let info = package_info(transcript.id(), 1, 2);
    let ct = hpke::seal(&ephemeral, &transcript.committed(2).unwrap().key, &info, value);
    let package = &mut wrong.packages[0];
    (package.enc, package.ct) = (ephemeral.public(), ct.try_into().unwrap());
    let digest = sha256(&info);
    package.pok = pok::prove_with(&ephemeral, &transcript::package_binding(&digest, package), &nonce);
    transcript.round2(cast.signed(wrong)).unwrap();
}

#[test]
fn a_wrong_share_is_complained_about_and_its_dealer_named() {
    let cast = cast(2, 3, &["group-1"]);
    let (dealers, mut transcript) = cast.dealt();
    let round2 = transcript.said_round2(1).unwrap().clone();
    for value in [[7; 32], [0; 32], [0xff; 32]] {
        deal_wrongly(&cast, &mut transcript, &round2, &value);
        let Err(Fault::Complaint(complaint)) = dealers[1].finish(&transcript) else { panic!("no complaint") };
        assert_eq!(judge(&transcript, &complaint), Ok(Verdict::Accused(1)));
        assert!(dealers[2].finish(&transcript).is_ok(), "the others cannot see it");
        let signed = cast.signed(*complaint);
        assert_eq!(Signed::<Complaint>::from_value(&serde_json::to_value(signed.jws()).unwrap()).unwrap(), signed);
    }
}

#[test]
fn a_false_complaint_names_the_complainer_and_a_forged_one_nobody() {
    let cast = cast(2, 3, &["group-1"]);
    let (dealers, transcript) = cast.dealt();
    let honest = dealers[1].complain_about(&transcript, 1).unwrap();
    assert_eq!(judge(&transcript, &honest), Ok(Verdict::Complainer(2)));
    // To frame member 1, member 2 gives a D that is not its own.
    let framed = Complaint { d: Point::GENERATOR, ..honest.clone() };
    assert_eq!(reason(judge(&transcript, &framed)), "proof_does_not_verify");
    // A complaint about one package does not serve for another.
    let other = Complaint { accused: 3, ..honest.clone() };
    assert_eq!(reason(judge(&transcript, &other)), "proof_does_not_verify");
    let by_another = Complaint { head: Head::new(cast.draft.id(), 3), ..honest };
    assert_eq!(reason(judge(&transcript, &by_another)), "proof_does_not_verify");
    assert_eq!(reason(judge(&transcript, &Complaint { accused: 3, ..by_another })), "message_missing");
}

#[test]
fn a_complaint_is_no_oracle_for_another_members_package() {
    // Member 1 takes the package that member 3 dealt to member 2, shifts its ephemeral key by a G and deals it to member 2
    // as its own, in order to learn R' e from the complaint and from it the value that member 3 dealt.
    let cast = cast(2, 3, &["group-1"]);
    let (_, mut transcript) = cast.dealt();
    let victim = transcript.package(3, 2, 0).unwrap().clone();
    let a = PrivateScalar::generate().unwrap();
    let shifted = Point::from_projective(victim.enc.to_projective() + a.public().to_projective()).unwrap();
    let mut round2 = transcript.said_round2(1).unwrap().clone();
    for (enc, pok) in [(shifted, victim.pok), (victim.enc, victim.pok), (shifted, round2.packages[0].pok)] {
        let package = &mut round2.packages[0];
        (package.enc, package.ct, package.pok) = (enc, victim.ct, pok);
        assert_eq!(reason(transcript.round2(cast.signed(round2.clone()))), "proof_does_not_verify");
    }
}

#[test]
fn secrets_come_back_after_a_crash_and_serve_their_own_ceremony_only() {
    let cast = cast(2, 3, &["group-1"]);
    let (dealers, transcript) = cast.dealt();
    let (key, polynomials) = dealers[0].secrets();
    let copies = || polynomials.iter().map(|bytes| Secret::new(bytes.expose().clone())).collect::<Vec<_>>();
    let back = Dealer::restore(cast.draft.id(), 1, &key, copies()).unwrap();
    let (first, second) = (dealers[0].finish(&transcript).unwrap(), back.finish(&transcript).unwrap());
    assert_eq!(first.accept, second.accept);
    assert_eq!(first.shares[0].private_bytes().expose(), second.shares[0].private_bytes().expose());
    let other = Dealer::restore(cast.draft.id(), 2, &key, copies()).unwrap();
    assert!(matches!(other.finish(&transcript), Err(Fault::Other(CeremonyError::Secrets))));
}

#[test]
fn a_lost_share_comes_back_from_its_backup_for_its_owner_alone() {
    let cast = cast(2, 3, &["group-1"]);
    let shares = cast.shares();
    let (id, key_set) = (cast.draft.id(), shares[1].key_set().clone());
    let backup = Backup::seal(&cast.draft, &shares[1]).unwrap();
    let backup = Backup::parse(backup.to_json().as_bytes()).unwrap();
    let restored = backup.open(&id, key_set.clone(), 2, &cast.kems[1]).unwrap();
    assert_eq!(restored.private_bytes().expose(), shares[1].private_bytes().expose());
    assert_eq!(reason(backup.open(&id, key_set.clone(), 2, &cast.kems[0])), "wrong_secrets");
    assert_eq!(reason(backup.open(&id, key_set.clone(), 1, &cast.kems[1])), "wrong_secrets");
    assert_eq!(reason(backup.open(&sha256(b"other"), key_set, 2, &cast.kems[1])), "wrong_secrets");
}

#[test]
fn drafts_with_impossible_members_are_refused() {
    let refused = |k, n, groups: &[&str]| {
        let draft = cast(k, n, groups).draft;
        Draft::from_bytes(&draft.to_bytes()).map_err(|error| error.reason())
    };
    assert!(refused(2, 3, &["group-1"]).is_ok());
    for (k, n) in [(1, 3), (4, 3), (2, 2), (3, 16), (0, 3)] {
        assert_eq!(refused(k, n, &["group-1"]).unwrap_err(), "bad_members", "{k} of {n}");
    }
    assert_eq!(refused(2, 3, &[]).unwrap_err(), "out_of_range");
    assert_eq!(refused(2, 3, &["group-1", "group-1"]).unwrap_err(), "out_of_range");
    let mut twice = cast(2, 3, &["group-1"]).draft;
    twice.members[2].sign_kid = twice.members[0].sign_kid;
    assert_eq!(Draft::from_bytes(&twice.to_bytes()).unwrap_err().reason(), "bad_members");
}

#[test]
fn key_sets_of_custodians_are_read_strictly() {
    let cast = cast(2, 3, &["group-1"]);
    let key_set = cast.dealt().1.key_sets().unwrap().remove(0);
    let good: serde_json::Value = serde_json::from_slice(&key_set.to_bytes()).unwrap();
    let other = cast.dealt().1.key_sets().unwrap().remove(0);
    let other: serde_json::Value = serde_json::from_slice(&other.to_bytes()).unwrap();
    let mut without = good.clone();
    without.as_object_mut().unwrap().remove("ceremony");
    assert_eq!(KeySet::from_bytes(without.to_string().as_bytes()).unwrap_err().reason(), "bad_key_set_shape");
    for (field, value, reason) in [
        ("k", serde_json::json!(3), "bad_key_set_shape"),
        ("k", serde_json::json!(1), "bad_members"),
        ("n", serde_json::json!(4), "bad_key_set_shape"),
        ("shares", other["shares"].clone(), "bad_key_set_shape"),
        ("X", other["X"].clone(), "bad_key_set_shape"),
        ("kind", serde_json::json!("platform"), "bad_key_set_shape"),
        ("members", serde_json::json!([]), "bad_members"),
    ] {
        let mut altered = good.clone();
        altered[field] = value;
        assert_eq!(KeySet::from_bytes(altered.to_string().as_bytes()).unwrap_err().reason(), reason, "{field}");
    }
    let mut swapped = good;
    let last = swapped["members"][2]["i"].clone();
    swapped["members"][0]["i"] = last;
    assert_eq!(KeySet::from_bytes(swapped.to_string().as_bytes()).unwrap_err().reason(), "bad_members");
}

#[test]
fn a_rehearsal_shows_that_a_share_works_and_whose_it_is() {
    let cast = cast(2, 3, &["group-1"]);
    let shares = cast.shares();
    let key_set = shares[0].key_set();
    for share in &shares {
        let answer = rehearsal::answer(share).unwrap();
        assert!(rehearsal::verify(key_set, &answer));
        let member = share.member() % 3 + 1;
        assert!(!rehearsal::verify(key_set, &crate::seal::partials::Partials { member, ..answer }));
    }
    let other = cast.shares();
    assert!(!rehearsal::verify(key_set, &rehearsal::answer(&other[0]).unwrap()), "another key set");
}
