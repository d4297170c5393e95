//! What the custodian's tool reads from files: its own sealed state, a ceremony, a snapshot, a proof, a checkpoint.
//!
//! Whatever is done to a ceremony or a snapshot, the tool believes in no other key set and answers no other lines; a state
//! reads back as the same, and a file that was altered does not open.

use sealbid::client::custodians::{CeremonyView, SnapshotView};
use sealbid::custodian::ceremony::{Ceremony, Me};
use sealbid::custodian::opening;
use sealbid::custodian::state::{Share, State};
use sealbid::custodian::vault;
use sealbid::kernel::digest::sha256;
use sealbid::kernel::secret::Secret;
use sealbid::kernel::time::Timestamp;
use sealbid::tlog::checkpoint::Checkpoint;
use sealbid::tlog::proof::Proof;
use serde_json::{Value, json};

use super::{OPENED, choice, edited, of, seed};

/// A file that was made under a cheap derivation, which the tool itself would not choose: its first line.
const SEALED: &str = include_str!("custodian.sealed");
const PASSPHRASE: &str = "a long passphrase";
const PROOF: &str = include_str!("../../../tests/vectors/log/receipts/first.tlog-proof");
const CHECKPOINT: &str = include_str!("../../../tests/vectors/log/checkpoint");

/// See [`super::Target::run`].
pub fn run(data: &[u8]) -> bool {
    let Some((choice, bytes)) = choice(data, 9) else { return false };
    match choice {
        0 => sealed(bytes),
        // Somebody who alters the file alters its sum as well.
        1 => sealed(&[bytes, b"\n", sha256(bytes).to_string().as_bytes(), b"\n"].concat()),
        2 => state(bytes),
        3 => ceremony(bytes),
        4 => ceremony(&edited(ceremony_json().to_string().as_bytes(), bytes)),
        5 => snapshot(bytes),
        6 => snapshot(&edited(snapshot_json().to_string().as_bytes(), bytes)),
        7 => str::from_utf8(bytes).is_ok_and(proof),
        _ => str::from_utf8(bytes).is_ok_and(checkpoint),
    }
}

fn sealed(bytes: &[u8]) -> bool {
    // A derivation that takes its time is refused or not by the same code as a cheap one, and takes its time.
    let text = String::from_utf8_lossy(bytes);
    if !["\"m\":8,", "\"t\":1,", "\"p\":1,"].iter().all(|cheap| text.contains(cheap)) {
        return false;
    }
    let Ok(plain) = vault::unseal(bytes, &Secret::new(PASSPHRASE.to_owned())) else { return false };
    let values = |text: &str| text.lines().next().map(|line| super::json(line.as_bytes()));
    assert_eq!(values(&text), values(SEALED), "an altered file opens");
    assert_eq!(plain.expose(), br#"{"share":"secret"}"#);
    true
}

fn state(bytes: &[u8]) -> bool {
    let Ok(read) = State::read(&Secret::new(bytes.to_vec())) else { return false };
    let written = serde_json::to_vec(&read).expect("JSON");
    let again = State::read(&Secret::new(written.clone())).expect("what was written can be read");
    assert_eq!(super::json(&written), serde_json::to_value(&again).expect("JSON"));
    _ = (read.signing_key(), read.kem(), read.platform_key());
    for share in read.shares.values() {
        if let Ok(secret) = share.secret() {
            let public = share.public().expect("it has a public half");
            assert_eq!(Some(&secret.private().public()), public.share_of(share.member));
        }
    }
    for kept in read.ceremonies.values() {
        _ = kept.secrets.as_ref().map(|dealing| dealing.dealer(kept.digest, kept.member));
    }
    true
}

fn ceremony(bytes: &[u8]) -> bool {
    let Ok(view) = serde_json::from_slice::<CeremonyView>(bytes) else { return false };
    let member = &OPENED.key_set.members[0];
    let Ok(read) = Ceremony::read(&view, &Me { sign_kid: member.sign_kid, kem: member.kem }) else { return false };
    assert_eq!(read.me, 1);
    _ = (read.next(None), read.agreed());
    let Ok(sets) = read.published(&OPENED.platform) else { return false };
    assert_eq!(sets, std::slice::from_ref(&OPENED.key_set));
    true
}

fn snapshot(bytes: &[u8]) -> bool {
    let Ok(view) = serde_json::from_slice::<SnapshotView>(bytes) else { return false };
    let share = Share::of(&OPENED.share(), "ceremony-1", "lot-1");
    let Ok(checked) = opening::check(&share, &OPENED.platform, &view) else { return false };
    assert_eq!(checked.lines, OPENED.box_lines());
    assert_eq!(checked.snapshot.kid, OPENED.key_set.kid);
    true
}

fn proof(text: &str) -> bool {
    let Ok(read) = Proof::parse(text) else { return false };
    assert_eq!(read.to_text(), text, "one spelling");
    true
}

fn checkpoint(text: &str) -> bool {
    let Ok(read) = Checkpoint::parse(text) else { return false };
    assert_eq!(Checkpoint::parse(&read.text()).as_ref(), Ok(&read));
    true
}

fn ceremony_json() -> Value {
    let line = OPENED.ceremony();
    json!({
        "id": "ceremony-1", "lot_id": "lot-1", "state": "active", "draft": line["draft"], "tenderer": line["tenderer"],
        "members": line["members"], "messages": line["messages"],
        "key_sets": [of(&OPENED.lines, "key_set")[0]["key_set"]],
    })
}

fn snapshot_json() -> Value {
    let lines = OPENED.box_lines();
    let lines = lines.iter().map(|line| super::json(line.to_json().as_bytes())).collect::<Vec<_>>();
    let snapshot = &of(&OPENED.lines, "snapshot")[0]["snapshot"];
    json!({ "lot_id": "lot-1", "kid": OPENED.key_set.kid, "snapshot": snapshot, "lines": lines, "proof": PROOF })
}

/// A state with a share and an answer.
fn state_json() -> Vec<u8> {
    let verifier = OPENED.vector["verifier"].as_str().expect("in the vector");
    let platform = sealbid::custodian::desk::given_key(verifier).expect("a key");
    let now = Timestamp::from_millis(1_795_000_000_000);
    let state = State::new("https://sealbid.example", "custodian1", platform, String::new(), now);
    let mut state = state.expect("random numbers");
    let share = Share::of(&OPENED.share(), "ceremony-1", "lot-1");
    state.shares.insert(OPENED.key_set.kid.to_string(), share);
    serde_json::to_vec(&state).expect("JSON")
}

/// See [`super::Target::seeds`].
pub fn seeds() -> Vec<Vec<u8>> {
    let body = CHECKPOINT.split("\n\n").next().expect("a text");
    vec![
        seed(0, SEALED),
        seed(1, SEALED.lines().next().expect("a line")),
        seed(2, state_json()),
        seed(3, ceremony_json().to_string()),
        seed(4, []),
        seed(5, snapshot_json().to_string()),
        seed(6, []),
        seed(7, PROOF),
        seed(8, format!("{body}\n")),
    ]
}
