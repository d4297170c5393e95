//! `sealbid verify monitor`: looks at a log over the network again and again, and keeps the last head that it believed.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;

use super::files::text;
use super::{Failed, TrustArgs, tell};
use crate::client::{Client, RemoteLog};
use crate::clock::{Clock, SystemClock};
use crate::limits;
use crate::tlog::policy::Policy;
use crate::verify::monitor::{Before, Now, look};
use crate::verify::report::{Failure, Proven, Result as Checked};
use crate::verify::trust::{Head, Trust};

/// Arguments of `verify monitor`.
#[derive(Args)]
pub struct MonitorArgs {
    /// The log's address, such as `https://bids.example.cn/audit/main`.
    url: String,
    /// Where the last checkpoint is kept, word for word. Its time of change is when that was first seen.
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
    /// Look once, and end with the verdict.
    #[arg(long)]
    once: bool,
    /// Seconds between two looks; the log's tick unless said.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    interval: Option<u64>,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Looks, once or until something is wrong with the log.
///
/// # Errors
/// When the command line is wrong, or the state cannot be read or kept.
pub fn run(args: &MonitorArgs) -> Result<ExitCode, Failed> {
    let trust = args.trust.read()?;
    let remote = RemoteLog::new(Client::new(&args.url));
    // How often the log grows is told by whoever is trusted, and by the log itself only where nobody else does.
    let trusted = args.trust.policy.as_ref().map(|path| text(path)).transpose()?;
    let mut tick = trusted.as_deref().and_then(Policy::tick_ms);
    let mut told = None;
    loop {
        tick = tick.or_else(|| Policy::tick_ms(&remote.text("policy").ok()?));
        let outcome = once(&trust, &remote, &args.state, tick)?;
        let is_final = args.once || matches!(outcome, Err(Failure::Refuted(_) | Failure::Forked { .. }));
        // What lasts is told once; what is refuted or contradicts itself ends the watch, so that somebody notices.
        let verdict = outcome.as_ref().map_err(Failure::code).map(drop);
        let code =
            if is_final || told != Some(verdict) { Some(tell::outcome(&outcome, args.trust.json)?) } else { None };
        told = Some(verdict);
        if let (true, Some(code)) = (is_final, code) {
            return Ok(code);
        }
        let pause =
            args.interval.map_or(tick.unwrap_or(limits::VERIFY_LOOK_MS), |seconds| seconds.saturating_mul(1000));
        std::thread::sleep(Duration::from_millis(pause));
    }
}

fn once(trust: &Trust, remote: &RemoteLog, state: &Path, tick_ms: Option<u64>) -> Result<Checked<Proven>, Failed> {
    let before = kept(state)?;
    let place = state.display().to_string();
    let before = before.as_ref().map(|(note, at)| Before { place: &place, note, at: *at });
    let note = match remote.text("checkpoint") {
        Ok(note) => note,
        Err(failure) => return Ok(Err(failure)),
    };
    let place = remote.place("checkpoint");
    let now = u64::try_from(SystemClock.now().millis() / 1000).unwrap_or(0);
    let now = Now { place: &place, note: &note, at: now, tick_ms };
    let (head, outcome) = look(trust, remote, &now, before.as_ref());
    if let Some(head) = head {
        keep(state, &head).map_err(|error| Failed::Usage(format!("{}: {error}", state.display())))?;
    }
    Ok(outcome)
}

fn seconds(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The head that was kept, and when it was first seen.
fn kept(state: &Path) -> Result<Option<(String, u64)>, Failed> {
    match fs::metadata(state).and_then(|known| known.modified()) {
        Ok(at) => Ok(Some((text(state)?, seconds(at)))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failed::Usage(format!("{}: {error}", state.display()))),
    }
}

/// Keeps a head: whole or not at all, whatever happens meanwhile.
fn keep(state: &Path, head: &Head) -> io::Result<()> {
    let beside = state.with_extension("new");
    let mut file = fs::File::create(&beside)?;
    file.write_all(head.note.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, state)
}
