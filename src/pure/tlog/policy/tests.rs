use ring::signature::{Ed25519KeyPair, KeyPair};

use super::super::{cosignature, note};
use super::*;
use crate::kernel::digest::sha256;

fn key(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("a seed")
}

fn verifier(name: &str, kind: Kind, seed: u8) -> Verifier {
    Verifier::new(name, kind, key(seed).public_key().as_ref()).expect("a verifier")
}

fn checkpoint() -> Checkpoint {
    Checkpoint { origin: "log.example/audit/main".into(), size: 8, root: sha256(b"root") }
}

fn signed(witnesses: &[u8]) -> String {
    let text = checkpoint().text();
    let mut note = note::sign(&text, "log.example/audit/main", key(1).public_key().as_ref(), |bytes| {
        key(1).sign(bytes).as_ref().to_vec()
    });
    for seed in witnesses {
        let witness = verifier(&format!("w{seed}.example"), Kind::Cosignature, *seed);
        note += &cosignature::line(&witness, 1000, &text, |bytes| key(*seed).sign(bytes).as_ref().to_vec());
    }
    note
}

/// The shape of the specification's example: two of three, and one of three others.
fn policy() -> Policy {
    let mut text = format!("# the log\nlog {}\n\n", verifier("log.example/audit/main", Kind::Text, 1));
    for (name, seed) in [("X1", 11), ("X2", 12), ("X3", 13), ("Y1", 21), ("Y2", 22), ("Y3", 23)] {
        let witness = verifier(&format!("w{seed}.example"), Kind::Cosignature, seed);
        text += &format!("witness {name} {witness} https://w{seed}.example\n");
    }
    text += "group X-witnesses 2 X1 X2 X3\n\tgroup  Y-witnesses any Y1 Y2 Y3 \n";
    text += "group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n";
    Policy::parse(&text).expect("a policy")
}

#[test]
fn a_quorum_of_groups_is_counted_as_the_specification_says() {
    let policy = policy();
    assert_eq!(policy.witnesses().count(), 6);
    for (witnesses, met) in [
        (&[11, 12, 21][..], true),
        (&[11, 13, 23], true),
        (&[11, 12, 13], false),
        (&[11, 21, 22, 23], false),
        (&[], false),
    ] {
        let answer = policy.check(&signed(witnesses));
        assert_eq!(answer.is_ok(), met, "{witnesses:?}: {answer:?}");
        if let Ok(accepted) = answer {
            assert_eq!(accepted.checkpoint, checkpoint());
            assert_eq!(accepted.witnesses.len(), witnesses.len());
        }
    }
}

#[test]
fn a_cosignature_that_does_not_fit_spoils_the_whole_and_one_of_a_stranger_does_not() {
    let note = signed(&[11, 12, 21, 99]);
    assert!(policy().check(&note).is_ok());
    let bad = note + &verifier("w22.example", Kind::Cosignature, 22).line(&[0; 72]);
    assert_eq!(policy().check(&bad), Err(Refused::BadCosignature("Y2".into())));
}

#[test]
fn a_checkpoint_of_another_log_is_refused() {
    let other = Policy::of_log(verifier("log.example/audit/main", Kind::Text, 2));
    assert_eq!(other.check(&signed(&[])), Err(Refused::Checkpoint(CheckpointError::Note(NoteError::NotSigned))));
    let ours = Policy::of_log(verifier("log.example/audit/main", Kind::Text, 1));
    assert!(ours.check(&signed(&[])).is_ok());
    let elsewhere = signed(&[]).replace("log.example/audit/main\n8", "log.example/audit/other\n8");
    assert_eq!(ours.check(&elsewhere), Err(Refused::Checkpoint(CheckpointError::Note(NoteError::BadSignature))));
}

#[test]
fn what_is_wrong_with_a_policy_is_said_with_its_line() {
    let w1 = verifier("w1", Kind::Cosignature, 1);
    let w2 = verifier("w2", Kind::Cosignature, 2);
    for (text, line) in [
        (String::new(), 0),
        ("quorum a\n".to_owned(), 1),
        ("quorum none\nquorum none\n".to_owned(), 2),
        ("log nonsense\n".to_owned(), 1),
        (format!("witness none {w1}\n"), 1),
        (format!("witness a {w1}\nwitness b {w1}\n"), 2),
        (format!("witness a {w1}\nwitness a {w2}\n"), 2),
        (format!("witness a {w1}\ngroup g 2 a\n"), 2),
        (format!("witness a {w1}\ngroup g 0 a\n"), 2),
        (format!("witness a {w1}\ngroup g all\n"), 2),
        (format!("witness a {w1}\ngroup g any a b\n"), 2),
        (format!("witness a {w1}\ngroup g any a\ngroup h any a\n"), 3),
        (format!("witness a {}\n", verifier("w", Kind::Text, 3)), 1),
        (format!("log {w1}\n"), 1),
        ("quorum none\r\n".to_owned(), 1),
    ] {
        assert_eq!(Policy::parse(&text).map_err(|error| error.line), Err(line), "{text:?}");
    }
    assert!(Policy::parse("quorum none\n").is_ok_and(|policy| !policy.needs_witnesses()));
}
