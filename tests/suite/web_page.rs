//! The page that seals: how it is served, and, played in a real browser, what it seals. The scenes need a browser and are started
//! by `tests/web/run.sh`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sealbid::kernel::digest::sha256;
use sealbid::rules::editions::Category;
use sealbid::seal::envelope::SignedEnvelope;
use sealbid::seal::ids::{Ident, UtcMillis};
use sealbid::seal::keys::{Algorithm, SigningKey};
use sealbid::seal::keyset::{KeySetKind, KeySetSubject, KeyShare, Profile};
use sealbid::seal::part_reader::Discard;
use sealbid::seal::unsealing::{open_part, payload_keys, slot_share};
use serde_json::{Value, json};

use crate::support::breaking::{BreakingLine, Seeded};
use crate::support::cast::PASSWORD;
use crate::support::story::LotStory;
use crate::support::world::World;

#[test]
fn the_page_is_served_with_a_policy_that_lets_nothing_else_run() {
    let world = World::sqlite();
    let page = world.nobody("GET", "/seal").send();
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let policy = page.header("content-security-policy").expect("a policy");
    for needed in ["default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"] {
        assert!(policy.contains(needed), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    let html = page.text();
    for (name, media_type) in [("seal.js", "text/javascript"), ("seal.css", "text/css"), ("seal.svg", "image/svg+xml")]
    {
        assert!(html.contains(&format!("\"/seal/{name}\"")), "{name}");
        let file = world.nobody("GET", format!("/seal/{name}")).send();
        assert!(file.header("content-type").is_some_and(|found| found.starts_with(media_type)), "{name}");
        // What a line cut off is not confirmed to whoever kept it.
        assert_eq!((file.header("cache-control"), file.header("etag")), (Some("no-store"), None), "{name}");
    }
    world.nobody("GET", "/seal/seal.html").send().refused(404, "not-found");
    world.nobody("GET", "/seal/other.js").send().refused(404, "not-found");
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/web")
}

/// Runs a script with what it needs, and returns what it says.
fn node(script: &str, scene: &str, given: &Value) -> Value {
    let output = Command::new("node")
        .arg(scripts().join(script))
        .arg(scene)
        .env("SEALBID_SCENE", given.to_string())
        .stderr(Stdio::inherit())
        .output()
        .expect("node");
    assert!(output.status.success(), "{scene}");
    let said: Value = serde_json::from_slice(&output.stdout).expect("a line of JSON");
    // A wrong password and the like are errors to the browser, too; a script that failed or a policy that was broken is none of them.
    let wrong = |text: &&Value| !text.as_str().is_some_and(|text| text.starts_with("Failed to load resource"));
    let complaints: Vec<&Value> = said["said"].as_array().into_iter().flatten().filter(wrong).collect();
    assert!(complaints.is_empty(), "{scene}: {complaints:?}");
    eprintln!("{scene}: played");
    said
}

/// A lot, and files to be sealed for it.
struct Stage<'w> {
    world: &'w World,
    lot: LotStory<'w>,
    files: tempfile::TempDir,
}

impl<'w> Stage<'w> {
    fn of(world: &'w World, category: Category) -> Self {
        Self::for_lot(world.lot(category).noticed())
    }

    fn for_lot(lot: LotStory<'w>) -> Self {
        Self { world: lot.world, lot, files: tempfile::tempdir().expect("a directory") }
    }

    /// A file that does not compress; returns its path and digest.
    fn file(&self, name: &str, bytes: usize) -> (String, String) {
        let mut random = Seeded(bytes as u64);
        let words = (0..bytes.div_ceil(8)).flat_map(|_| random.below(u64::MAX).to_le_bytes());
        let content: Vec<u8> = words.take(bytes).collect();
        let path = self.files.path().join(name);
        std::fs::write(&path, &content).expect("written");
        (path.display().to_string(), sha256(&content).to_string())
    }

    /// What every scene is told, of bidder `n`.
    fn given(&self, n: usize, more: &Value) -> Value {
        let bidder = self.world.bidder(n);
        let pem = self.files.path().join(format!("bidder{n}.pem"));
        std::fs::write(&pem, &bidder.member.pem).expect("written");
        let mut given = json!({
            "base": self.world.base(), "lot": self.lot.id, "login": bidder.member.login, "password": PASSWORD, "pem": pem,
        });
        for (name, value) in more.as_object().expect("an object") {
            given[name] = value.clone();
        }
        given
    }

    /// The bid of bidder `n` in the box.
    fn mine(&self, n: usize) -> Value {
        self.world.bidder(n).get(self.lot.path("/bids/mine")).ok()
    }
}

/// The envelopes that a receipt names are those of the bid's last version.
fn assert_receipt(mine: &Value, receipt: &Value) {
    let last = mine["versions"].as_array().and_then(|versions| versions.last()).expect("a version");
    assert_eq!(last["receipt"], *receipt);
}

#[test]
#[ignore = "needs a browser: tests/web/run.sh"]
fn what_is_sealed_in_a_browser_by_mouse_and_by_keyboard_opens_like_any_other_bid() {
    let world = World::sqlite();
    let stage = Stage::of(&world, Category::StateAsset);
    let (plans, digest) = stage.file("施工方案 plan.pdf", 3 * 1024 * 1024 + 17);
    let (small, _) = stage.file("letter.txt", 900);
    world.keep_secret(&stage.lot.id, "四十天交付");

    let more = json!({ "amount": "612345.6", "second": "598000", "files": [plans, small], "note": "四十天交付" });
    let mouse = node("page.mjs", "mouse", &stage.given(1, &more));
    assert!(mouse["wrong"].as_str().is_some_and(|text| text.contains("密码")), "{}", mouse["wrong"]);
    assert!(
        mouse["capital"].as_str().is_some_and(|text| text.contains("陆拾壹万贰仟叁佰肆拾伍元陆角")),
        "{}",
        mouse["capital"]
    );
    assert_eq!(mouse["key"], json!({ "extractable": false, "shown": false }));
    // What was shown as the text to be signed is what was signed.
    let mine = stage.mine(1);
    let shown = mouse["texts"].as_array().expect("texts");
    assert_eq!(shown.len(), 2);
    for (text, id) in shown.iter().zip(mine["versions"][0]["envelope_ids"].as_array().expect("ids")) {
        let signed = text.as_str().and_then(|text| text.rsplit("\n\n").next()).expect("the text");
        assert_eq!(sha256(signed.as_bytes()).to_string(), *id);
    }
    assert_eq!(mine["versions"][0]["receipt"], mouse["receipt"]);
    // Replaced with the same files: the price alone was sent.
    assert!(mouse["standing"].as_str().is_some_and(|text| text.contains("第 1 版")), "{}", mouse["standing"]);
    assert_eq!(mouse["sent"].as_array().map(Vec::len), Some(1), "{}", mouse["sent"]);
    assert_eq!((mine["rev"].as_i64(), mine["parts"].as_array().map(Vec::len)), (Some(2), Some(2)), "{mine}");
    assert_receipt(&mine, &mouse["again"]);

    let more = json!({ "amount": "700000.00", "files": [small] });
    let keyboard = node("page.mjs", "keyboard", &stage.given(2, &more));
    assert_eq!(keyboard["first"], "step-key", "the focus goes to the next step");
    assert_receipt(&stage.mine(2), &keyboard["receipt"]);

    let lot = stage.lot.opened();
    let record = world.nobody("GET", lot.path("/opening-record")).send().ok().to_string();
    for expected in ["598000.00", "700000.00", digest.as_str(), "施工方案 plan.pdf"] {
        assert!(record.contains(expected), "{expected}: {record}");
    }
    assert!(!record.contains("612345.60"), "the first price was replaced");
}

#[test]
#[ignore = "needs a browser: tests/web/run.sh"]
fn of_two_envelopes_the_page_seals_each_to_the_key_of_its_round() {
    let world = World::sqlite();
    let stage = Stage::for_lot(world.lot(Category::Construction).terms(&json!({ "envelopes": "two" })).noticed());
    let (method, _) = stage.file("method.txt", 900);
    let sealed = node("page.mjs", "keyboard", &stage.given(2, &json!({ "amount": "700000.00", "files": [method] })));
    // Taken: what is sealed to the key of another round is refused.
    let mine = stage.mine(2);
    assert_eq!(mine["parts"].as_array().map(Vec::len), Some(2), "{mine}");
    assert_receipt(&mine, &sealed["receipt"]);
}

#[test]
#[ignore = "needs a browser: tests/web/run.sh"]
fn where_a_bid_takes_a_key_of_the_bidders_own_the_page_says_what_to_use() {
    let world = World::sqlite();
    let stage = Stage::for_lot(world.lot(Category::Construction).terms(&json!({ "key_mode": "bidder" })).noticed());
    let said = node("page.mjs", "ownKey", &stage.given(1, &json!({})));
    for language in ["zh", "en"] {
        let text = said[language].as_str().expect("words");
        assert!(text.contains("sealbid seal"), "{text}");
    }
    assert_ne!(said["zh"], said["en"]);
}

#[test]
#[ignore = "needs a browser: tests/web/run.sh"]
fn a_rule_that_refuses_is_shown_in_words() {
    let world = World::sqlite();
    // Land: what was submitted is not replaced.
    let stage = Stage::of(&world, Category::LandUse);
    world.keep_secret(&stage.lot.id, "绝密备注");
    let more = json!({ "amount": "200000.00", "second": "210000.00", "note": "绝密备注" });
    let refused = node("page.mjs", "refused", &stage.given(3, &more));
    for language in ["zh", "en"] {
        let text = refused[language].as_str().expect("words");
        assert!(text.contains("LD-13"), "{text}");
    }
    assert_ne!(refused["zh"], refused["en"]);
    let mine = stage.mine(3);
    assert_eq!((mine["rev"].as_i64(), mine["versions"].as_array().map(Vec::len)), (Some(1), Some(1)), "{mine}");
}

#[test]
#[ignore = "needs a browser: tests/web/run.sh"]
fn an_upload_over_a_line_that_breaks_goes_on_where_it_was() {
    let world = World::sqlite();
    let stage = Stage::of(&world, Category::StateAsset);
    let (drawings, digest) = stage.file("drawings.bin", 24 * 1024 * 1024);
    let line = BreakingLine::to(world.base(), 20_261_128);
    let more = json!({ "amount": "640000.00", "files": [drawings], "line": line.base() });
    let broken = node("page.mjs", "broken", &stage.given(4, &more));
    assert!(line.cuts() > 3, "the line broke {} times", line.cuts());
    assert_eq!(broken["hidden"], true, "the line is back, and the page says otherwise");
    assert_receipt(&stage.mine(4), &broken["receipt"]);
    eprintln!("{} cuts", line.cuts());
    let lot = stage.lot.opened();
    let record = world.nobody("GET", lot.path("/opening-record")).send().ok().to_string();
    assert!(record.contains(&digest) && record.contains("640000.00"), "{record}");
}

/// The most memory that sealing and sending 100 MB may add to the page's process, in MiB.
const MOST_MIB: f64 = 250.0;
/// The least that a second of the browser's processors seals, in MB: some times less than is usual, whatever else a machine does.
const LEAST_MB_PER_CPU_SECOND: f64 = 8.0;

#[test]
#[ignore = "needs a browser: tests/web/run.sh"]
fn sealing_100_mb_is_quick_and_takes_no_more_memory_than_a_little() {
    let world = World::sqlite();
    let stage = Stage::of(&world, Category::StateAsset);
    let bytes: u32 = std::env::var("SEALBID_WEB_BYTES").map_or(100_000_000, |text| text.parse().expect("a number"));
    let (model, _) = stage.file("model.bin", bytes as usize);
    let more = json!({ "amount": "650000.00", "files": [model] });
    let big = node("page.mjs", "big", &stage.given(5, &more));
    let number = |pointer: &str| big.pointer(pointer).and_then(Value::as_f64).expect("a number");
    let kilobytes = f64::from(bytes) / 1_000.0;
    let of_cpu = kilobytes / (number("/used/sealed/cpuMs") - number("/used/before/cpuMs"));
    let before = number("/used/before/peakMib");
    let (sealed, uploaded) = (number("/used/sealed/peakMib") - before, number("/used/uploaded/peakMib") - before);
    eprintln!(
        "sealed at {:.0} MB/s, {of_cpu:.0} MB for a second of CPU; uploaded at {:.0} MB/s; memory of the page's process: \
         {before:.0} MiB, sealing {sealed:.0} more, uploading {uploaded:.0} more",
        kilobytes / number("/sealedMs"),
        kilobytes / number("/uploadedMs"),
    );
    assert!(of_cpu > LEAST_MB_PER_CPU_SECOND, "{of_cpu} MB for a second of CPU");
    assert!(uploaded < MOST_MIB, "{uploaded} MiB more");
    assert_receipt(&stage.mine(5), &big["receipt"]);
}

#[test]
#[ignore = "needs node: tests/web/run.sh"]
fn an_envelope_of_two_slots_made_in_javascript_opens_here() {
    let ident = |text: &str| Ident::parse(text, "id").expect("an id");
    let subject = KeySetSubject {
        tender: ident("prj-1"),
        group: ident("lot-1"),
        opens_not_before: UtcMillis::parse("2026-12-24T01:00:00.000Z", "opens").expect("a time"),
        profile: Profile::Strict,
    };
    let publisher = SigningKey::generate(Algorithm::Es256).expect("random numbers");
    let held = [0, 1].map(|_| KeyShare::generate(KeySetKind::Platform, subject.clone()).expect("random numbers"));
    let signed = held.each_ref().map(|key| key.key_set().sign(&publisher).expect("signed"));
    let out = tempfile::tempdir().expect("a directory");
    let given = json!({
        "alg": "ES256", "public_key": publisher.verifying_key().to_base64url(),
        "out": out.path().join("sealed"),
        "key_sets": signed.iter().map(|set| serde_json::to_value(set.jws()).expect("JSON")).collect::<Vec<_>>(),
    });
    let made = node("seal.mjs", "two slots", &given);
    let envelope = SignedEnvelope::from_value(&made["envelope"]).expect("a good form");
    let key = made["public_key"].as_str().expect("a key");
    envelope.verify_signature(&sealbid::seal::keys::VerifyingKey::parse("ES256", key).expect("a key")).expect("signed");
    let sets = [held[0].key_set(), held[1].key_set()];
    envelope.check_against(&sets).expect("sealed to both, with proofs");
    assert!(envelope.check_against(&[sets[1], sets[0]]).is_err(), "in this order");
    let shares = [0, 1].map(|slot| vec![(1, slot_share(&held[slot], &envelope, slot).expect("a share"))]);
    let keys = payload_keys(&envelope, &sets, &shares[..]).expect("opened");
    let sealed = std::fs::read(out.path().join("sealed")).expect("the ciphertext");
    let contents = open_part(&envelope, keys, sealed.as_slice(), &mut Discard).expect("the documents");
    let files = contents.manifest.files();
    assert_eq!(files.len(), 2);
    assert_eq!((files[0].path.as_str(), files[0].len), ("图纸/a.bin", 5 * 1024 * 1024 + 1));
}
