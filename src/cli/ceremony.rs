//! `sealbid ceremony`: the initiator's side of a ceremony in which custodians make the key of a lot.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::{Failed, ask, keys};
use crate::client::custodians::CustodianView;
use crate::clock::{Clock, SystemClock};
use crate::kernel::time::Timestamp;
use crate::rules::envelopes::{Round, shared_rounds};
use crate::seal::ceremony::{Draft, Group};
use crate::seal::ids::{Ident, UtcMillis};
use crate::seal::keyset::{Member, Profile};

/// `sealbid ceremony …`
#[derive(Subcommand)]
pub enum CeremonyCommand {
    /// Make the draft of a ceremony from the registered custodians, sign it, and begin the ceremony with it.
    Draft(DraftArgs),
}

/// Arguments of `ceremony draft`. The access token is taken from SEALBID_TOKEN; or sign in with --login, the password being
/// taken from SEALBID_PASSWORD or from a line on standard input.
#[derive(Args)]
pub struct DraftArgs {
    /// The server, such as https://bids.example.cn.
    #[arg(long, env = "SEALBID_SERVER", value_name = "URL")]
    server: String,
    /// Sign in as this user. Without it the access token is taken from SEALBID_TOKEN.
    #[arg(long)]
    login: Option<String>,
    /// Your signing key, registered for your organisation.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The lot: registered, not published, with the key mode `custodians` or `dual`, or with an escrow of bidders' keys.
    #[arg(long)]
    lot: String,
    /// How many members are needed to open.
    #[arg(long, value_name = "K")]
    threshold: u8,
    /// Before this moment no custodian uses its share, such as 2026-12-01T01:00:00.000Z: the earliest opening that you may want.
    /// Where bidders deposit their keys (`escrow`): the opening itself; the bidders' minutes are added.
    #[arg(long, value_name = "TIME")]
    opens_not_before: Timestamp,
    /// A member, by the custodian's id; repeated, in the order of the members. Without it all registered custodians.
    #[arg(long = "custodian", value_name = "ID")]
    custodians: Vec<String>,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    /// One JSON object on standard output at the end.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// What the server refuses, by its code.
pub fn run(command: &CeremonyCommand) -> Result<(), Failed> {
    match command {
        CeremonyCommand::Draft(args) => draft(args),
    }
}

fn draft(args: &DraftArgs) -> Result<(), Failed> {
    let key = keys::read(&args.key)?;
    if args.opens_not_before <= SystemClock.now() {
        // The server's clock decides; this one saves its user a ceremony for nothing.
        eprintln!("note: by this machine's clock {} is over 已过", args.opens_not_before);
    }
    let client = ask::sign_in(&args.server, args.login.as_deref())?;
    let lot = client.lot(&args.lot).map_err(Failed::tried)?;
    let members = members(&args.custodians, &client.custodians().map_err(Failed::tried)?)?;
    let ident = |text: &str| Ident::parse(text, "id").map_err(Failed::tried);
    let terms = &lot.terms;
    let group = |round: Round| {
        // A key in escrow is not used before its bidder had its time to decrypt.
        let minutes = if round == Round::Escrow { i64::from(terms.decryption_minutes) } else { 0 };
        let opens = args.opens_not_before.plus_millis(minutes * 60_000).to_string();
        let opens_not_before = UtcMillis::parse(opens, "opens_not_before").map_err(Failed::tried)?;
        Ok(Group { group: ident(&round.group(&lot.id))?, opens_not_before })
    };
    let rounds = shared_rounds(terms.key_mode, terms.envelopes, terms.escrow);
    let groups = rounds.into_iter().map(group).collect::<Result<Vec<_>, Failed>>()?;
    let (tender, id) = (ident(&lot.project_id)?, ident(&lot.id)?);
    let draft = Draft::new(tender, id, groups, Profile::Strict, args.threshold, members);
    let draft = draft.map_err(Failed::tried)?;
    // What its own members' tools would refuse is not sent.
    let draft = Draft::from_bytes(&draft.to_bytes()).map_err(Failed::tried)?;
    introduce(args, &lot.title, &draft);
    if !args.yes && !ask::agrees("以上内容是否正确,并发起仪式? Is this right, and is the ceremony to begin?")?
    {
        return Err(Failed::tried("not-confirmed: nothing was sent 未确认,没有发送任何内容"));
    }
    let signed = draft.sign(&key).map_err(Failed::tried)?;
    let view = client.begin_ceremony(&args.lot, &signed).map_err(Failed::tried)?;
    if args.json {
        println!("{}", json!({ "id": view.id, "lot_id": view.lot_id, "state": view.state, "digest": signed.id() }));
        return Ok(());
    }
    println!("仪式 {} 已发起:请通知全体成员运行 `sealbid custodian join --wait`。", view.id);
    println!("The ceremony {} has begun: tell all members to run `sealbid custodian join --wait`.", view.id);
    Ok(())
}

/// The members that are asked for, numbered in that order.
fn members(wanted: &[String], known: &[CustodianView]) -> Result<Vec<Member>, Failed> {
    let find = |id: &String| {
        let found = known.iter().find(|custodian| custodian.id == *id);
        found.ok_or_else(|| Failed::Usage(format!("--custodian {id}: not registered")))
    };
    let chosen: Vec<&CustodianView> = match wanted {
        [] => known.iter().collect(),
        wanted => wanted.iter().map(find).collect::<Result<_, _>>()?,
    };
    let member = |(custodian, i): (&CustodianView, u8)| {
        custodian.member(i).map_err(|error| Failed::tried(format!("{}: {error}", custodian.id)))
    };
    let members: Vec<Member> = chosen.iter().copied().zip(1..=u8::MAX).map(member).collect::<Result<_, _>>()?;
    if members.len() == chosen.len() { Ok(members) } else { Err(Failed::Usage("too many custodians".into())) }
}

fn introduce(args: &DraftArgs, title: &str, draft: &Draft) {
    eprintln!("标段 lot: {title} ({})", args.lot);
    for group in &draft.groups {
        eprintln!("  {} 启用不早于 opens not before: {}", group.group.as_str(), group.opens_not_before.as_str());
    }
    eprintln!("  开标需要 needed to open: {} / {}", draft.k, draft.members.len());
    for member in &draft.members {
        eprintln!("  {}. {} ({}) {}", member.i, member.custodian, member.org, member.sign_kid);
    }
}
