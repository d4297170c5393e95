//! Watching a log over the network, with the program that strangers have.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use sealbid::kernel::digest::sha256;
use sealbid::tlog::policy::Policy;
use sealbid::tlog::specimen::{Specimen, files_of};
use serde_json::Value;

use crate::on_both;

/// Files behind an address of their own, which may be changed while they are served.
#[derive(Clone)]
struct Served {
    base: String,
    files: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
}

impl Served {
    fn new(files: BTreeMap<String, Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let served = Self { base, files: Arc::new(Mutex::new(files)) };
        let files = served.clone();
        std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| files.answer(stream)));
        served
    }

    fn answer(&self, mut stream: TcpStream) {
        let mut lines = BufReader::new(stream.try_clone().expect("a second handle")).lines().map_while(Result::ok);
        let first = lines.next().unwrap_or_default();
        lines.take_while(|line| !line.is_empty()).for_each(drop);
        let path = first.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
        let file = self.files.lock().unwrap_or_else(PoisonError::into_inner).get(&path).cloned();
        let (status, body) = file.map_or(("404 Not Found", Vec::new()), |body| ("200 OK", body));
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
    }

    fn put(&self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), bytes.into());
    }
}

/// Looks once, in `dir`, where the state and the evidence are kept; returns the exit code and what was said.
fn look(dir: &Path, url: &str, trust: [&str; 2]) -> (i32, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_sealbid"))
        .current_dir(dir)
        .args(["verify", "monitor", url, "--state", "last.checkpoint", "--once", "--json"])
        .args(trust)
        .output()
        .expect("it runs");
    let said = String::from_utf8(output.stdout).expect("text");
    let said = serde_json::from_str(&said)
        .unwrap_or_else(|_| panic!("{said:?} {:?}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().expect("it ended by itself"), said)
}

fn now() -> u64 {
    std::time::UNIX_EPOCH.elapsed().expect("after 1970").as_secs()
}

#[test]
fn a_log_that_forks_or_shrinks_or_stands_still_is_noticed() {
    let (specimen, files) = (Specimen::new(), files_of(&[11, 1, 50, 300]));
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("policy"), &files["policy"]).expect("written");
    let head = |name: &str| {
        let note = String::from_utf8(files[name].clone()).expect("text");
        let policy = Policy::parse(&specimen.policy()).expect("a policy");
        policy.check(&note).expect("a checkpoint").checkpoint
    };
    let (older, newer) = (head("older.checkpoint"), head("checkpoint"));
    let served = Served::new(files.clone());
    let show = |head| served.put("checkpoint", specimen.checkpoint(head, now()));
    let look = || look(dir.path(), &served.base, ["--policy", "policy"]);
    let kept = || std::fs::read_to_string(dir.path().join("last.checkpoint")).expect("kept");

    // First a tree, then what continues it.
    show(&older);
    let (code, said) = look();
    assert_eq!(
        (code, said["size"].as_u64(), said["added"].as_u64()),
        (0, Some(older.size), Some(older.size)),
        "{said}"
    );
    show(&newer);
    let (code, said) = look();
    assert_eq!((code, said["added"].as_u64()), (0, Some(newer.size - older.size)), "{said}");
    let shown = served.files.lock().unwrap_or_else(PoisonError::into_inner)["checkpoint"].clone();
    assert_eq!(kept().into_bytes(), shown, "the newest is kept word for word");

    // It stands still: the witnesses' time is old.
    served.put("checkpoint", specimen.checkpoint(&newer, now() - 60));
    let (code, said) = look();
    assert_eq!((code, said["verdict"].as_str()), (3, Some("undecided")), "{said}");
    assert!(said["what"]["en"].as_str().expect("text").contains("has stood still for"), "{said}");

    // A smaller tree, the true beginning of the larger one: no contradiction, but a log never shrinks.
    let before = kept();
    show(&older);
    let (code, said) = look();
    assert_eq!((code, said["verdict"].as_str()), (1, Some("refuted")), "{said}");
    assert!(said["what"]["en"].as_str().expect("text").contains("shrunk"), "{said}");
    assert_eq!(kept(), before, "what was believed is not replaced");

    // Another tree, of the same size or smaller: both notes are saved.
    for size in [newer.size, older.size] {
        let mut forged = newer.clone();
        (forged.size, forged.root) = (size, sha256(b"another history"));
        let note = specimen.checkpoint(&forged, now());
        served.put("checkpoint", note.clone());
        let (code, said) = look();
        assert_eq!((code, said["verdict"].as_str()), (4, Some("forked")), "{said}");
        let saved: Vec<String> = said["evidence"]
            .as_array()
            .expect("files")
            .iter()
            .map(|file| std::fs::read_to_string(dir.path().join(file.as_str().expect("a name"))).expect("saved"))
            .collect();
        assert!(saved.contains(&note) && saved.contains(&before), "{saved:?}");
    }

    // A tile under the head that was changed, in what is new since the last look.
    std::fs::remove_file(dir.path().join("last.checkpoint")).expect("removed");
    show(&newer);
    let mut bundle = files["tile/entries/000"].clone();
    bundle[100] ^= 1;
    served.put("tile/entries/000", bundle);
    let (code, said) = look();
    assert_eq!((code, said["place"].as_str()), (1, Some("tile/entries/000, entry 2")), "{said}");
}

on_both!(the_log_of_a_running_platform_can_be_watched, |world| {
    let dir = tempfile::tempdir().expect("a directory");
    let vkey = world.app().log.signer().verifier().to_string();
    let url = format!("{}/audit/main", world.base());
    world.settle();
    let (code, said) = look(dir.path(), &url, ["--vkey", &vkey]);
    assert_eq!((code, said["verdict"].as_str()), (0, Some("proven")), "{said}");
    let first = said["size"].as_u64().expect("a size");
    world.lot(sealbid::rules::editions::Category::Construction).noticed();
    world.settle();
    let (code, said) = look(dir.path(), &url, ["--vkey", &vkey]);
    assert_eq!((code, said["verdict"].as_str()), (0, Some("proven")), "{said}");
    assert_eq!(said["size"].as_u64(), said["added"].as_u64().map(|added| first + added), "{said}");
    assert!(said["added"].as_u64() > Some(0), "{said}");
    assert_eq!(said["tick_ms"].as_u64(), Some(world.app().config.audit.tick_ms), "the log tells its tick");
});
