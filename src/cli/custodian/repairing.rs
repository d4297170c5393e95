//! A lost share, repaired from hand to hand: one directory that goes round, and one command for everybody.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::opening::read;
use super::voice::Voice;
use super::{Common, Failed, ask};
use crate::client::custodians::CeremonyView;
use crate::custodian::ceremony::{Ceremony, fingerprint};
use crate::custodian::desk::{Desk, Outcome, Plea};
use crate::custodian::refusal;
use crate::custodian::repair::{Papers, REQUEST, SPLIT, Sheet};
use crate::custodian::vault;
use crate::kernel::digest::Digest;
use crate::seal::ids::KeyId;

/// Arguments of `custodian repair`.
#[derive(Args)]
pub struct RepairArgs {
    /// The directory with the files of the repair. Whoever lost a share begins with an empty one.
    dir: PathBuf,
    /// You lost your share: ask these members, by their numbers, as many as are needed to open.
    #[arg(long, value_name = "N,N", value_delimiter = ',')]
    helpers: Vec<u8>,
    /// With --helpers: of this ceremony; needed where you take part in several. Taken from ceremony.json where the directory has it.
    #[arg(long, value_name = "ID", requires = "helpers")]
    ceremony: Option<String>,
    /// Do not ask: you have spoken with whoever lost the share, and compared.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    common: Common,
}

pub(super) fn repair(args: &RepairArgs) -> Result<(), Failed> {
    let (voice, dir) = (args.common.voice(), &args.dir);
    let mut desk = if args.helpers.is_empty() { args.common.desk()? } else { begin(args)? };
    let mut written = Vec::new();
    loop {
        let papers = Papers::read(dir)?;
        let plea = desk.plea(&papers)?;
        if !plea.agreed {
            introduce(&plea, &voice);
            let question = "您是否已与该成员通话并核对编号? Have you spoken with that member and compared the number?";
            if !args.yes && !ask::agrees(question)? {
                return Err(refusal::NOT_CONFIRMED.because("").into());
            }
        }
        let outcome = desk.repair(&papers)?;
        if let Outcome::Write(name, sheet) = &outcome {
            put(dir, name, sheet)?;
            written.push(name.clone());
            continue;
        }
        stands(&plea, &outcome, &voice);
        let next = match &outcome {
            Outcome::Repaired(_) => "repaired",
            Outcome::Helped => "helped",
            Outcome::Write(..) | Outcome::Wait(..) => "wait",
        };
        let missing: &[u8] = if let Outcome::Wait(_, missing) = &outcome { missing } else { &[] };
        voice.done(&json!({
            "repair": plea.id, "kid": plea.kid, "lot_id": plea.lot, "member": plea.member.i,
            "next": next, "missing": missing, "written": written,
        }));
        return Ok(());
    }
}

/// Asks for a repair: the request lies in the directory when this returns.
fn begin(args: &RepairArgs) -> Result<Desk<'static>, Failed> {
    let dir = &args.dir;
    std::fs::create_dir_all(dir)
        .map_err(|error| refusal::FILE_INVALID.because(format!("{}: {error}", dir.display())))?;
    let (mut desk, ceremony) = match read::<CeremonyView>(dir, "ceremony.json")? {
        Some(view) => {
            let desk = args.common.desk()?;
            let ceremony = Ceremony::read(&view, &desk.me()?)?;
            (desk, ceremony)
        }
        None => {
            let (desk, client, _) = args.common.at_work()?;
            let mut active = desk.ceremonies(&client, args.ceremony.as_deref())?;
            active.retain(|ceremony| ceremony.state == "active");
            if active.len() > 1 {
                let shares = &desk.state().shares;
                active.retain(|ceremony| !shares.values().any(|share| share.ceremony == ceremony.id));
            }
            let ids: Vec<&str> = active.iter().map(|ceremony| ceremony.id.as_str()).collect();
            let which = Failed::Usage(format!("which of them? --ceremony {}", ids.join(" | ")));
            match (active.pop(), active.is_empty()) {
                (Some(ceremony), true) => (desk, ceremony),
                (Some(_), false) => return Err(which),
                (None, _) => return Err(refusal::NO_CEREMONY.because("active").into()),
            }
        }
    };
    let sheet = desk.ask_for_repair(&ceremony, &args.helpers)?;
    put(&args.dir, REQUEST, &sheet)?;
    Ok(desk)
}

/// Writes a file of a repair; another one is not written over.
fn put(dir: &Path, name: &str, sheet: &Sheet) -> Result<(), Failed> {
    let path = dir.join(name);
    if read::<Sheet>(dir, name)?.is_some_and(|there| there != *sheet) {
        return Err(refusal::STATE_EXISTS.because(path.display()).into());
    }
    let text = serde_json::to_string_pretty(sheet).map_err(|error| refusal::FILE_INVALID.because(error))?;
    Ok(vault::put(&path, format!("{text}\n").as_bytes())?)
}

/// What is asked, before this custodian helps.
fn introduce(plea: &Plea, voice: &Voice) {
    let member = &plea.member;
    voice.say(
        &format!(
            "第 {} 号成员 {}({})丢失了标段 {} 的份额,请您协助修复。",
            member.i, member.custodian, member.org, plea.lot
        ),
        &format!(
            "Member {}, {} ({}), has lost its share of the lot {} and asks for your help.",
            member.i, member.custodian, member.org, plea.lot
        ),
    );
    voice.line(&format!("  协助人 helpers: {:?}", plea.helpers));
    voice.say("请与该成员通话,逐组核对编号:", "Call that member, and read this number to each other, group by group:");
    voice.line(&format!("  {}", spoken(&plea.id)));
}

/// The first half of a repair's id, for reading aloud.
fn spoken(id: &Digest) -> String {
    fingerprint(KeyId::of(id))
}

fn stands(plea: &Plea, outcome: &Outcome, voice: &Voice) {
    let (zh, en) = match outcome {
        Outcome::Repaired(kid) => (
            format!("份额已修复,与密钥集相符({})。请运行 backup,再运行 rehearse。", fingerprint(*kid)),
            format!(
                "The share is back, and is what the key set says ({}). Run `backup`, then `rehearse`.",
                fingerprint(*kid)
            ),
        ),
        Outcome::Helped => (
            format!("您的部分已完成。请把您的 repair-sum 文件交给第 {} 号成员。", plea.member.i),
            format!("Your part is done. Give your repair-sum file to member {}.", plea.member.i),
        ),
        Outcome::Wait(what, missing) if *what == SPLIT => (
            format!(
                "请把本目录中您的文件交给其他成员。还缺第 {missing:?} 号成员的 repair-split 文件;收到后再运行本命令。"
            ),
            format!(
                "Give your files of this directory to the others. The repair-split files of members {missing:?} are missing: run this again when they are here."
            ),
        ),
        Outcome::Wait(_, missing) => (
            format!("还缺第 {missing:?} 号成员的 repair-sum 文件;收到后再运行本命令。"),
            format!("The repair-sum files of members {missing:?} are missing: run this again when they are here."),
        ),
        // It is written by then.
        Outcome::Write(name, _) => (name.clone(), name.clone()),
    };
    if plea.own && !matches!(outcome, Outcome::Repaired(_)) {
        voice.say("向协助人念出此编号:", "Read this number to those who help:");
        voice.line(&format!("  {}", spoken(&plea.id)));
    }
    voice.say(&zh, &en);
}
