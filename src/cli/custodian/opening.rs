//! The opening, at the platform or from files.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::voice::Voice;
use super::{Common, Failed, ask, checkpoint, log_of};
use crate::cli::progress::Progress;
use crate::client::Client;
use crate::client::custodians::{CeremonyView, SnapshotView};
use crate::custodian::ceremony::{Ceremony, fingerprint};
use crate::custodian::desk::{Asked, Desk};
use crate::custodian::opening::Checked;
use crate::custodian::platform::Platform;
use crate::custodian::refusal::Refusal;
use crate::custodian::{Error, refusal};
use crate::limits;
use crate::rules::envelopes::Round;
use crate::seal::partials::SignedPartials;
use crate::verify::source::{Directory, Source};

/// Arguments of `custodian open`.
#[derive(Args)]
pub struct OpenArgs {
    /// This lot alone. Without it every lot whose opening you have not answered.
    #[arg(long, value_name = "ID")]
    lot: Option<String>,
    /// Wait for the opening time, the snapshot, and the log.
    #[arg(long)]
    wait: bool,
    /// Ask nobody: the directory has snapshot.json, checkpoint, tiles, and ceremony.json where it is needed.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["wait", "lot"])]
    from_file: Option<PathBuf>,
    /// Write the answers as partials-<n>.json here, instead of sending them. With --from-file: that directory unless said.
    #[arg(long, value_name = "DIR")]
    to_file: Option<PathBuf>,
    /// After a restore: you are certain that the file that was lost has answered nothing.
    #[arg(long)]
    not_answered: bool,
    #[command(flatten)]
    common: Common,
}

/// The state of a key set that may still be asked for.
const ACTIVE: &str = "active";

/// Why waiting may help.
const PASSING: &[&refusal::Kind] =
    &[&refusal::TOO_EARLY, &refusal::NO_SNAPSHOT, &refusal::SNAPSHOT_NOT_YET_IN_LOG, &refusal::LOG_UNDECIDED];

pub(super) fn open(args: &OpenArgs) -> Result<(), Failed> {
    let (voice, mut desk) = (args.common.voice(), args.common.desk()?);
    let answered = match &args.from_file {
        Some(dir) => vec![from_files(args, &mut desk, dir, &voice)?],
        None => at_platform(args, &mut desk, &voice)?,
    };
    voice.done(&json!({ "answered": answered }));
    Ok(())
}

fn from_files(args: &OpenArgs, desk: &mut Desk<'_>, dir: &Path, voice: &Voice) -> Result<Value, Failed> {
    if let Some(view) = read::<CeremonyView>(dir, "ceremony.json")? {
        desk.settle(&Ceremony::read(&view, &desk.me()?)?)?;
    }
    let missing = |name: &str| refusal::FILE_INVALID.because(dir.join(name).display());
    let view: SnapshotView = read(dir, "snapshot.json")?.ok_or_else(|| missing("snapshot.json"))?;
    let checkpoint = std::fs::read_to_string(dir.join("checkpoint")).map_err(|_| missing("checkpoint"))?;
    let asked = Asked { view, opens_at: None, checkpoint };
    let checked = checked(args, desk, &asked, &Directory(dir.to_owned()))?;
    to_files(desk, &checked, args.to_file.as_deref().unwrap_or(dir), voice)
}

fn at_platform(args: &OpenArgs, desk: &mut Desk<'_>, voice: &Voice) -> Result<Vec<Value>, Failed> {
    let lots: Vec<String> = match &args.lot {
        Some(lot) => vec![lot.clone()],
        None => desk.unanswered()?.into_iter().map(|(_, lot)| lot).collect(),
    };
    if lots.is_empty() {
        return Err(refusal::NO_SHARE.because("").into());
    }
    // Nobody is asked, and nobody types a password, before its time.
    let mut early = None;
    let mut due = Vec::new();
    for lot in lots {
        match waiting(args.wait, voice, || desk.in_time(&lot)) {
            Ok(()) => due.push(lot),
            Err(error) => early = early.or(Some(error)),
        }
    }
    if let (true, Some(early)) = (due.is_empty(), early) {
        return Err(early.into());
    }
    let client = ask::sign_in(&desk.state().server, Some(&desk.state().login))?;
    desk.knows(&client)?;
    let (mut answered, mut told) = (Vec::new(), None);
    loop {
        // A lot may ask for nothing, such as for no key in escrow: it keeps none of the others waiting.
        let (mut left, mut why) = (Vec::new(), None);
        for lot in due {
            match at_lot(args, desk, &client, &lot) {
                Ok(checked) => answered.extend(give(args, desk, &checked, &client, voice)?),
                Err(Error::Refused(refusal)) if PASSING.contains(&refusal.kind) => {
                    if args.wait && !is_over(desk, &client, &lot)? {
                        left.push(lot);
                    }
                    why = why.or(Some(refusal));
                }
                Err(error) => return Err(error.into()),
            }
        }
        match why {
            Some(refusal) if left.is_empty() && answered.is_empty() => return Err(Error::Refused(refusal).into()),
            Some(refusal) if !left.is_empty() => pause(voice, &refusal, &mut told),
            _ => return Ok(answered),
        }
        due = left;
    }
}

/// What a lot asks, checked.
fn at_lot(args: &OpenArgs, desk: &mut Desk<'_>, client: &Client, lot: &str) -> Result<Vec<Checked>, Error> {
    let log = log_of(&desk.state().server);
    confirm(desk, client, lot)?;
    let asked = desk.asked(client, lot, &|| checkpoint(&log))?;
    asked.iter().map(|asked| checked(args, desk, asked, &log)).collect()
}

/// Answers what was checked.
fn give(
    args: &OpenArgs,
    desk: &mut Desk<'_>,
    checked: &[Checked],
    client: &Client,
    voice: &Voice,
) -> Result<Vec<Value>, Failed> {
    let one = |checked: &Checked| match &args.to_file {
        Some(dir) => to_files(desk, checked, dir, voice),
        None => to_platform(desk, checked, client, voice),
    };
    checked.iter().map(one).collect()
}

/// Whether a lot has nothing more to ask: the key sets that were not answered are retired, as the platform says. That is only
/// believed as a reason not to wait.
fn is_over(desk: &Desk<'_>, client: &Client, lot: &str) -> Result<bool, Error> {
    let unanswered = desk.state().shares.values().filter(|share| share.lot == lot && !share.is_done());
    for share in unanswered {
        let group = share.public()?.group;
        let round = Round::of_group(lot, group.as_str());
        let said = round.map(|round| client.key_set(lot, round)).transpose()?;
        if said.is_none_or(|said| said.state == ACTIVE) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Sees to it that the lot's key sets are those that all members accepted.
fn confirm(desk: &mut Desk<'_>, client: &Client, lot: &str) -> Result<(), Error> {
    let unconfirmed = desk.state().shares.values().filter(|share| share.lot == lot && !share.confirmed);
    let ceremonies: Vec<String> = unconfirmed.map(|share| share.ceremony.clone()).collect();
    for id in ceremonies {
        let view = Platform::ceremony(client, &id)?;
        desk.settle(&Ceremony::read(&view, &desk.me()?)?)?;
    }
    Ok(())
}

fn checked(args: &OpenArgs, desk: &mut Desk<'_>, asked: &Asked, log: &dyn Source) -> Result<Checked, Error> {
    if args.not_answered {
        desk.not_answered(&asked.view.kid)?;
    }
    desk.check(asked, log)
}

/// Tries until it is done, or waiting would not help.
fn waiting<T>(wait: bool, voice: &Voice, mut attempt: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    let mut told = None;
    loop {
        match attempt() {
            Err(Error::Refused(refusal)) if wait && PASSING.contains(&refusal.kind) => {
                pause(voice, &refusal, &mut told);
            }
            outcome => return outcome,
        }
    }
}

/// Says once why it waits, and waits a little.
fn pause(voice: &Voice, refusal: &Refusal, told: &mut Option<&'static str>) {
    if *told != Some(refusal.kind.code) {
        voice.line(&refusal.to_string());
        *told = Some(refusal.kind.code);
    }
    std::thread::sleep(Duration::from_millis(limits::CUSTODIAN_LOOK_MS));
}

fn to_platform(desk: &mut Desk<'_>, checked: &Checked, client: &Client, voice: &Voice) -> Result<Value, Failed> {
    let lot = checked.snapshot.lot.as_str();
    answer(desk, checked, |list, _| Ok(Platform::give(client, lot, list)?))?;
    told(checked, voice)
}

fn to_files(desk: &mut Desk<'_>, checked: &Checked, dir: &Path, voice: &Voice) -> Result<Value, Failed> {
    answer(desk, checked, |list, number| {
        let path = dir.join(format!("partials-{number}.json"));
        let failed = |error: std::io::Error| refusal::FILE_INVALID.because(format!("{}: {error}", path.display()));
        Ok(std::fs::write(&path, format!("{}\n", list.jws().to_json())).map_err(failed)?)
    })?;
    told(checked, voice)
}

/// Answers, and shows how far it is where it takes long.
fn answer(
    desk: &mut Desk<'_>,
    checked: &Checked,
    mut give: impl FnMut(&SignedPartials, usize) -> crate::custodian::Result<()>,
) -> Result<(), Failed> {
    let (progress, all, mut number, mut done) = (Progress::begin(), checked.lines.len(), 0, 0);
    desk.answer(checked, |list, lines| {
        (number, done) = (number + 1, done + lines);
        give(list, number)?;
        progress.reached(done as u64, all as u64);
        Ok(())
    })?;
    Ok(())
}

fn told(checked: &Checked, voice: &Voice) -> Result<Value, Failed> {
    let (snapshot, lines) = (&checked.snapshot, checked.lines.len());
    voice.say(
        &format!("标段 {}:已答复 {lines} 行({})。", snapshot.lot, fingerprint(snapshot.kid)),
        &format!("Lot {}: {lines} lines are answered ({}).", snapshot.lot, fingerprint(snapshot.kid)),
    );
    Ok(json!({ "lot_id": snapshot.lot, "kid": snapshot.kid, "root": snapshot.root, "lines": lines }))
}

/// A file of a directory; none where there is none.
pub(super) fn read<T: serde::de::DeserializeOwned>(dir: &Path, name: &str) -> Result<Option<T>, Failed> {
    let path = dir.join(name);
    let invalid = |error: &dyn std::fmt::Display| refusal::FILE_INVALID.because(format!("{}: {error}", path.display()));
    match std::fs::read(&path) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes).map_err(|error| invalid(&error))?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(invalid(&error).into()),
    }
}
