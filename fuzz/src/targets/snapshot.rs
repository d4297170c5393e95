//! What is asked and answered when a box opens: snapshots, their lines, lists of partial decryptions, rehearsals.
//!
//! What is accepted has one spelling and reads back as the same; a line is proven, and a share right, only as it was made.

use sealbid::seal::ceremony::rehearsal;
use sealbid::seal::jws::Jws;
use sealbid::seal::partials::{PARTIALS_TYP, SignedPartials};
use sealbid::seal::snapshot::{Line, SNAPSHOT_TYP, Snapshot};
use sealbid::seal::unsealing::Holder;
use serde_json::Value;

use super::{OPENED, choice, edited, json, of, seed, signed_json, signing_key};

/// See [`super::Target::run`].
pub fn run(data: &[u8]) -> bool {
    let Some((choice, bytes)) = choice(data, 6) else { return false };
    match choice {
        0 => snapshot(bytes),
        1 => snapshot(signed_json(SNAPSHOT_TYP, bytes).as_bytes()),
        2 => line(bytes),
        3 => line(&edited(OPENED.box_lines()[0].to_json().as_bytes(), bytes)),
        4 => partials(bytes),
        _ => partials(signed_json(PARTIALS_TYP, bytes).as_bytes()),
    }
}

fn snapshot(bytes: &[u8]) -> bool {
    let Some(read) = Jws::parse(bytes, SNAPSHOT_TYP).ok().and_then(|jws| Some((Snapshot::read(&jws).ok()?, jws)))
    else {
        return false;
    };
    let (snapshot, jws) = read;
    assert_eq!(json(jws.payload()), serde_json::to_value(&snapshot).expect("JSON"), "one spelling");
    let again = snapshot.sign(&signing_key()).expect("Ed25519 needs no random numbers");
    assert_eq!(Snapshot::read(&again).as_ref(), Ok(&snapshot));
    assert!(SignedPartials::parse(bytes).is_err());
    let lines = OPENED.box_lines();
    for key in [&OPENED.platform, signing_key().verifying_key()] {
        if let Ok(verified) = Snapshot::verified(&jws, key, &lines) {
            assert_eq!(verified.root, sealbid::seal::snapshot::root(&lines));
            assert_eq!(verified.count, lines.len() as u64);
        }
    }
    true
}

fn line(bytes: &[u8]) -> bool {
    let Ok(read) = Line::parse(bytes) else { return false };
    assert_eq!(json(bytes), json(read.to_json().as_bytes()), "one spelling");
    assert_eq!(Line::parse(read.to_json().as_bytes()).as_ref(), Ok(&read));
    if read.check(&OPENED.key_set).is_ok() {
        // The proof speaks of key, context, slot and secret; the envelope's id is what the root is for.
        let same = |line: &Line| Line { envelope: read.envelope, ..*line } == read;
        assert!(OPENED.box_lines().iter().any(same), "a proof of something else");
    }
    true
}

fn partials(bytes: &[u8]) -> bool {
    let Ok(read) = SignedPartials::parse(bytes) else { return false };
    let list = read.list();
    assert_eq!(SignedPartials::parse(read.jws().to_json().as_bytes()).as_ref(), Ok(&read));
    let again = list.clone().sign(&signing_key()).expect("Ed25519 needs no random numbers");
    assert_eq!(json(read.jws().payload()), json(again.jws().payload()), "one spelling");
    assert!((1..=500).contains(&list.partials.len()));
    assert!(Jws::parse(bytes, SNAPSHOT_TYP).is_err());
    if rehearsal::verify(&OPENED.key_set, list) {
        let ours = SignedPartials::parse(OPENED.vector["beside"]["rehearsal"].to_string().as_bytes());
        assert_eq!(ours.expect("a rehearsal").list().partials[0].share.d, list.partials[0].share.d);
    }
    for partial in &list.partials {
        let at = |line: &&Line| (line.envelope, line.slot) == (partial.envelope, partial.slot);
        let lines = OPENED.box_lines();
        let Some(line) = lines.iter().find(at) else { continue };
        if line.verify(&Holder::of(&OPENED.key_set, list.member), &partial.share) {
            let d = sealbid::kernel::encoding::base64url(&partial.share.d.to_compressed());
            assert!(OPENED.bundle.contains(&d), "a share that nobody gave");
        }
    }
    true
}

/// See [`super::Target::seeds`].
pub fn seeds() -> Vec<Vec<u8>> {
    let payload = |value: &Value| {
        let text = value["payload"].as_str().expect("text");
        sealbid::kernel::encoding::from_base64url(text).expect("base64url")
    };
    let snapshot = &of(&OPENED.lines, "snapshot")[0]["snapshot"];
    let mut seeds = vec![
        seed(0, snapshot.to_string()),
        seed(1, payload(snapshot)),
        seed(2, OPENED.box_lines()[1].to_json()),
        seed(3, []),
    ];
    let lists = of(&OPENED.lines, "partials").into_iter().map(|line| &line["partials"]);
    for list in lists.chain([&OPENED.vector["beside"]["rehearsal"]]) {
        seeds.extend([seed(4, list.to_string()), seed(5, payload(list))]);
    }
    seeds
}
