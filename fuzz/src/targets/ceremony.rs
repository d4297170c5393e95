//! The ceremony: its draft, the messages of every step, complaints, backups, and the proof of a custodian's key.
//!
//! What is accepted has one spelling, reads back as the same, and is no message of another step; no complaint in a ceremony
//! in which all dealt rightly blames who dealt; no altered backup opens.

use std::fmt::Debug;
use std::sync::LazyLock;

use sealbid::kernel::digest::sha256;
use sealbid::seal::ceremony::{
    Accept, Backup, Commit, Complaint, Draft, Message, Round1, Round2, Signed, SignedDraft, Transcript, Verdict, judge,
    prove_kem,
};
use sealbid::seal::points::PrivateScalar;
use serde_json::Value;

use super::{OPENED, choice, json, seed, signed_json, signing_key};

/// The type of a signed object, and what it is read by.
type Kind = (&'static str, fn(&Value) -> bool);

const KINDS: [Kind; 6] = [
    ("sealbid-ceremony+jws", draft),
    (Commit::TYP, message::<Commit>),
    (Round1::TYP, message::<Round1>),
    (Round2::TYP, message::<Round2>),
    (Accept::TYP, message::<Accept>),
    (Complaint::TYP, complaint),
];

struct Fixed {
    draft: Draft,
    transcript: Transcript,
}

static FIXED: LazyLock<Fixed> = LazyLock::new(|| {
    let line = OPENED.ceremony();
    let draft = SignedDraft::from_value(&line["draft"]).expect("a draft").draft().clone();
    let mut transcript = Transcript::new(draft.clone());
    let said = |step: &str| line["messages"][step].as_array().expect("in the vector");
    said("commit").iter().for_each(|value| transcript.commit(read(value)).expect("right"));
    said("round1").iter().for_each(|value| transcript.round1(read(value)).expect("right"));
    said("round2").iter().for_each(|value| transcript.round2(read(value)).expect("right"));
    Fixed { draft, transcript }
});

fn read<M: Message>(value: &Value) -> Signed<M> {
    Signed::from_value(value).expect("a message")
}

/// See [`super::Target::run`].
pub fn run(data: &[u8]) -> bool {
    let Some((choice, bytes)) = choice(data, 14) else { return false };
    match choice {
        12 => backup(bytes),
        13 => str::from_utf8(bytes).is_ok_and(possession),
        _ => {
            let (typ, read) = KINDS[usize::from(choice / 2)];
            // The bytes are the whole text, or what is signed.
            let text = if choice % 2 == 0 { bytes.to_vec() } else { signed_json(typ, bytes).into_bytes() };
            serde_json::from_slice(&text).is_ok_and(|value| read(&value))
        }
    }
}

fn of_one_kind(value: &Value) {
    let kinds = [
        SignedDraft::from_value(value).is_ok(),
        Signed::<Commit>::from_value(value).is_ok(),
        Signed::<Round1>::from_value(value).is_ok(),
        Signed::<Round2>::from_value(value).is_ok(),
        Signed::<Accept>::from_value(value).is_ok(),
        Signed::<Complaint>::from_value(value).is_ok(),
    ];
    assert_eq!(kinds.into_iter().filter(|kind| *kind).count(), 1);
}

fn draft(value: &Value) -> bool {
    let Ok(read) = SignedDraft::from_value(value) else { return false };
    of_one_kind(value);
    assert_eq!(read.jws().payload(), read.draft().to_bytes(), "one spelling, and so one id");
    assert_eq!(read.id(), sha256(read.jws().payload()));
    assert_eq!(Draft::from_bytes(read.jws().payload()).as_ref(), Ok(read.draft()));
    _ = read.verify(signing_key().verifying_key());
    true
}

fn message<M: Message + Clone + Debug + PartialEq>(value: &Value) -> bool {
    let Ok(read) = Signed::<M>::from_value(value) else { return false };
    of_one_kind(value);
    assert_eq!(json(read.jws().payload()), json(&read.message().to_bytes()), "one spelling");
    let again = Signed::sign(read.message().clone(), &signing_key()).expect("Ed25519 needs no random numbers");
    let back = serde_json::to_value(again.jws()).expect("JSON");
    assert_eq!(Signed::<M>::from_value(&back).as_ref(), Ok(&again), "reads back as the same");
    let Fixed { draft, transcript } = &*FIXED;
    // The key of whoever made it up is no member's.
    assert!(again.verify(draft, transcript.id(), signing_key().verifying_key()).is_err());
    true
}

fn complaint(value: &Value) -> bool {
    if !message::<Complaint>(value) {
        return false;
    }
    let said = read::<Complaint>(value).message().clone();
    assert!(!matches!(judge(&FIXED.transcript, &said), Ok(Verdict::Accused(_))), "all have dealt rightly");
    true
}

fn backup(bytes: &[u8]) -> bool {
    let Ok(read) = Backup::parse(bytes) else { return false };
    assert_eq!(Backup::parse(read.to_json().as_bytes()).as_ref(), Ok(&read));
    assert_eq!(json(bytes), json(read.to_json().as_bytes()), "one spelling");
    let key = PrivateScalar::from_bytes(OPENED.secret("backup_key").expose()).expect("a key");
    if let Ok(share) = read.open(FIXED.transcript.id(), OPENED.key_set.clone(), 1, &key) {
        assert_eq!(share.private_bytes().expose(), OPENED.secret("share").expose());
        assert_eq!(json(bytes), OPENED.vector["beside"]["backup"]);
    }
    true
}

/// The text is a proof that the first member has its long-term key.
fn possession(text: &str) -> bool {
    let kem = &OPENED.key_set.members[0].kem;
    let proven = prove_kem::check(kem, "usr-1", text).is_ok();
    assert!(!proven || prove_kem::check(kem, "usr-2", text).is_err());
    proven
}

/// See [`super::Target::seeds`].
pub fn seeds() -> Vec<Vec<u8>> {
    let (line, beside) = (OPENED.ceremony(), &OPENED.vector["beside"]);
    let said = |step: &str| &line["messages"][step][0];
    let signed = [&line["draft"], said("commit"), said("round1"), said("round2"), said("accept"), &beside["complaint"]];
    let mut seeds = Vec::new();
    for (value, kind) in signed.into_iter().zip(0_u8..) {
        let payload = value["payload"].as_str().expect("text");
        let payload = sealbid::kernel::encoding::from_base64url(payload).expect("base64url");
        seeds.extend([seed(2 * kind, value.to_string()), seed(2 * kind + 1, payload)]);
    }
    let key = PrivateScalar::from_bytes(OPENED.secret("backup_key").expose()).expect("a key");
    seeds.push(seed(12, beside["backup"].to_string()));
    seeds.push(seed(13, prove_kem::prove(&key, "usr-1").expect("random numbers")));
    seeds
}
