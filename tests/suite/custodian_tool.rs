//! `sealbid custodian`, process by process, against a platform: a ceremony, a crash in its middle, a lost
//! file, a repaired share, an opening.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use sealbid::rules::editions::Category;
use sealbid::rules::envelopes::Round;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::cast::PASSWORD;
use crate::support::custody::CUSTODIANS;
use crate::support::own::{decrypt, deposit_of, own_key, seal, seal_for_escrow, seals};
use crate::support::story::{LotStory, jws};
use crate::support::world::World;

/// The machine of one custodian.
struct Desk<'w> {
    world: &'w World,
    login: String,
    dir: tempfile::TempDir,
}

impl<'w> Desk<'w> {
    fn new(world: &'w World, n: usize) -> Self {
        Self { world, login: format!("custodian{n}"), dir: tempfile::tempdir().expect("a directory") }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sealbid"));
        command.arg("custodian").args(arguments).arg("--json").arg("--state").arg(self.file("state"));
        command.current_dir(self.dir.path()).stdin(Stdio::null());
        command.env("SEALBID_PASSPHRASE", "five unrelated words here").env("SEALBID_PASSWORD", PASSWORD);
        command
    }

    /// What came of a command that ends well.
    fn done(&self, arguments: &[&str]) -> Value {
        read(&self.command(arguments).output().expect("it runs"))
    }

    /// The code of a command that refuses.
    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().expect("it runs");
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let code = said.lines().find_map(|line| line.strip_prefix("sealbid: "));
        code.unwrap_or_else(|| panic!("{said}")).to_owned()
    }

    fn init(&self) -> Value {
        self.done(&["init", "--server", self.world.base(), "--login", &self.login])
    }

    /// Goes on by itself until the ceremony is over.
    fn joins(&self) -> Child {
        let mut command = self.command(&["join", "--wait", "--yes"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs")
    }
}

fn read(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// What the initiator runs: all custodians are members, and three of them are to open the lot.
fn draft(lot: &LotStory<'_>) -> Output {
    let (world, initiator) = (lot.world, lot.world.initiator());
    let dir = tempfile::tempdir().expect("a directory");
    let key = dir.path().join("key.pem");
    std::fs::write(&key, initiator.signing_key().to_pem().expose()).expect("written");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).expect("closed to others");
    // With an escrow the opening itself is named: the bidders' minutes are added.
    let days = if lot.shared_rounds().contains(&Round::Escrow) { 30 } else { 29 };
    let opens = world.now().plus_seconds(days * 24 * 60 * 60).to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sealbid"));
    command.args(["ceremony", "draft", "--yes", "--json", "--threshold", "3", "--opens-not-before", &opens]);
    command.args(["--server", world.base(), "--login", &initiator.member.login, "--lot", &lot.id, "--key"]).arg(&key);
    command.env("SEALBID_PASSWORD", PASSWORD).stdin(Stdio::null()).output().expect("it runs")
}

fn begin(lot: &LotStory<'_>) -> String {
    let begun = read(&draft(lot));
    let shown = lot.world.nobody("GET", format!("/v1/ceremonies/{}", begun["id"].as_str().expect("an id"))).send().ok();
    assert_eq!((&shown["state"], &shown["members"][4]["i"]), (&json!("commit"), &json!(5)));
    let again = draft(lot);
    assert!(String::from_utf8_lossy(&again.stderr).contains("ceremony-exists"), "{again:?}");
    begun["id"].as_str().expect("an id").to_owned()
}

/// The fourth has lost its file, and takes its share neither from the platform nor from its last copy: three others repair it.
fn repaired(desks: &[Desk<'_>]) {
    let (fourth, helpers) = (&desks[3], [0, 2, 4]);
    let before = fourth.done(&["status"]);
    std::fs::remove_file(fourth.file("state")).expect("removed");
    assert_eq!(fourth.done(&["restore", "early.copy"])["shares"], json!([]));
    let round = fourth.file("round").display().to_string();
    assert_eq!(fourth.refused(&["repair", &round, "--helpers", "1,3"]), "repair-of-another");
    let asked = fourth.done(&["repair", &round, "--helpers", "1,3,5"]);
    assert_eq!((&asked["next"], &asked["missing"]), (&json!("wait"), &json!([1, 3, 5])));
    assert_eq!(desks[1].refused(&["repair", &round, "--yes"]), "repair-not-asked");
    for helper in helpers {
        let said = desks[helper].done(&["repair", &round, "--yes"]);
        assert_eq!(said["repair"], asked["repair"], "the number that is read aloud");
        assert_eq!(said["written"][0], format!("repair-split-{}.json", helper + 1));
    }
    for helper in helpers {
        assert_eq!(desks[helper].done(&["repair", &round])["next"], "helped");
    }
    assert_eq!(fourth.done(&["repair", &round])["next"], "repaired");
    let after = fourth.done(&["status"]);
    assert_eq!(after["shares"][0]["kid"], before["shares"][0]["kid"]);
    assert_eq!(fourth.refused(&["repair", &round, "--helpers", "1,3,5"]), "repair-not-needed");
    assert_eq!(fourth.done(&["rehearse"])["given"], 0, "the first file did");
}

/// The fourth has no line to the platform: somebody else fetches what is needed, and the answers are carried back.
fn away(lot: &LotStory<'_>, fourth: &Desk<'_>) {
    let mut fetch = Command::new(env!("CARGO_BIN_EXE_sealbid"));
    fetch.args(["custodian", "fetch", "--json", "--server", lot.world.base(), "--lot", &lot.id]);
    fetch.arg(fourth.file("away"));
    assert!(read(&fetch.output().expect("it runs"))["fetched"].as_u64().is_some_and(|files| files > 0));
    assert_eq!(read(&fetch.output().expect("it runs"))["fetched"], 0, "what is there is not fetched again");
    assert_eq!(fourth.refused(&["open", "--from-file", "away"]), "restored-after-opening");
    fourth.done(&["open", "--from-file", "away", "--not-answered"]);
    for _ in 0..2 {
        let sent = fourth.done(&["send", "away/partials-1.json"]);
        assert_eq!((&sent["sent"][0]["received"], &sent["sent"][0]["count"]), (&json!(3), &json!(3)));
    }
    assert_eq!(fourth.refused(&["send", "away/snapshot.json"]), "file-invalid");
}

on_both!(five_machines_make_a_key_and_three_of_them_open_the_box, |world| {
    let lot = world.lot(Category::Construction).terms(&json!({ "key_mode": "custodians" })).registered();
    world.settle();
    let desks: Vec<Desk<'_>> = (1..=CUSTODIANS).map(|n| Desk::new(world, n)).collect();
    for desk in &desks {
        let (first, again) = (desk.init(), desk.init());
        assert_eq!((&first["custodian_id"], &first["signing_key"]), (&again["custodian_id"], &again["signing_key"]));
        desk.done(&["backup", "early.copy"]);
        // Members are numbered in the order in which they registered.
        world.tick();
    }
    assert_eq!(desks[0].refused(&["backup", "early.copy"]), "state-exists");
    assert_eq!(desks[0].refused(&["join"]), "no-ceremony");

    // All at once, one of them killed after its first word and started again.
    let ceremony = begin(&lot);
    assert_eq!(desks[0].refused(&["accept"]), "ceremony-unfinished");
    let mut joining: Vec<Child> = desks.iter().map(Desk::joins).collect();
    let committed = |i: usize| {
        let view = world.nobody("GET", format!("/v1/ceremonies/{ceremony}")).send().ok();
        let said = view["messages"]["commit"].as_array().cloned().unwrap_or_default();
        said.len() > i
    };
    while !committed(0) {
        std::thread::sleep(Duration::from_millis(20));
    }
    joining[2].kill().expect("killed");
    joining[2].wait().expect("ended");
    joining[2] = desks[2].joins();
    for child in joining {
        let said = read(&child.wait_with_output().expect("ended"));
        assert_eq!(said["ceremonies"][0]["next"], "active", "{said}");
    }
    for desk in &desks {
        assert_eq!(desk.done(&["rehearse"])["given"], 1);
        assert_eq!(desk.done(&["rehearse"])["given"], 0);
    }
    let view = world.nobody("GET", format!("/v1/ceremonies/{ceremony}")).send().ok();
    assert_eq!((&view["state"], &view["waiting_for"]), (&json!("active"), &json!([])));
    let status = desks[4].done(&["status"]);
    assert_eq!((&status["shares"][0]["state"], &status["ceremonies"][0]["secrets"]), (&json!("ready"), &json!(false)));

    // One file is lost; what was copied before the ceremony and what the platform keeps give the share back.
    let before = desks[1].done(&["status"]);
    std::fs::remove_file(desks[1].file("state")).expect("removed");
    assert_eq!(desks[1].refused(&["status", "--offline"]), "state-missing");
    let restored = desks[1].done(&["restore", "early.copy", "--from-server"]);
    assert_eq!(restored["shares"], before["shares"]);

    repaired(&desks);

    lot.act(&world.initiator(), "publish", &lot.schedule()).ok();
    assert_eq!(desks[0].refused(&["open"]), "no-snapshot");
    let lot = lot.with_bids_in_turn(&["900000.00", "910000.00", "920000.00"]).closed();
    let opened = desks[0].done(&["open"]);
    assert_eq!(opened["answered"][0]["lines"], 3);
    // The machine's clock is past the opening time: the lost file may have answered.
    assert_eq!(desks[1].refused(&["open"]), "restored-after-opening");
    desks[1].done(&["open", "--not-answered"]);
    world.settle();
    assert_eq!(lot.unsealed(), 0, "two are not enough");
    away(&lot, &desks[3]);
    world.settle();
    assert_eq!(lot.unsealed(), 3, "three are, and two may stay away");
    lot.opened();
});

on_both!(a_second_process_a_wrong_passphrase_and_a_stranger_s_platform_are_refused, |world| {
    world.settle();
    let desk = Desk::new(world, 1);
    desk.init();
    let wrong = desk.command(&["status", "--offline"]).env("SEALBID_PASSPHRASE", "not the passphrase").output();
    assert!(String::from_utf8_lossy(&wrong.expect("it runs").stderr).starts_with("sealbid: passphrase-wrong"));
    let other = desk.command(&["init", "--server", "http://127.0.0.1:1", "--login", &desk.login]).output();
    assert!(String::from_utf8_lossy(&other.expect("it runs").stderr).starts_with("sealbid: state-of-another"));
    // Somebody vouches for another key of the platform: from then on this platform is a stranger.
    let key = sealbid::seal::keys::SigningKey::generate(sealbid::seal::keys::Algorithm::EdDsa).expect("random numbers");
    let verifier = sealbid::tlog::note::verifier_key("elsewhere/promise", &key.verifying_key().to_bytes());
    let arguments = ["init", "--server", world.base(), "--login", &desk.login, "--verifier", &verifier];
    assert_eq!(desk.refused(&arguments), "platform-key-changed");
    assert_eq!(desk.refused(&["status"]), "platform-key-changed");
    let lock = std::fs::File::open(desk.file("state.lock")).expect("there");
    lock.lock().expect("locked");
    assert_eq!(desk.refused(&["status", "--offline"]), "state-locked");
});

/// A whole ceremony for a lot, begun and held with the tools.
fn held(lot: &LotStory<'_>, desks: &[Desk<'_>]) {
    read(&draft(lot));
    let joining: Vec<Child> = desks.iter().map(Desk::joins).collect();
    for child in joining {
        read(&child.wait_with_output().expect("ended"));
    }
    let ceremonies = lot.world.nobody("GET", lot.path("/ceremonies")).send().ok();
    assert_eq!(ceremonies["items"][0]["state"], "active");
}

on_both!(keys_in_escrow_are_made_deposited_and_opened_with_the_tools, |world| {
    let terms = json!({ "key_mode": "bidder", "escrow": "custodians", "decryption_minutes": 20 });
    let lot = world.lot(Category::Construction).terms(&terms).registered();
    world.settle();
    let desks: Vec<Desk<'_>> = (1..=CUSTODIANS).map(|n| Desk::new(world, n)).collect();
    for desk in &desks {
        desk.init();
        world.tick();
    }
    lot.act(&world.initiator(), "publish", &lot.schedule()).refused_by(422, "escrow-key-missing", "EB-06");
    let schedule = lot.schedule();
    held(&lot, &desks);
    lot.act(&world.initiator(), "publish", &schedule).ok();
    let homes: Vec<_> = (1..=3).map(|_| tempfile::tempdir().expect("a directory")).collect();
    for (n, amount) in [(1, "900000.00"), (2, "910000.00"), (3, "920000.00")] {
        let (done, said) = seals(&lot, n, homes[n - 1].path(), &["--amount", amount, "--currency", "CNY"]);
        assert!(done, "{said}");
    }
    // A new price under the same key: what is deposited is not sealed or sent again.
    let sealed = std::fs::read(escrow_file(homes[2].path())).expect("kept");
    world.tick();
    let (done, said) = seals(&lot, 3, homes[2].path(), &["--amount", "919000.00", "--currency", "CNY"]);
    assert!(done && std::fs::read(escrow_file(homes[2].path())).expect("kept") == sealed, "{said}");
    let lot = lot.closed();
    for n in 1..=2 {
        let (done, said) = seals(&lot, n, homes[n - 1].path(), &["--decrypt"]);
        assert!(done, "{said}");
    }
    world.settle();
    assert_eq!((lot.unsealed(), desks[0].refused(&["open"])), (2, "no-snapshot".to_owned()));
    world.advance_to(world.now().plus_seconds(21 * 60));
    world.settle();
    let (done, said) = seals(&lot, 3, homes[2].path(), &["--decrypt"]);
    assert!(!done && said.contains("decryption-over"), "{said}");
    for desk in [0, 2, 4] {
        assert_eq!(desks[desk].done(&["open"])["answered"][0]["lines"], 1);
    }
    world.settle();
    let record = lot.opened().record();
    assert_eq!(
        (&record["bids"][2]["price"]["amount"], &record["bids"][2]["by_escrow"]),
        (&json!("919000.00"), &json!(true))
    );
});

/// What `sealbid seal` keeps of the deposited key, sealed.
fn escrow_file(dir: &Path) -> PathBuf {
    let entries = std::fs::read_dir(dir).expect("a directory").flatten().map(|entry| entry.path());
    entries.into_iter().find(|path| path.to_string_lossy().ends_with("escrow.sealed")).expect("it is kept")
}

/// Of two lots one asks for nothing, since all its bidders decrypted.
#[test]
fn a_lot_that_asks_for_nothing_keeps_no_custodian_waiting() {
    let world = World::sqlite();
    let escrow = json!({ "key_mode": "bidder", "escrow": "custodians", "decryption_minutes": 20 });
    let silent = world.lot(Category::Construction).terms(&escrow).registered();
    let usual = world.lot(Category::Construction).terms(&json!({ "key_mode": "custodians" })).registered();
    world.settle();
    let desks: Vec<Desk<'_>> = (1..=CUSTODIANS).map(|n| Desk::new(&world, n)).collect();
    for desk in &desks {
        desk.init();
        world.tick();
    }
    // Both are planned at one moment, however long the ceremonies take.
    for lot in [&silent, &usual] {
        held(lot, &desks);
        lot.act(&world.initiator(), "publish", &lot.schedule()).ok();
    }
    let usual = usual.with_bids_in_turn(&["900000.00", "910000.00", "920000.00"]);
    let mut bids = Vec::new();
    for n in 1..=3 {
        let (person, mut bid) = (world.bidder(n), seal(&silent, n, "930000.00", None, own_key(&silent, &silent.id)));
        let (key, _) = seal_for_escrow(&silent, &person, 1, &deposit_of(&silent, &person, &bid.key));
        bid.body["envelopes"].as_array_mut().expect("envelopes").push(jws(&key));
        silent.submit(n, &bid.body).ok();
        bids.push((n, bid));
    }
    let (silent, usual) = (silent.closed(), usual.closed());
    bids.iter().for_each(|(n, bid)| drop(decrypt(&silent, *n, bid).ok()));
    world.settle();
    silent.opened();
    let answered = desks[0].done(&["open", "--wait"])["answered"].clone();
    assert_eq!((answered.as_array().map(Vec::len), &answered[0]["lot_id"]), (Some(1), &json!(usual.id)));
    assert_eq!(desks[0].refused(&["open", "--wait"]), "no-snapshot", "it does not wait for what will never be asked");
}
