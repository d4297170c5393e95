//! A witness over HTTP, and its state.

use std::net::TcpListener;
use std::sync::Arc;

use actix_web::web;

use super::client::{Answer, WitnessClient};
use super::key::WitnessKey;
use super::state::{StateError, States};
use super::{Witness, server};
use crate::clock::ManualClock;
use crate::kernel::digest::{Digest, sha256};
use crate::kernel::time::Timestamp;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::note::{Kind, Note};
use crate::tlog::prove;
use crate::tlog::specimen::{ORIGIN, SpecimenKey};
use crate::tlog::tree::{Frontier, data_hash};

/// A tree of numbered leaves.
fn leaf(i: u64) -> Digest {
    data_hash(&i.to_be_bytes())
}

fn head(size: u64) -> Checkpoint {
    let mut frontier = Frontier::empty();
    (0..size).for_each(|i| frontier.append(leaf(i)));
    Checkpoint { origin: ORIGIN.to_owned(), size, root: frontier.root() }
}

fn proof(old: u64, new: u64) -> Vec<Digest> {
    let read = |level: u32, index: u64| {
        let mut frontier = Frontier::empty();
        (index << level..(index + 1) << level).for_each(|i| frontier.append(leaf(i)));
        Ok::<_, std::convert::Infallible>(frontier.root())
    };
    let Ok(proof) = prove::consistency(old, new, read);
    proof
}

fn log_key() -> SpecimenKey {
    SpecimenKey::new(1, ORIGIN, Kind::Text)
}

fn signed(head: &Checkpoint) -> String {
    log_key().note(&head.text())
}

fn witness(dir: &std::path::Path) -> Result<Witness, StateError> {
    let key = WitnessKey::load_or_make(&dir.join("key.pem"), "w.example/1").expect("a key");
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_795_309_200_000)));
    Witness::open(key, vec![log_key().verifier], States::open(&dir.join("state"))?, clock)
}

/// Serves a witness for as long as `ask` takes.
fn served(witness: Witness, ask: impl FnOnce(&str) + Send + 'static) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    actix_web::rt::System::new().block_on(async move {
        let server = server::start(web::Data::new(witness), listener).expect("a server");
        let handle = server.handle();
        let running = actix_web::rt::spawn(server);
        let asked = web::block(move || ask(&url)).await;
        handle.stop(true).await;
        running.await.expect("ran").expect("ended well");
        asked.expect("every answer was as it must be");
    });
}

fn raw(url: &str, body: &[u8]) -> (u16, String, String) {
    let config = ureq::Agent::config_builder().http_status_as_error(false).build();
    let mut response =
        ureq::Agent::new_with_config(config).post(format!("{url}/add-checkpoint")).send(body).expect("answered");
    let kind =
        response.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
    (response.status().as_u16(), kind, response.body_mut().read_to_string().expect("text"))
}

#[test]
fn every_answer_is_the_one_of_the_specification() {
    let dir = tempfile::tempdir().expect("a directory");
    let ours = witness(dir.path()).expect("a fresh state");
    let verifier = ours.verifier().clone();
    served(ours, move |url| {
        let client = WitnessClient::new();
        let add = |old, proof: &[Digest], note: &str| client.add_checkpoint(url, old, proof, note).expect("answered");
        let eight = signed(&head(8));
        assert_eq!(client.latest(url, ORIGIN), Ok(None));
        // 409 before anything was seen: the size is zero. 422: nothing may be proven from nothing.
        assert_eq!(add(4, &proof(4, 8), &eight), Answer::Conflict(0));
        assert_eq!(add(0, &proof(4, 8), &eight), Answer::Refused(422));
        let Answer::Cosigned(lines) = add(0, &[], &eight) else { panic!("not cosigned") };
        let whole = format!("{eight}{lines}");
        let seen = Note::parse(&whole).expect("a note").verify(&verifier).expect("its signature");
        assert_eq!(seen.witnessed_at, Some(1_795_309_200));
        assert_eq!(client.latest(url, ORIGIN), Ok(Some(whole)));
        assert_eq!(client.latest(url, "other.example/log"), Ok(None));
        // The same again, and a longer one with its proof.
        assert!(matches!(add(8, &[], &eight), Answer::Cosigned(_)));
        let twenty = signed(&head(20));
        assert_eq!(add(8, &proof(4, 20), &twenty), Answer::Refused(422));
        assert_eq!(add(8, &[], &twenty), Answer::Refused(422));
        assert!(matches!(add(8, &proof(8, 20), &twenty), Answer::Cosigned(_)));
        // Smaller, of the same size with another root, and beyond its own size.
        assert_eq!(add(8, &proof(8, 20), &twenty), Answer::Conflict(20));
        assert_eq!(add(8, &[], &eight), Answer::Conflict(20));
        let other = Checkpoint { root: sha256(b"another"), ..head(20) };
        assert_eq!(add(20, &[], &signed(&other)), Answer::Conflict(20));
        assert_eq!(add(21, &[], &twenty), Answer::Refused(400));
        // Forked: it claims to continue and does not.
        let forked = Checkpoint { root: sha256(b"another"), ..head(24) };
        assert_eq!(add(20, &proof(20, 24), &signed(&forked)), Answer::Refused(422));
        // Of others.
        let stranger = SpecimenKey::new(9, ORIGIN, Kind::Text);
        assert_eq!(add(20, &[], &stranger.note(&head(20).text())), Answer::Refused(403));
        let elsewhere = SpecimenKey::new(1, "other.example/log", Kind::Text);
        let unknown = Checkpoint { origin: "other.example/log".into(), ..head(20) };
        assert_eq!(add(0, &[], &elsewhere.note(&unknown.text())), Answer::Refused(404));
        // Out of form.
        let long = "x".repeat(crate::limits::WITNESS_BODY_BYTES + 1);
        for (body, status) in [
            (format!("old 020\n\n{twenty}"), 400),
            (format!("20\n\n{twenty}"), 400),
            (format!("old 20\nnothash\n\n{twenty}"), 400),
            (format!("old 20\n{}\n{twenty}", "A".repeat(43) + "=\n"), 422),
            (format!("old 20\n{}\n{twenty}", (String::from("A").repeat(43) + "=\n").repeat(64)), 400),
            (format!("old 20\n\n{}", head(20).text()), 400),
            (String::new(), 400),
            (long, 413),
        ] {
            let (got, ..) = raw(url, body.as_bytes());
            assert_eq!(got, status, "{body}");
        }
        assert_eq!(raw(url, &[0xff, 0xfe]).0, 400);
        let (status, kind, text) = raw(url, format!("old 3\n\n{twenty}").as_bytes());
        assert_eq!((status, &*kind, &*text), (409, "text/x.tlog.size", "20\n"));
    });
}

#[test]
fn of_many_requests_for_the_same_step_one_moves_the_state_and_none_moves_it_back() {
    let dir = tempfile::tempdir().expect("a directory");
    served(witness(dir.path()).expect("a fresh state"), |url| {
        let cosigned: usize = std::thread::scope(|scope| {
            let asking: Vec<_> = (1..=16_u64)
                .map(|size| {
                    scope.spawn(move || {
                        let answer =
                            WitnessClient::new().add_checkpoint(url, 0, &[], &signed(&head(size))).expect("answered");
                        usize::from(matches!(answer, Answer::Cosigned(_)))
                    })
                })
                .collect();
            asking.into_iter().map(|one| one.join().expect("asked")).sum()
        });
        assert_eq!(cosigned, 1, "all begin at zero, so only one can be the first");
    });
}

#[test]
fn what_was_seen_outlives_the_process_whether_or_not_it_was_answered() {
    let dir = tempfile::tempdir().expect("a directory");
    // The state is written, the answer is lost: the witness ends there.
    let line =
        witness(dir.path()).expect("fresh").add(&super::client::body(0, &[], &signed(&head(8)))).expect("cosigned");
    let again = witness(dir.path()).expect("the state of before");
    assert!(again.latest(&sha256(ORIGIN.as_bytes())).expect("seen").ends_with(&line));
    let body = super::client::body(0, &[], &signed(&head(9)));
    assert!(again.add(&body).expect_err("it has seen more").to_string().contains("size 8"));
    again.add(&super::client::body(8, &[], &signed(&head(8)))).expect("the same answer, asked for again");
    assert!(matches!(witness(dir.path()), Err(StateError::Locked(_))), "one process at a time");
}

#[test]
fn a_state_that_is_damaged_or_was_put_back_is_noticed() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("state").join(format!("{}.checkpoint", sha256(ORIGIN.as_bytes())));
    let ours = witness(dir.path()).expect("fresh");
    ours.add(&super::client::body(0, &[], &signed(&head(8)))).expect("cosigned");
    let older = std::fs::read(&path).expect("a state");
    ours.add(&super::client::body(8, &proof(8, 12), &signed(&head(12)))).expect("cosigned");
    // An older copy is put in place while the witness runs.
    std::fs::write(&path, &older).expect("written");
    let refused = ours.add(&super::client::body(12, &proof(12, 16), &signed(&head(16)))).expect_err("changed under it");
    assert!(refused.to_string().contains("changed under"), "{refused}");
    drop(ours);
    for at in 0..older.len() {
        let mut damaged = older.clone();
        damaged[at] ^= 1;
        std::fs::write(&path, damaged).expect("written");
        assert!(matches!(witness(dir.path()), Err(StateError::Damaged(_))), "byte {at}");
    }
    std::fs::write(&path, b"").expect("written");
    assert!(matches!(witness(dir.path()), Err(StateError::Damaged(_))));
}
