//! Backups that are killed while they are taken: each is there whole or not at all, and a whole one can be restored.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::draw::Draw;
use super::ground::Ground;
use super::keeper::BACKING_UP;
use super::play::Stage;
use super::{DrillError, Result, broken};

/// Of a hundred backups so many are killed.
const KILLED: u64 = 70;
/// How long one may be at it before, in milliseconds.
const KILLED_AFTER_MS: u64 = 1_200;
/// Pause between two.
const PAUSE: Duration = Duration::from_millis(1_500);

fn command(ground: &Ground, data: &Path, what: &[&str], path: &Path) -> Result<Command> {
    let config = ground.site().config(0);
    let mut command = Command::new(std::env::current_exe().map_err(broken)?);
    command.args(what).arg(path).env_clear();
    command.env("SEALBID_DATABASE__URL", data.join("sealbid.sqlite"));
    command.env("SEALBID_STORAGE__BLOBS", data.join("blobs"));
    command.env("SEALBID_BACKUP__MARKER", data.join("last-backup"));
    command.env("SEALBID_KEYS__DIR", &config.keys.dir);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    Ok(command)
}

/// Takes backups one after the other until it is over, kills most of them, and restores the last one that is whole.
///
/// # Errors
/// When one that was left alone fails, or a whole one cannot be restored.
pub fn drill(stage: &Stage, over: &AtomicBool) -> Result<()> {
    let ground = &stage.ground;
    let (dir, data) = (ground.dir().join("backups"), ground.dir().join("data"));
    std::fs::create_dir(&dir).map_err(broken)?;
    let mut draw = Draw::new(stage.seed, 3_000);
    let mut whole: Option<PathBuf> = None;
    for n in 0.. {
        if over.load(Ordering::SeqCst) && whole.is_some() {
            break;
        }
        let to = dir.join(format!("{n}"));
        let mut backup = command(ground, &data, &["backup", "--to"], &to)?.spawn().map_err(broken)?;
        let killed = !over.load(Ordering::SeqCst) && draw.percent(KILLED);
        if killed {
            std::thread::sleep(Duration::from_millis(draw.between(0, KILLED_AFTER_MS)));
            if backup.try_wait().map_err(broken)?.is_none() {
                backup.kill().map_err(broken)?;
                stage.keeper.tally(BACKING_UP);
            }
        }
        let ended = backup.wait_with_output().map_err(broken)?;
        if !killed && !ended.status.success() {
            return Err(DrillError::Wrong(format!("a backup failed: {}", String::from_utf8_lossy(&ended.stderr))));
        }
        if to.exists() {
            whole = Some(to);
        }
        std::thread::sleep(PAUSE);
    }
    let Some(whole) = whole else { return Ok(()) };
    let restored = ground.dir().join("restored");
    std::fs::create_dir(&restored).map_err(broken)?;
    let done = command(ground, &restored, &["restore", "--from"], &whole)?.output().map_err(broken)?;
    match done.status.success() {
        true => Ok(()),
        false => {
            Err(DrillError::Wrong(format!("a backup cannot be restored: {}", String::from_utf8_lossy(&done.stderr))))
        }
    }
}
