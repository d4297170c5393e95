//! Repairs: what comes out, and who is named when something is wrong.

use std::collections::BTreeMap;

use frost_p256::keys::repairable::{Delta, repair_share_part1, repair_share_part2, repair_share_part3};
use frost_p256::keys::{KeyPackage, PublicKeyPackage, SigningShare, VerifyingShare};
use frost_p256::{Identifier, P256Sha256};

use super::{Letter, Repair, RepairError, Request, Signed, Split, Sum};
use crate::kernel::secret::Secret;
use crate::seal::ceremony::tests::{Cast, cast, opens};
use crate::seal::keyset::{KeySet, KeyShare};
use crate::seal::points::{SCALAR_LEN, Scalar};
use crate::seal::random::SystemRng;

/// Custodians with their shares of one key set, of whom member 2 has lost its own.
struct House {
    cast: Cast,
    shares: Vec<KeyShare>,
    key_set: KeySet,
}

const LOST: u8 = 2;

fn house(k: u8, n: u8) -> House {
    let cast = cast(k, n, &["g"]);
    let shares = cast.shares();
    House { key_set: shares[0].key_set().clone(), cast, shares }
}

type Own = BTreeMap<u8, Secret<[u8; SCALAR_LEN]>>;

impl House {
    fn share(&self, member: u8) -> &KeyShare {
        &self.shares[usize::from(member) - 1]
    }

    fn signed<L: Letter>(&self, letter: L) -> Signed<L> {
        let member = letter.head().member;
        Signed::sign(letter, self.cast.signer(member)).unwrap()
    }

    fn asked(&self, helpers: &[u8]) -> Repair {
        let request = self.signed(Request::new(&self.key_set, LOST, helpers).unwrap());
        Repair::asked(self.key_set.clone(), &request, self.cast.signer(LOST).verifying_key()).unwrap()
    }

    fn take_split(&self, repair: &mut Repair, split: Signed<Split>) -> Result<(), RepairError> {
        let member = split.letter().head().member;
        repair.take_split(split, self.cast.signer(member).verifying_key())
    }

    fn take_sum(&self, repair: &mut Repair, sum: Signed<Sum>) -> Result<(), RepairError> {
        let member = sum.letter().head().member;
        repair.take_sum(sum, self.cast.signer(member).verifying_key())
    }

    /// All have split.
    fn split(&self, helpers: &[u8]) -> (Repair, Own) {
        let (mut repair, mut own) = (self.asked(helpers), Own::new());
        for helper in helpers {
            let kept = repair.split(self.share(*helper)).unwrap();
            own.insert(*helper, kept.own);
            let signed = written(&self.signed(kept.split));
            self.take_split(&mut repair, signed).unwrap();
        }
        (repair, own)
    }

    fn sum(&self, repair: &Repair, own: &Own, helper: u8) -> Result<Sum, RepairError> {
        repair.sum(helper, &self.cast.kems[usize::from(helper) - 1], &own[&helper])
    }

    /// All have added.
    fn summed(&self, helpers: &[u8]) -> Repair {
        let (mut repair, own) = self.split(helpers);
        for helper in helpers {
            let sum = written(&self.signed(self.sum(&repair, &own, *helper).unwrap()));
            self.take_sum(&mut repair, sum).unwrap();
        }
        repair
    }

    fn finish(&self, repair: &Repair) -> Result<KeyShare, RepairError> {
        repair.finish(&self.cast.kems[usize::from(LOST) - 1])
    }
}

/// A message as it comes out of its file.
fn written<L: Letter>(signed: &Signed<L>) -> Signed<L> {
    Signed::from_value(&serde_json::to_value(signed.jws()).unwrap()).unwrap()
}

fn identifier(member: u8) -> Identifier {
    u16::from(member).try_into().unwrap()
}

/// A share in the library's form.
fn key_package(share: &KeyShare) -> KeyPackage {
    let signing = SigningShare::deserialize(share.private_bytes().expose()).unwrap();
    let public = frost_p256::VerifyingKey::deserialize(&share.key_set().public.to_compressed()).unwrap();
    let k = u16::from(share.key_set().k);
    KeyPackage::new(identifier(share.member()), signing, VerifyingShare::from(signing), public, k)
}

#[test]
fn every_choice_of_k_helpers_gives_the_lost_share_back_and_it_opens() {
    for (k, n) in [(2_u8, 3_u8), (3, 5)] {
        let house = house(k, n);
        for chosen in 0_u32..1 << n {
            let helpers: Vec<u8> = (1..=n).filter(|i| *i != LOST && chosen >> (i - 1) & 1 == 1).collect();
            if chosen >> (LOST - 1) & 1 == 1 || helpers.len() != usize::from(k) {
                continue;
            }
            let share = house.finish(&house.summed(&helpers)).unwrap();
            assert_eq!(share.member(), LOST);
            assert_eq!(share.private_bytes().expose(), house.share(LOST).private_bytes().expose(), "{helpers:?}");
        }
        let share = house.finish(&house.summed(&[1, 3, 4][..usize::from(k)])).unwrap();
        let mut openers: Vec<&KeyShare> = (3..=n).map(|i| house.share(i)).take(usize::from(k) - 1).collect();
        openers.push(&share);
        assert_eq!(opens(&house.key_set, &openers).unwrap(), "77.00");
    }
}

/// The library's repair of the same shares comes to the same, and its summands could be ours: lambda times the share.
#[test]
fn frost_s_repair_gives_the_same_share() {
    let house = house(3, 5);
    let helpers = [1, 3, 5];
    let ids: Vec<Identifier> = helpers.map(identifier).to_vec();
    let mut given: BTreeMap<Identifier, Vec<Delta>> = BTreeMap::new();
    for helper in helpers {
        let package = key_package(house.share(helper));
        let deltas = repair_share_part1::<P256Sha256, _>(&ids, &package, &mut SystemRng, identifier(LOST)).unwrap();
        deltas.into_iter().for_each(|(to, delta)| given.entry(to).or_default().push(delta));
    }
    let sums: Vec<_> = given.values().map(|deltas| repair_share_part2(deltas)).collect();
    let verifying =
        house.shares.iter().map(|share| (identifier(share.member()), *key_package(share).verifying_share()));
    let public = *key_package(house.share(1)).verifying_key();
    let public = PublicKeyPackage::new(verifying.collect(), public, Some(3));
    let theirs = repair_share_part3(&sums, identifier(LOST), &public).unwrap();
    let ours = house.finish(&house.summed(&helpers)).unwrap();
    assert_eq!(theirs.signing_share().serialize(), ours.private_bytes().expose());
}

#[test]
fn fewer_or_other_helpers_are_refused_and_a_missing_one_is_named() {
    let house = house(3, 5);
    for helpers in [&[1, 3][..], &[1, 3, 4, 5], &[1, 3, 3], &[1, LOST, 3], &[1, 3, 6], &[0, 1, 3], &[]] {
        assert_eq!(Request::new(&house.key_set, LOST, helpers).unwrap_err(), RepairError::Helpers, "{helpers:?}");
    }
    let mut repair = house.asked(&[1, 3, 5]);
    assert_eq!(repair.split(house.share(4)).unwrap_err(), RepairError::NotAHelper(4));
    let mut own = Own::new();
    for helper in [1, 3] {
        let kept = repair.split(house.share(helper)).unwrap();
        own.insert(helper, kept.own);
        house.take_split(&mut repair, house.signed(kept.split)).unwrap();
    }
    assert_eq!(house.sum(&repair, &own, 1).unwrap_err(), RepairError::Missing(5));
    assert_eq!((repair.without_split(), repair.without_sum()), (vec![5], vec![1, 3, 5]));
    let (mut repair, own) = house.split(&[1, 3, 5]);
    for helper in [1, 5] {
        let sum = house.signed(house.sum(&repair, &own, helper).unwrap());
        house.take_sum(&mut repair, sum).unwrap();
    }
    assert_eq!(house.finish(&repair).unwrap_err(), RepairError::Missing(3));
}

#[test]
fn whoever_is_not_the_member_of_the_key_set_neither_asks_nor_helps_nor_gets_anything() {
    let house = house(2, 4);
    let request = Request::new(&house.key_set, LOST, &[1, 3]).unwrap();
    let stranger = house.cast.signer(4);
    let signed = Signed::sign(request.clone(), stranger).unwrap();
    let asked = Repair::asked(house.key_set.clone(), &signed, stranger.verifying_key());
    assert_eq!(asked.unwrap_err(), RepairError::NotAHelper(LOST));
    let asked = Repair::asked(house.key_set.clone(), &signed, house.cast.signer(LOST).verifying_key());
    assert!(matches!(asked.unwrap_err(), RepairError::Form(_)), "signed by another");
    let mut repair = house.asked(&[1, 3]);
    let kept = repair.split(house.share(1)).unwrap();
    let forged = Signed::sign(kept.split, stranger).unwrap();
    assert_eq!(repair.take_split(forged, stranger.verifying_key()).unwrap_err(), RepairError::NotAHelper(1));
    let repair = house.summed(&[1, 3]);
    assert_eq!(repair.finish(&house.cast.kems[3]).unwrap_err(), RepairError::NotMine);
    let other = self::house(2, 4);
    assert_eq!(repair.split(other.share(1)).unwrap_err(), RepairError::OtherKeySet);
    let kept = other.asked(&[1, 3]).split(other.share(1)).unwrap();
    let signed = Signed::sign(kept.split, house.cast.signer(1)).unwrap();
    assert_eq!(house.take_split(&mut house.asked(&[1, 3]), signed).unwrap_err(), RepairError::OtherKeySet);
}

#[test]
fn a_file_of_another_repair_and_a_repeated_one_are_refused() {
    let house = house(2, 4);
    let (mut repair, own) = house.split(&[1, 3]);
    let kept = repair.split(house.share(1)).unwrap();
    assert_eq!(house.take_split(&mut repair, house.signed(kept.split)).unwrap_err(), RepairError::Repeated(1));
    // The same member and the same helpers, at another time: nothing of it fits.
    let (mut later, _) = house.split(&[1, 3]);
    let sum = house.signed(house.sum(&repair, &own, 1).unwrap());
    assert_eq!(house.take_sum(&mut later, sum.clone()).unwrap_err(), RepairError::OtherRepair(1));
    house.take_sum(&mut repair, sum.clone()).unwrap();
    assert_eq!(house.take_sum(&mut repair, sum).unwrap_err(), RepairError::Repeated(1));
    // Another member's repair, and another set of helpers.
    let request = house.signed(Request::new(&house.key_set, 4, &[1, 3]).unwrap());
    let key = house.cast.signer(4).verifying_key();
    let mut of_another = Repair::asked(house.key_set.clone(), &request, key).unwrap();
    let kept = repair.split(house.share(1)).unwrap();
    let signed = house.signed(kept.split);
    assert_eq!(house.take_split(&mut of_another, signed.clone()).unwrap_err(), RepairError::OtherRepair(1));
    assert_eq!(house.take_split(&mut house.asked(&[1, 4]), signed).unwrap_err(), RepairError::OtherRepair(1));
}

#[test]
fn a_wrong_summand_is_found_by_whom_it_is_for_and_a_wrong_total_by_everybody() {
    let house = house(3, 5);
    let (mut repair, mut own) = (house.asked(&[1, 3, 5]), Own::new());
    for helper in [1, 3, 5] {
        let wrong = |to: u8, value: Scalar| if (helper, to) == (3, 5) { value + Scalar::ONE } else { value };
        let kept = repair.split_with(house.share(helper), wrong).unwrap();
        own.insert(helper, kept.own);
        house.take_split(&mut repair, house.signed(kept.split)).unwrap();
    }
    assert!(house.sum(&repair, &own, 1).is_ok(), "what member 3 gave member 1 is right");
    assert_eq!(house.sum(&repair, &own, 5).unwrap_err(), RepairError::WrongSummand(3));
    // A summand that is shown as what it is, and is not what belongs there.
    let mut split = house.asked(&[1, 3, 5]).split(house.share(3)).unwrap().split;
    let mut repair = house.asked(&[1, 3, 5]);
    split.repair = *repair.id();
    split.shown.swap(0, 1);
    let swapped = house.take_split(&mut repair, house.signed(split.clone()));
    assert!(swapped.is_ok(), "they still add up, and whom they are for will see it");
    split.shown[0] = split.shown[1];
    let mut repair = Repair::clone(&house.asked(&[1, 3, 5]));
    split.repair = *repair.id();
    let wrong = house.take_split(&mut repair, house.signed(split));
    assert_eq!(wrong.unwrap_err(), RepairError::WrongTotal(3));
}

#[test]
fn a_wrong_sum_and_a_sum_of_other_summands_name_their_helper() {
    let house = house(2, 4);
    let (mut repair, own) = house.split(&[1, 3]);
    let good = |helper: u8| house.sum(&repair, &own, helper).unwrap();
    let (mut stranger, mut exchanged, mut other) = (good(3), good(3), good(3));
    // Something that opens, and is another repair's sum: its info is not this one's.
    let (elsewhere, elsewhere_own) = house.split(&[1, 3]);
    stranger.package = house.sum(&elsewhere, &elsewhere_own, 3).unwrap().package;
    exchanged.package = good(1).package;
    other.splits.reverse();
    let first = house.signed(good(1));
    let with = |sum: Sum| {
        let mut repair = repair.clone();
        house.take_sum(&mut repair, first.clone()).unwrap();
        house.take_sum(&mut repair, house.signed(sum)).unwrap();
        house.finish(&repair).map(drop)
    };
    assert_eq!(with(stranger).unwrap_err(), RepairError::WrongSum(3));
    assert_eq!(with(exchanged).unwrap_err(), RepairError::WrongSum(3));
    assert_eq!(with(other).unwrap_err(), RepairError::OtherSplits(3));
    // A helper that keeps another summand than it shows has no sum at all.
    let mut own = own;
    own.insert(3, Secret::new([7; SCALAR_LEN]));
    assert_eq!(house.sum(&repair, &own, 3).unwrap_err(), RepairError::WrongSummand(3));
    house.take_sum(&mut repair, first).unwrap();
}

#[test]
fn messages_are_read_strictly() {
    let house = house(2, 4);
    let (repair, own) = house.split(&[1, 3]);
    let request = house.signed(Request::new(&house.key_set, LOST, &[1, 3]).unwrap());
    let split = house.signed(repair.split(house.share(1)).unwrap().split);
    let sum = house.signed(house.sum(&repair, &own, 1).unwrap());
    fn altered<L: Letter + std::fmt::Debug>(
        house: &House,
        signed: &Signed<L>,
        change: impl Fn(&mut serde_json::Value),
    ) -> &'static str {
        let mut value: serde_json::Value = serde_json::from_slice(&signed.letter().to_bytes()).unwrap();
        change(&mut value);
        let jws = crate::seal::jws::Jws::sign(house.cast.signer(1), L::TYP, value.to_string().as_bytes()).unwrap();
        Signed::<L>::from_value(&serde_json::to_value(jws).unwrap()).unwrap_err().reason()
    }
    let more = |value: &mut serde_json::Value| value["more"] = 1.into();
    assert_eq!(altered(&house, &request, more), "unknown_field");
    assert_eq!(altered(&house, &split, more), "unknown_field");
    assert_eq!(altered(&house, &sum, more), "unknown_field");
    assert_eq!(altered(&house, &sum, |value| value["v"] = "sealbid/2".into()), "unknown_version");
    assert_eq!(altered(&house, &request, |value| value["helpers"] = "1".into()), "wrong_type");
    assert_eq!(altered(&house, &split, |value| value["shown"][0] = "AA".into()), "not_a_point");
    let as_another = serde_json::to_value(split.jws()).unwrap();
    assert_eq!(Signed::<Sum>::from_value(&as_another).unwrap_err().reason(), "wrong_typ");
}
