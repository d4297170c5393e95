//! What is carried between a machine with a line to the platform and one without.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};

use super::voice::Voice;
use super::{Common, Failed, checkpoint, log_of};
use crate::client::{Client, RemoteLog};
use crate::custodian::vault;
use crate::custodian::{Error, Refusal, refusal, watch};
use crate::seal::limits::MAX_PARTIALS_BYTES;
use crate::seal::partials::SignedPartials;
use crate::tlog::tiles::{self, Tile};
use crate::verify::source::{Directory, Source, fetch};

/// Arguments of `custodian send`.
#[derive(Args)]
pub struct SendArgs {
    /// The lists, such as partials-1.json.
    #[arg(required = true)]
    lists: Vec<PathBuf>,
    #[command(flatten)]
    common: Common,
}

/// Arguments of `custodian fetch`. Needs neither state file nor password: everything of it is public.
#[derive(Args)]
pub struct FetchArgs {
    /// The platform, such as https://bids.example.cn.
    #[arg(long, value_name = "URL")]
    server: String,
    /// The lot.
    #[arg(long, value_name = "ID")]
    lot: String,
    /// Where the files go. What is there of the log is not fetched again.
    dir: PathBuf,
    /// One JSON object on standard output at the end.
    #[arg(long)]
    json: bool,
}

pub(super) fn send(args: &SendArgs) -> Result<(), Failed> {
    let voice = args.common.voice();
    let lists = args.lists.iter().map(|path| list(path)).collect::<Result<Vec<_>, _>>()?;
    let (desk, client, _) = args.common.at_work()?;
    let key = desk.state().signing_key()?;
    let mut facts = Vec::new();
    for (path, list) in args.lists.iter().zip(&lists) {
        let said = list.verify(key.verifying_key()).map_err(|error| invalid(path, &error))?;
        let kid = said.kid.to_string();
        let share = desk.state().shares.get(&kid).ok_or_else(|| refusal::NO_SHARE.because(&kid))?;
        let given: Value = client.give_partials(&share.lot, list).map_err(Error::from)?;
        let (received, count) = (&given["received"], &given["count"]);
        voice.say(
            &format!("{}:已送达;标段 {} 您的 {count} 行中已收到 {received} 行。", path.display(), share.lot),
            &format!("{}: sent; of your {count} lines of the lot {} {received} are there.", path.display(), share.lot),
        );
        facts.push(json!({ "file": path, "lot_id": share.lot, "kid": kid, "received": received, "count": count }));
    }
    voice.done(&json!({ "sent": facts }));
    Ok(())
}

fn invalid(path: &Path, error: &dyn std::fmt::Display) -> Refusal {
    refusal::FILE_INVALID.because(format!("{}: {error}", path.display()))
}

fn list(path: &Path) -> Result<SignedPartials, Refusal> {
    let size = fs::metadata(path).map_err(|error| invalid(path, &error))?.len();
    if size > MAX_PARTIALS_BYTES as u64 {
        return Err(invalid(path, &format!("{size} bytes")));
    }
    let bytes = fs::read(path).map_err(|error| invalid(path, &error))?;
    SignedPartials::parse(&bytes).map_err(|error| invalid(path, &error))
}

pub(super) fn fetch_files(args: &FetchArgs) -> Result<(), Failed> {
    let (voice, server) = (Voice::new(args.json), args.server.trim_end_matches('/'));
    let (client, log, dir) = (Client::new(server), log_of(server), &args.dir);
    fs::create_dir_all(dir).map_err(|error| invalid(dir, &error))?;
    let mut snapshots = client.snapshots(&args.lot).map_err(Error::from)?;
    let Some(snapshot) = snapshots.pop() else { return Err(refusal::NO_SNAPSHOT.because(&args.lot).into()) };
    if snapshot.proof.is_none() {
        return Err(refusal::SNAPSHOT_NOT_YET_IN_LOG.because(&snapshot.kid).into());
    }
    let ceremonies = client.ceremonies_of(&args.lot).map_err(Error::from)?;
    let ceremony = ceremonies.iter().find(|ceremony| ceremony.state == "active");
    let ceremony = ceremony.ok_or_else(|| refusal::NO_CEREMONY.because(&args.lot))?;
    // After the snapshot, so that the log has what its proof speaks of.
    let head = checkpoint(&log)?;
    let policy = log.text("policy").map_err(Error::from)?;
    let size = watch::trust(&policy)?.head("checkpoint", &head).map_err(Error::from)?.checkpoint().size;
    let mut fetched = 0;
    for tile in tiles::all(size) {
        fetched += u32::from(copy(&log, dir, &tile)?);
    }
    write(dir, "ceremony.json", ceremony)?;
    write(dir, "snapshot.json", &snapshot)?;
    vault::put(&dir.join("checkpoint"), head.as_bytes())?;
    voice.say(
        &format!("已备齐:snapshot.json、ceremony.json、checkpoint 和日志(本次 {fetched} 个文件)。请把目录 {} 带到另一台电脑,运行 `sealbid custodian open --from-file`。", dir.display()),
        &format!("All is there: snapshot.json, ceremony.json, checkpoint and the log ({fetched} files of it now). Take the directory {} to the other machine and run `sealbid custodian open --from-file`.", dir.display()),
    );
    voice.done(&json!({ "dir": dir, "lot_id": args.lot, "kid": snapshot.kid, "size": size, "fetched": fetched }));
    Ok(())
}

fn write(dir: &Path, name: &str, value: &impl Serialize) -> Result<(), Failed> {
    let path = dir.join(name);
    let text = serde_json::to_string(value).map_err(|error| invalid(&path, &error))?;
    Ok(vault::put(&path, text.as_bytes())?)
}

/// Copies a tile, unless it is there. Nothing is believed of it here: whoever answers checks it.
fn copy(log: &RemoteLog, dir: &Path, tile: &Tile) -> Result<bool, Failed> {
    let name = tile.to_string();
    let path = dir.join(&name);
    if Directory(dir.to_owned()).read(&name, tile.byte_len()).is_ok_and(|bytes| bytes.is_some()) {
        return Ok(false);
    }
    let bytes = fetch(log, tile).map_err(Error::from)?;
    let parent = path.parent().unwrap_or(dir);
    fs::create_dir_all(parent).map_err(|error| invalid(parent, &error))?;
    vault::put(&path, &bytes)?;
    Ok(true)
}
