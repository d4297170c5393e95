//! The program itself, run against the files of a platform.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Once;

use sealbid::config::Config;
use sealbid::keys::Keys;
use sealbid::tlog::note::Verifier;
use sealbid::tlog::policy::Policy;
use sealbid::verify::trust::Trust;

use super::world::World;

/// A platform that the program itself would serve: its keys lie in a directory outside that of its data.
pub struct Installation {
    pub world: World,
    /// Keys lie here, and may be put here.
    pub keys: tempfile::TempDir,
}

impl Installation {
    /// On one of the two databases.
    pub fn on(make: impl FnOnce(&dyn Fn(&mut Config)) -> Option<World>) -> Option<Self> {
        let keys = tempfile::tempdir().expect("a directory");
        let prepare = |config: &mut Config| {
            config.backup.marker = config.mail.dir.with_file_name("last-backup");
            config.keys.dir = keys.path().join("keys");
            Keys::create(&config.keys.dir).expect("a key directory");
        };
        let world = make(&prepare)?;
        Some(Self { world, keys })
    }

    pub fn sqlite() -> Self {
        Self::on(|prepare| Some(World::sqlite_with(prepare))).expect("SQLite is always there")
    }

    pub fn postgres() -> Option<Self> {
        Self::on(|prepare| World::postgres_with(prepare))
    }
}

impl std::ops::Deref for Installation {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

/// A command of the program that sees nothing but this configuration.
pub fn command(config: &Config, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sealbid"));
    let path = |path: &Path| path.display().to_string();
    command.args(arguments).env_remove("SEALBID_CONFIG").envs([
        ("SEALBID_SERVER__BIND", config.server.bind.clone()),
        ("SEALBID_SERVER__PUBLIC_URL", config.server.public_url.clone()),
        ("SEALBID_DATABASE__URL", config.database.url.clone()),
        ("SEALBID_STORAGE__BLOBS", path(&config.storage.blobs)),
        ("SEALBID_KEYS__DIR", path(&config.keys.dir)),
        ("SEALBID_MAIL__DIR", path(&config.mail.dir)),
        ("SEALBID_MAIL__TRANSPORT", config.mail.transport.clone()),
        ("SEALBID_MAIL__SMTP_HOST", config.mail.smtp_host.clone()),
        ("SEALBID_MAIL__SMTP_PORT", config.mail.smtp_port.to_string()),
        ("SEALBID_MAIL__SMTP_SECURITY", config.mail.smtp_security.clone()),
        ("SEALBID_METRICS__BIND", config.metrics.bind.clone()),
        ("SEALBID_BACKUP__MARKER", path(&config.backup.marker)),
        ("SEALBID_LOG__FORMAT", config.log.format.clone()),
    ]);
    command
}

/// Its exit code, and what it said on both outputs.
pub fn run(config: &Config, arguments: &[&str]) -> (i32, String) {
    said(command(config, arguments).output().expect("the program runs"))
}

fn said(output: Output) -> (i32, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout) + &text(&output.stderr))
}

/// Asks a program that shares no code with ours whether the bundle of an opening holds, and demands that answer.
pub fn verify_opening_elsewhere(bundle: &str, platform_verifier: &str, holds: bool) {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(bundle.as_bytes()).expect("written");
    let arguments = [file.path().as_os_str(), OsStr::new("--vkey"), OsStr::new(platform_verifier)];
    let Some((code, said)) = elsewhere("verify.mjs", &arguments) else { return };
    assert_eq!(code == 0, holds, "{said}");
    // A program that breaks off has not refused anything.
    assert!(holds || said.starts_with("refuted: ") || said.starts_with("undecided: "), "{said}");
}

/// What a stranger was given: the log's policy and the platform's key.
pub fn trust(world: &World) -> Trust {
    let promise = Verifier::parse(&world.app().promise_verifier()).expect("a key");
    let log = Verifier::parse(&world.app().log.signer().verifier().to_string()).expect("a key");
    Trust::new(Some(Policy::of_log(log)), vec![promise])
}

/// Lets that program compute every value of the published vector of an opening.
pub fn compute_opening_elsewhere() {
    let Some((code, said)) = elsewhere("vectors.mjs", &[]) else { return };
    assert_eq!(code, 0, "{said}");
}

/// What a script of `tests/opening` says; nothing where there is no node.
fn elsewhere(script: &str, arguments: &[&OsStr]) -> Option<(i32, String)> {
    static SKIPPED: Once = Once::new();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/opening").join(script);
    let Ok(output) = Command::new("node").arg(script).args(arguments).output() else {
        let line = "skipped: openings checked by another program (there is no node; install Node.js 20)";
        assert!(std::env::var_os("SEALBID_REQUIRE_NODE").is_none_or(|value| value != "1"), "{line}");
        // Written past the test harness, which would swallow it for tests that pass.
        SKIPPED.call_once(|| drop(writeln!(std::io::stderr(), "{line}")));
        return None;
    };
    Some(said(output))
}
