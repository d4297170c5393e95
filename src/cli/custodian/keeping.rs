//! The state file: made, copied, put back, shown.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::voice::Voice;
use super::{CLOCK, Common, Failed, ask, checkpoint, log_of};
use crate::clock::Clock;
use crate::custodian::ceremony::fingerprint;
use crate::custodian::desk::{Desk, given_key};
use crate::custodian::state::State;
use crate::custodian::vault::Vault;
use crate::custodian::watch;

/// Arguments of `custodian init`.
#[derive(Args)]
pub struct InitArgs {
    /// The platform, such as https://bids.example.cn.
    #[arg(long, value_name = "URL")]
    server: String,
    /// Your name at the platform.
    #[arg(long)]
    login: String,
    /// The platform's verifier key, from a source that you trust. Without it the platform's own word is taken, once.
    #[arg(long, value_name = "VERIFIER")]
    verifier: Option<String>,
    /// The log's policy, from a source that you trust. Without it the log's own word is taken, once.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

/// Arguments of `custodian backup`.
#[derive(Args)]
pub struct BackupArgs {
    /// Where the copy goes, such as a file on a USB stick. Nothing is written over.
    to: PathBuf,
    #[command(flatten)]
    common: Common,
}

/// Arguments of `custodian restore`.
#[derive(Args)]
pub struct RestoreArgs {
    /// The copy.
    #[arg(required_unless_present = "from_server")]
    copy: Option<PathBuf>,
    /// Take shares that the file lacks from their backups at the platform, which only your key opens.
    #[arg(long)]
    from_server: bool,
    #[command(flatten)]
    common: Common,
}

/// Arguments of `custodian status`.
#[derive(Args)]
pub struct StatusArgs {
    /// Show what is in the file, and ask nobody.
    #[arg(long)]
    offline: bool,
    #[command(flatten)]
    common: Common,
}

pub(super) fn init(args: &InitArgs) -> Result<(), Failed> {
    let voice = args.common.voice();
    let server = args.server.trim_end_matches('/');
    let given = args
        .verifier
        .as_deref()
        .map(|verifier| given_key(verifier).ok_or_else(|| Failed::Usage("--verifier: not a verifier key".into())));
    let (given, log) = (given.transpose()?, log_of(server));
    let policy = args.policy.as_ref().map(|path| {
        std::fs::read_to_string(path).map_err(|error| Failed::Usage(format!("{}: {error}", path.display())))
    });
    let policy = policy.transpose()?;
    let (mut desk, client) = if args.common.state.exists() {
        let mut desk = args.common.desk()?;
        desk.is_of(server, &args.login)?;
        let client = ask::sign_in(server, Some(&args.login))?;
        if given.is_some() || policy.is_some() {
            desk.believe(given, policy)?;
        }
        (desk, client)
    } else {
        let passphrase =
            ask::new_secret("SEALBID_PASSPHRASE", "a new passphrase for the state file 为状态文件设定口令")?;
        let vault = Vault::create(&args.common.state, passphrase)?;
        let client = ask::sign_in(server, Some(&args.login))?;
        if given.is_none() || policy.is_none() {
            voice.say(
                "提示:平台密钥或日志策略取自平台自身;请通过其他渠道核对下列内容。",
                "Note: the platform's key or the log's policy is taken from the platform itself; compare what follows with another source.",
            );
        }
        let platform = given.map_or_else(|| client.platform_key().map_err(Failed::tried), Ok)?;
        let policy = policy.map_or_else(
            || log.text("policy").map_err(|failure| crate::custodian::Error::from(failure).into()),
            Ok::<_, Failed>,
        )?;
        watch::trust(&policy)?;
        let state = State::new(server, &args.login, platform, policy, CLOCK.now())?;
        (Desk::begin(vault, state, &CLOCK)?, client)
    };
    desk.knows(&client)?;
    desk.follow(&log, &checkpoint(&log)?)?;
    desk.register(&client)?;
    voice.say("登记完成。请立即备份状态文件(backup),并把口令写在纸上密封保存。",
        "You are registered. Make a copy of the state file now (backup), and keep the passphrase on paper in a sealed envelope.");
    show(&desk, &voice)
}

pub(super) fn backup(args: &BackupArgs) -> Result<(), Failed> {
    let (voice, desk) = (args.common.voice(), args.common.desk()?);
    desk.copy(&args.to)?;
    let to = args.to.display();
    voice.say(
        &format!("副本已写入 {to},并已验证可以打开。请与口令分开保存。"),
        &format!("The copy is in {to}, and it opens. Keep it apart from the passphrase."),
    );
    voice.done(&json!({ "copy": args.to }));
    Ok(())
}

pub(super) fn restore(args: &RestoreArgs) -> Result<(), Failed> {
    let voice = args.common.voice();
    let mut desk = match &args.copy {
        Some(copy) => Desk::put_back(copy, &args.common.state, Common::passphrase()?, &CLOCK)?,
        None => args.common.desk()?,
    };
    if args.from_server {
        let client = ask::sign_in(&desk.state().server, Some(&desk.state().login))?;
        let log = log_of(&desk.state().server);
        desk.knows(&client)?;
        desk.follow(&log, &checkpoint(&log)?)?;
        let mut taken = 0;
        for ceremony in desk.ceremonies(&client, None)?.iter().filter(|ceremony| ceremony.state == "active") {
            taken += desk.fetch_shares(&client, ceremony)?;
        }
        voice.say(
            &format!("从平台取回 {taken} 个份额,均已验证。"),
            &format!("{taken} shares were taken from the platform; each is what it should be."),
        );
    }
    show(&desk, &voice)
}

pub(super) fn status(args: &StatusArgs) -> Result<(), Failed> {
    let voice = args.common.voice();
    if args.offline {
        return show(&args.common.desk()?, &voice);
    }
    let (mut desk, client, _) = args.common.at_work()?;
    for ceremony in desk.ceremonies(&client, None)? {
        desk.settle(&ceremony)?;
        super::joining::stands(&desk, &ceremony, &voice)?;
    }
    show(&desk, &voice)
}

/// What is in the file, without what is secret.
fn show(desk: &Desk<'_>, voice: &Voice) -> Result<(), Failed> {
    let state = desk.state();
    let signing = state.signing_key()?.verifying_key().key_id();
    voice.line(&format!("{} / {}", state.server, state.login));
    voice.line(&format!("保管人 custodian: {}", state.custodian.as_deref().unwrap_or("-")));
    voice.line(&format!("签名密钥 signing key: {}", fingerprint(signing)));
    voice.line(&format!("平台密钥 platform key: {}", state.platform.verifier));
    let mut shares = Vec::new();
    for share in state.shares.values() {
        let key_set = share.public()?;
        let word = if share.is_done() {
            "answered"
        } else if share.confirmed {
            "ready"
        } else {
            "unconfirmed"
        };
        voice.line(&format!(
            "份额 share {} of {}-of-{}: {} {} ({}, {word})",
            share.member,
            key_set.k,
            key_set.shares.len(),
            fingerprint(key_set.kid),
            share.lot,
            key_set.opens_not_before.as_str(),
        ));
        shares.push(json!({
            "kid": key_set.kid, "lot_id": share.lot, "ceremony_id": share.ceremony, "member": share.member,
            "k": key_set.k, "n": key_set.shares.len(), "opens_not_before": key_set.opens_not_before, "state": word,
        }));
    }
    let ceremonies = state.ceremonies.iter();
    let ceremonies: Vec<Value> = ceremonies
        .map(|(id, kept)| json!({ "id": id, "member": kept.member, "secrets": kept.secrets.is_some(), "said": kept.messages.keys().collect::<Vec<_>>() }))
        .collect();
    voice.done(&json!({
        "server": state.server, "login": state.login, "custodian_id": state.custodian, "signing_key": signing,
        "platform": state.platform.verifier, "checkpoint": state.head, "shares": shares, "ceremonies": ceremonies,
    }));
    Ok(())
}
