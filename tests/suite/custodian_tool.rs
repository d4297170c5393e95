//! `sealbid custodian`, process by process, against a platform: a ceremony, a crash in its middle, a lost file, an opening.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use sealbid::rules::editions::Category;
use sealbid::seal::ceremony::{Draft, Group};
use sealbid::seal::ids::{Ident, KeyId, UtcMillis};
use sealbid::seal::keyset::{Member, Profile};
use sealbid::seal::points::Point;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::cast::PASSWORD;
use crate::support::custody::CUSTODIANS;
use crate::support::steps::items;
use crate::support::story::LotStory;
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

fn ident(text: &Value) -> Ident {
    Ident::parse(text.as_str().expect("text"), "id").expect("an id")
}

/// Three of these custodians are to open the lot.
fn begin(lot: &LotStory<'_>) -> String {
    let world = lot.world;
    let known = items(&world.initiator().get("/v1/custodians").ok());
    let members = known.iter().zip(1..).map(|(custodian, i)| Member {
        i,
        custodian: ident(&custodian["id"]),
        org: ident(&custodian["org_id"]),
        sign_kid: custodian["sign_kid"].as_str().expect("text").parse::<KeyId>().expect("an id"),
        kem: Point::from_text(custodian["kem"].as_str().expect("text"), "kem").expect("a point"),
    });
    let opens = world.now().plus_seconds(29 * 24 * 60 * 60).to_string();
    let group = Group { group: ident(&json!(lot.id)), opens_not_before: UtcMillis::parse(opens, "t").expect("a time") };
    let (tender, id) = (ident(&json!(lot.project)), ident(&json!(lot.id)));
    let draft = Draft::new(tender, id, vec![group], Profile::Strict, 3, members.collect()).expect("random numbers");
    let signed = draft.sign(&world.initiator().signing_key()).expect("random numbers");
    let view = world.initiator().post(lot.path("/ceremonies"), &json!({ "draft": signed.jws() })).ok();
    view["id"].as_str().expect("an id").to_owned()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("made");
    for entry in std::fs::read_dir(from).expect("readable").flatten() {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).expect("copied");
        }
    }
}

on_both!(five_machines_make_a_key_and_three_of_them_open_the_box, |world| {
    let lot = world.lot(Category::Construction).terms(&json!({ "key_mode": "custodians" })).registered();
    world.settle();
    let desks: Vec<Desk<'_>> = (1..=CUSTODIANS).map(|n| Desk::new(world, n)).collect();
    for desk in &desks {
        let (first, again) = (desk.init(), desk.init());
        assert_eq!((&first["custodian_id"], &first["signing_key"]), (&again["custodian_id"], &again["signing_key"]));
        desk.done(&["backup", "early.copy"]);
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

    // The third has no line to the platform: a copy of the log and the snapshot, and the answers in files.
    let away = desks[2].file("away");
    copy(&world.dir().join("log"), &away);
    let shown = items(&world.nobody("GET", lot.path("/snapshots")).send().ok());
    std::fs::write(away.join("snapshot.json"), shown[0].to_string()).expect("written");
    desks[2].done(&["open", "--from-file", "away"]);
    let partials: Value =
        serde_json::from_slice(&std::fs::read(away.join("partials-1.json")).expect("there")).expect("JSON");
    world.person("custodian3").post(lot.path("/partials"), &json!({ "partials": partials })).ok();
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
