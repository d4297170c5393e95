//! The worked example in docs/examples/python, against a real server: over a line that breaks, killed in between, with what
//! it sealed opened at the end.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use sealbid::kernel::digest::Hasher;
use sealbid::rules::editions::Category;
use serde_json::{Value, json};

use crate::support::breaking::{BreakingLine, Seeded};
use crate::support::python;
use crate::support::world::World;

/// Bytes of documents unless SEALBID_PYTHON_BYTES says otherwise.
const BYTES: u64 = 24 * 1024 * 1024;
/// Memory that the example may take, however large the documents are.
const MEMORY_KIB: u64 = 120 * 1024;
/// An hour: a test that hangs must end.
const PATIENCE: Duration = Duration::from_secs(3_600);

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples/python/sealbid_bid.py")
}

fn command(python: &Path) -> Command {
    let mut command = Command::new(python);
    command.arg(script()).env("NO_PROXY", "127.0.0.1").env("PYTHONDONTWRITEBYTECODE", "1");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn succeeded(output: Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// Waits for a program and returns what it said, and the most memory that it was seen to use, in KiB.
fn watched(mut child: Child) -> (Output, u64) {
    let status = format!("/proc/{}/status", child.id());
    let (began, mut most) = (Instant::now(), 0);
    while child.try_wait().expect("waited for").is_none() {
        assert!(began.elapsed() < PATIENCE, "it hangs");
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = peak.and_then(|rest| rest.split_whitespace().next()).and_then(|number| number.parse().ok());
        most = most.max(kib.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(20));
    }
    (child.wait_with_output().expect("its words"), most)
}

/// Documents that do not compress, and their digest.
fn write_documents(path: &Path, bytes: u64) -> String {
    let (mut file, mut hasher, mut random) = (File::create(path).expect("made"), Hasher::new(), Seeded(7));
    let mut left = bytes;
    while left > 0 {
        let mut piece = vec![0; usize::try_from(left.min(1 << 20)).expect("a piece")];
        piece.chunks_mut(8).for_each(|part| {
            let word = random.below(u64::MAX).to_le_bytes();
            part.copy_from_slice(&word[..part.len()]);
        });
        file.write_all(&piece).expect("written");
        hasher.update(&piece);
        left -= piece.len() as u64;
    }
    hasher.finish().to_string()
}

/// Bidder 1 with the example as its software: where its files are, and what every call of it is told.
struct Example<'w> {
    world: &'w World,
    python: PathBuf,
    outside: tempfile::TempDir,
    client: String,
}

impl<'w> Example<'w> {
    fn installed(world: &'w World, python: PathBuf) -> Self {
        let outside = tempfile::tempdir().expect("a directory");
        let at = |name: &str| outside.path().join(name).display().to_string();
        std::fs::write(at("signing.pem"), &world.bidder(1).member.pem).expect("written");
        let key = sealbid::seal::keys::SigningKey::generate(sealbid::seal::keys::Algorithm::EdDsa);
        std::fs::write(at("client.pem"), key.expect("random numbers").to_pem().expose()).expect("written");
        let client = register(world, &python, &at("client.pem"));
        Self { world, python, outside, client }
    }

    fn at(&self, name: &str) -> String {
        self.outside.path().join(name).display().to_string()
    }

    /// Bids on a lot with drawings.bin.
    fn start(&self, server: &str, lot: &str) -> Child {
        let platform = self.world.nobody("GET", "/v1/platform-key").send().ok();
        let arguments = [
            ["--server", server],
            ["--audience", "https://sealbid.test"],
            ["--platform-key", platform["verifier"].as_str().expect("a key")],
            ["--client-id", &self.client],
            ["--client-key", &self.at("client.pem")],
            ["--signing-key", &self.at("signing.pem")],
            ["--lot", lot],
            ["--amount", "600000.00"],
            ["--document", &self.at("drawings.bin")],
            ["--state", &self.at("state")],
        ];
        command(&self.python).arg("bid").args(arguments.concat()).spawn().expect("started")
    }
}

/// Registers the example as software of bidder 1, with the body that it makes itself.
fn register(world: &World, python: &Path, key: &str) -> String {
    let bidder = world.bidder(1);
    let proof = ["proof", "--client-key", key, "--user", &bidder.member.user_id, "--name", "example"];
    let body = succeeded(command(python).args(proof).output().expect("ran"));
    let body: Value = serde_json::from_str(&body).expect("JSON");
    bidder.post("/v1/service-clients", &body).ok()["id"].as_str().expect("an id").to_owned()
}

#[test]
fn the_python_example_bids_over_a_line_that_breaks_and_what_it_sealed_is_opened() {
    let Some(python) = python::interpreter() else { return };
    let bytes = std::env::var("SEALBID_PYTHON_BYTES").ok().map_or(BYTES, |text| text.parse().expect("a number"));
    let world = World::sqlite();
    let lot = world.lot(Category::StateAsset).terms(&json!({ "profile": "open" })).noticed();
    let example = Example::installed(&world, python);
    let digest = write_documents(Path::new(&example.at("drawings.bin")), bytes);
    let line = BreakingLine::to(world.base(), 20_261_125);
    let start = || example.start(&line.base(), &lot.id);
    // Killed three times, wherever it is then.
    let mut random = Seeded(4);
    for _ in 0..3 {
        let mut child = start();
        std::thread::sleep(Duration::from_millis(500 + random.below(1_500)));
        let _ = child.kill();
        child.wait().expect("ended");
    }
    let (output, memory) = watched(start());
    succeeded(output);
    assert!(line.cuts() > 3, "the line broke {} times", line.cuts());
    assert!(memory < MEMORY_KIB, "{memory} KiB");
    // Once more, as after a crash before the receipt was written: the same bid, the same receipt.
    let receipt = || std::fs::read_to_string(example.at("state/receipt.json")).expect("kept");
    let kept = receipt();
    std::fs::remove_file(example.at("state/receipt.json")).expect("removed");
    succeeded(start().wait_with_output().expect("ran"));
    assert_eq!(receipt(), kept);
    let mine = world.bidder(1).get(lot.path("/bids/mine")).ok();
    assert_eq!((mine["rev"].as_i64(), mine["state"].as_str()), (Some(1), Some("submitted")), "{mine}");
    let cuts = line.cuts();
    eprintln!("{bytes} bytes, {cuts} cuts, {memory} KiB");

    let lot = lot.opened();
    let record = world.nobody("GET", lot.path("/opening-record")).send().ok().to_string();
    assert!(record.contains(&digest), "the documents are not those that went in: {record}");
    assert!(record.contains("600000.00"), "{record}");
}

#[test]
fn the_python_example_says_what_to_use_where_a_bid_takes_a_key_of_the_bidders_own() {
    let Some(python) = python::interpreter() else { return };
    let world = World::sqlite();
    let lot = world.lot(Category::Construction).terms(&json!({ "key_mode": "bidder" })).noticed();
    let example = Example::installed(&world, python);
    write_documents(Path::new(&example.at("drawings.bin")), 10_000);
    let output = example.start(world.base(), &lot.id).wait_with_output().expect("ran");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("sealbid seal"), "{said}");
    world.bidder(1).get(lot.path("/bids/mine")).refused(404, "not-found");
}

#[test]
fn the_python_example_seals_each_of_two_envelopes_to_the_key_of_its_round() {
    let Some(python) = python::interpreter() else { return };
    let world = World::sqlite();
    let lot = world.lot(Category::Construction).terms(&json!({ "profile": "open", "envelopes": "two" })).noticed();
    let example = Example::installed(&world, python);
    write_documents(Path::new(&example.at("drawings.bin")), 10_000);
    succeeded(example.start(world.base(), &lot.id).wait_with_output().expect("ran"));
    // Taken: what is sealed to the key of another round is refused.
    let mine = world.bidder(1).get(lot.path("/bids/mine")).ok();
    assert_eq!(mine["parts"].as_array().map(Vec::len), Some(2), "{mine}");
}
