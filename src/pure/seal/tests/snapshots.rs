//! Snapshots and the shares that answer them.

use super::{bidder_key, ident, platform_key, sealed_price, signing_key};
use crate::seal::keyset::Profile;
use crate::seal::partials::{Partial, Partials, SignedPartials};
use crate::seal::snapshot::{Line, Snapshot, in_order};
use crate::seal::unsealing::{Holder, payload_keys, verify_share};
use serde_json::{Value, json};

#[test]
fn a_snapshot_has_the_lines_of_its_own_key_set_and_shares_for_them_open_the_envelopes() {
    let (platform, bidder) = (platform_key(Profile::Strict), bidder_key(Profile::Strict));
    let sealed = [sealed_price("org-1", &[&platform, &bidder]), sealed_price("org-2", &[&platform, &bidder])];
    let mut lines: Vec<Line> = sealed.iter().flat_map(|one| Line::of(&one.envelope, bidder.key_set().kid)).collect();
    lines.sort_by_key(|line| (line.envelope, line.slot));
    assert_eq!(lines.iter().map(|line| line.slot).collect::<Vec<_>>(), [1, 1]);
    let publisher = signing_key();
    let jws = Snapshot::new(bidder.key_set(), ident("lot-1"), &lines).sign(&publisher).unwrap();
    let back = Snapshot::verified(&jws, publisher.verifying_key(), &lines).unwrap();
    assert_eq!((back.kid, back.count), (bidder.key_set().kid, 2));
    for changed in [
        vec![lines[0]],
        vec![lines[1], lines[0]],
        vec![lines[0], lines[0]],
        vec![lines[0], Line { slot: 0, ..lines[1] }],
        vec![lines[0], Line { enc: lines[0].enc, ..lines[1] }],
        vec![lines[0], Line { pok: None, ..lines[1] }],
    ] {
        let refused = Snapshot::verified(&jws, publisher.verifying_key(), &changed).unwrap_err();
        assert_eq!(refused.reason(), "other_lines");
    }
    assert!(Snapshot::verified(&jws, signing_key().verifying_key(), &lines).is_err());
    for one in &sealed {
        let line = lines.iter().find(|line| line.envelope == one.envelope.id()).unwrap();
        assert_eq!(Line::parse(line.to_json().as_bytes()).as_ref(), Ok(line));
        let share = line.share(&bidder).unwrap();
        assert!(
            line.verify(&Holder::of(bidder.key_set(), 1), &share)
                && verify_share(bidder.key_set(), 1, &one.envelope, 1, &share)
        );
        let other = crate::seal::unsealing::slot_share(&platform, &one.envelope, 0).unwrap();
        let sets = [platform.key_set(), bidder.key_set()];
        payload_keys(&one.envelope, &sets, &[vec![(1, other)], vec![(1, share)]]).unwrap();
    }
    assert!(!in_order(&[lines[1], lines[0]]));
}

#[test]
fn no_share_is_given_for_a_line_that_does_not_prove_its_ephemeral_key() {
    let key = platform_key(Profile::Strict);
    let line = Line::of(&sealed_price("org-1", &[&key]).envelope, key.key_set().kid).remove(0);
    let other = Line::of(&sealed_price("org-2", &[&key]).envelope, key.key_set().kid).remove(0);
    for (changed, reason) in [
        (Line { pok: None, ..line }, "pok_missing"),
        (Line { enc: other.enc, ..line }, "pok_invalid"),
        (Line { ctx_hash: other.ctx_hash, ..line }, "pok_invalid"),
        (Line { ct_hash: other.ct_hash, ..line }, "pok_invalid"),
        (Line { slot: 1, ..line }, "pok_invalid"),
        (Line { pok: other.pok, ..line }, "pok_invalid"),
    ] {
        assert_eq!(changed.check(key.key_set()).unwrap_err().reason(), reason);
        assert!(changed.share(&key).is_err());
    }
    assert!(line.share(&key).is_ok());
}

#[test]
fn a_signed_list_of_partials_is_read_strictly() {
    let key = platform_key(Profile::Strict);
    let line = Line::of(&sealed_price("org-1", &[&key]).envelope, key.key_set().kid).remove(0);
    let partial = Partial { envelope: line.envelope, slot: line.slot, share: line.share(&key).unwrap() };
    let signer = signing_key();
    let list = |partials| Partials { kid: key.key_set().kid, member: 1, snapshot: line.ctx_hash, partials };
    let signed = list(vec![partial; 500]).sign(&signer).unwrap();
    let back = SignedPartials::parse(signed.jws().to_json().as_bytes()).unwrap();
    assert_eq!(back.verify(signer.verifying_key()), Ok(signed.list()));
    assert!(back.verify(signing_key().verifying_key()).is_err());
    for (count, reason) in [(0, "out_of_range"), (501, "out_of_range")] {
        let refused = list(vec![partial; count]).sign(&signer).unwrap();
        assert_eq!(SignedPartials::parse(refused.jws().to_json().as_bytes()).unwrap_err().reason(), reason);
    }
    let good: Value = serde_json::from_slice(list(vec![partial]).sign(&signer).unwrap().jws().payload()).unwrap();
    for (change, reason) in [
        (json!({"v": "sealbid/2"}), "unknown_version"),
        (json!({"member": 256}), "out_of_range"),
        (json!({"snapshot": "00"}), "bad_hex"),
        (json!({"surplus": 1}), "unknown_field"),
    ] {
        let mut altered = good.clone();
        altered.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let jws = crate::seal::jws::Jws::sign(&signer, "sealbid-partials+jws", altered.to_string().as_bytes()).unwrap();
        assert_eq!(SignedPartials::parse(jws.to_json().as_bytes()).unwrap_err().reason(), reason);
    }
}
