use super::*;
use crate::tlog::prove;
use crate::tlog::tree::Frontier;

const ORIGIN: &str = "log.example/audit/main";

fn commitments(from: u64, n: u64) -> Vec<Digest> {
    (from..from + n).map(|i| sha256(&i.to_be_bytes())).collect()
}

fn growth(slot: u64, before: u64, n: u64) -> Growth {
    let mut frontier = Frontier::empty();
    commitments(0, before + n).iter().for_each(|c| frontier.append(leaf_hash(c)));
    Growth { slot, size_before: before, commitments: commitments(before, n), root: frontier.root() }
}

fn signer() -> (tempfile::TempDir, FileSigner) {
    let dir = tempfile::tempdir().expect("a directory");
    let signer = FileSigner::create(&dir.path().join("signer"), ORIGIN).expect("made");
    (dir, signer)
}

fn refusal(result: Result<String, SignerError>) -> String {
    result.expect_err("refused").to_string()
}

#[test]
fn a_tree_that_grows_is_signed_and_the_same_again_gets_the_same_bytes() {
    let (dir, signer) = signer();
    let note = signer.sign(&growth(1, 0, 8)).expect("signed");
    assert_eq!(signer.sign(&growth(1, 0, 8)).expect("again"), note);
    let checkpoint = Checkpoint::open(&note, signer.verifier()).expect("a checkpoint");
    assert_eq!((checkpoint.size, checkpoint.root), (8, growth(1, 0, 8).root));
    drop(signer);
    let again = FileSigner::open(&dir.path().join("signer"), ORIGIN).expect("opened");
    assert_eq!(again.head().expect("head").size, 8);
    again.sign(&growth(2, 8, 3)).expect("goes on where it was");
}

#[test]
fn nothing_that_does_not_extend_what_was_signed_is_signed() {
    let (_dir, signer) = signer();
    signer.sign(&growth(5, 0, 8)).expect("signed");
    signer.sign(&growth(6, 8, 8)).expect("signed");
    for (what, growth) in [
        ("a smaller tree", growth(7, 0, 8)),
        ("a gap", growth(7, 24, 8)),
        ("a slot that was", growth(6, 16, 8)),
        ("an earlier slot", growth(5, 16, 8)),
    ] {
        assert!(refusal(signer.sign(&growth)).contains("refuses"), "{what}");
    }
    let mut other = growth(7, 16, 8);
    other.root = sha256(b"other");
    assert!(refusal(signer.sign(&other)).contains("root"));
    // Another tree of the size that was signed: a second root for one size.
    let mut second = growth(6, 8, 8);
    second.commitments[0] = sha256(b"another entry");
    second.root = sha256(b"its root");
    assert!(refusal(signer.sign(&second)).contains("begins at 8"));
    assert_eq!(signer.head().expect("head").size, 16, "a refusal changes nothing");
}

#[test]
fn an_overdue_promise_stops_the_signing_until_it_is_shown_to_be_kept() {
    let (_dir, signer) = signer();
    let signer = signer.with_promise_ms(-1);
    let promised = commitments(3, 1);
    signer.promised(&promised).expect("remembered");
    signer.sign(&growth(1, 0, 8)).expect("it came in this very growth");
    // Promised once more, as when its answer is repeated: only a proof helps now.
    signer.promised(&promised).expect("remembered");
    assert!(matches!(signer.sign(&growth(2, 8, 8)), Err(SignerError::Overdue(overdue)) if overdue == promised));
    let leaves: Vec<Digest> = commitments(0, 8).iter().map(leaf_hash).collect();
    let read = |level: u32, index: u64| -> Result<Digest, std::convert::Infallible> {
        let from = usize::try_from(index << level).expect("small");
        Ok(crate::tlog::tiles::subtree(&leaves[from..from + (1 << level)]))
    };
    let Ok(proof) = prove::inclusion(3, 8, read);
    let kept = |index| Kept { commitment: promised[0], index, proof: proof.clone() };
    assert!(signer.kept(&[kept(4)]).is_err(), "a proof that proves nothing");
    signer.kept(&[kept(3)]).expect("kept");
    signer.sign(&growth(2, 8, 8)).expect("goes on");
    signer.promised(&[sha256(b"deleted from the database")]).expect("remembered");
    assert!(matches!(signer.sign(&growth(3, 16, 8)), Err(SignerError::Overdue(_))));
}

#[test]
fn a_damaged_memory_signs_nothing() {
    let (dir, signer) = signer();
    signer.promised(&commitments(0, 2)).expect("remembered");
    for file in [STATE, PROMISED] {
        let path = dir.path().join("signer").join(file);
        let good = fs::read(&path).expect("readable");
        for at in 0..good.len() - 1 {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs::write(&path, &bad).expect("writable");
            assert!(matches!(signer.sign(&growth(1, 0, 8)), Err(SignerError::Memory(_))), "{file} byte {at}");
        }
        fs::write(&path, &good).expect("writable");
    }
    // Half a line at the end is a promise that was never given.
    let path = dir.path().join("signer").join(PROMISED);
    let good = fs::read(&path).expect("readable");
    fs::write(&path, &good[..good.len() - 5]).expect("writable");
    signer.sign(&growth(1, 0, 8)).expect("signed");
}

#[test]
fn a_signer_that_was_half_made_is_completed() {
    let dir = tempfile::tempdir().expect("a directory");
    let place = dir.path().join("signer");
    let made = FileSigner::create(&place, ORIGIN).expect("made");
    let key = made.verifier().clone();
    fs::remove_file(place.join(STATE)).expect("removed");
    assert!(!FileSigner::exists(&place));
    assert_eq!(FileSigner::create(&place, ORIGIN).expect("completed").verifier(), &key, "with the key that is there");
    fs::remove_file(place.join("log-1.pem")).expect("removed");
    assert!(!FileSigner::exists(&place));
    FileSigner::create(&place, ORIGIN).expect("completed").sign(&growth(1, 0, 8)).expect("signed");
}

#[test]
fn a_signer_of_another_log_is_not_taken() {
    let (dir, _) = signer();
    assert!(FileSigner::open(&dir.path().join("signer"), "other.example/audit/main").is_err());
    assert!(FileSigner::create(&dir.path().join("signer"), ORIGIN).is_err(), "and none is made over another");
}
