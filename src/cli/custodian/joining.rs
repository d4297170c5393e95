//! Ceremonies and rehearsals.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::voice::Voice;
use super::{Common, Failed, ask};
use crate::client::Client;
use crate::custodian::ceremony::{ACCEPT, Ceremony, Next, fingerprint};
use crate::custodian::desk::Desk;
use crate::custodian::refusal;
use crate::limits;

/// Which ceremony, and whether to ask.
#[derive(Args)]
pub struct Which {
    /// This ceremony alone.
    #[arg(long, value_name = "ID")]
    ceremony: Option<String>,
    /// Do not ask: everything was compared already.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    common: Common,
}

/// Arguments of `custodian join`.
#[derive(Args)]
pub struct JoinArgs {
    #[command(flatten)]
    which: Which,
    /// Go on, waiting for the others, until every ceremony is complete or has ended.
    #[arg(long)]
    wait: bool,
}

/// Arguments of `custodian accept`.
#[derive(Args)]
pub struct AcceptArgs {
    #[command(flatten)]
    which: Which,
}

/// Arguments of `custodian rehearse`.
#[derive(Args)]
pub struct RehearseArgs {
    /// This ceremony alone.
    #[arg(long, value_name = "ID")]
    ceremony: Option<String>,
    #[command(flatten)]
    common: Common,
}

/// A run at a platform.
struct Run<'a> {
    desk: Desk<'static>,
    client: Client,
    which: &'a Which,
    voice: Voice,
}

pub(super) fn join(args: &JoinArgs) -> Result<(), Failed> {
    let mut run = Run::new(&args.which)?;
    let mut ceremonies = run.desk.ceremonies(&run.client, args.which.ceremony.as_deref())?;
    if ceremonies.is_empty() {
        return Err(refusal::NO_CEREMONY.because("").into());
    }
    let mut told: BTreeMap<String, (Next, Value)> = BTreeMap::new();
    loop {
        let mut over = true;
        for ceremony in &mut ceremonies {
            *ceremony = run.as_far_as_possible(ceremony.clone(), args.wait)?;
            let next = run.desk.next(ceremony)?;
            over &= matches!(next, Next::Active | Next::Ended(_));
            if told.get(&ceremony.id).is_none_or(|(last, _)| *last != next) {
                let stands = stands(&run.desk, ceremony, &run.voice)?;
                told.insert(ceremony.id.clone(), (next, stands));
            }
        }
        if over || !args.wait {
            break;
        }
        std::thread::sleep(Duration::from_millis(limits::CUSTODIAN_LOOK_MS));
        for ceremony in &mut ceremonies {
            *ceremony = run.again(ceremony)?;
        }
    }
    run.voice.done(&json!({ "ceremonies": told.into_values().map(|(_, stands)| stands).collect::<Vec<_>>() }));
    Ok(())
}

pub(super) fn accept(args: &AcceptArgs) -> Result<(), Failed> {
    let mut run = Run::new(&args.which)?;
    let (mut facts, mut waiting) = (Vec::new(), None);
    for ceremony in run.desk.ceremonies(&run.client, args.which.ceremony.as_deref())? {
        match run.desk.next(&ceremony)? {
            Next::Finish | Next::Say(ACCEPT) => {
                let ceremony = run.as_far_as_possible(ceremony, true)?;
                facts.push(stands(&run.desk, &ceremony, &run.voice)?);
            }
            Next::Ended(how) => waiting = Some(refusal::CEREMONY_ENDED.because(how)),
            Next::Wait(step, missing) => {
                let missing = format!("{}: {step}: {missing:?}", ceremony.id);
                waiting = Some(refusal::CEREMONY_UNFINISHED.because(missing));
            }
            Next::Active => {}
            _ => waiting = Some(refusal::CEREMONY_UNFINISHED.because(format!("{}: join", ceremony.id))),
        }
    }
    if facts.is_empty() {
        return Err(waiting.unwrap_or_else(|| refusal::NO_CEREMONY.because(ACCEPT)).into());
    }
    run.voice.done(&json!({ "ceremonies": facts }));
    Ok(())
}

pub(super) fn rehearse(args: &RehearseArgs) -> Result<(), Failed> {
    let ((mut desk, client, _), voice) = (args.common.at_work()?, args.common.voice());
    let (mut facts, mut given) = (Vec::new(), 0);
    let ceremonies = desk.ceremonies(&client, args.ceremony.as_deref())?;
    for ceremony in ceremonies.iter().filter(|ceremony| ceremony.state == "active") {
        desk.settle(ceremony)?;
        given += desk.rehearse(&client, ceremony)?;
        facts.push(json!(ceremony.id));
    }
    if facts.is_empty() {
        return Err(refusal::NO_CEREMONY.because("active").into());
    }
    voice.say(
        &format!("演练完成:本次证明了 {given} 个份额可用。"),
        &format!("The rehearsal is done: {given} shares were shown to work now, all others before."),
    );
    voice.done(&json!({ "ceremonies": facts, "given": given }));
    Ok(())
}

impl<'a> Run<'a> {
    fn new(which: &'a Which) -> Result<Self, Failed> {
        let (desk, client, _) = which.common.at_work()?;
        Ok(Self { desk, client, which, voice: which.common.voice() })
    }

    fn again(&self, ceremony: &Ceremony) -> Result<Ceremony, Failed> {
        let mut found = self.desk.ceremonies(&self.client, Some(&ceremony.id))?;
        Ok(found.pop().ok_or_else(|| refusal::NO_CEREMONY.because(&ceremony.id))?)
    }

    /// Takes every step that can be taken now; the last of them only where `accepting`.
    fn as_far_as_possible(&mut self, mut ceremony: Ceremony, accepting: bool) -> Result<Ceremony, Failed> {
        loop {
            self.desk.settle(&ceremony)?;
            let view = match self.desk.next(&ceremony)? {
                Next::Begin => {
                    self.introduce(&ceremony);
                    self.confirmed("以上内容是否正确,并开始参加? Is this right, and do you take part?")?;
                    self.desk.step(&self.client, &ceremony)?
                }
                Next::Finish if accepting => Some(self.accept(&ceremony)?),
                _ => self.desk.step(&self.client, &ceremony)?,
            };
            match view {
                Some(view) => ceremony = Ceremony::read(&view, &self.desk.me()?)?,
                None => return Ok(ceremony),
            }
        }
    }

    fn accept(&mut self, ceremony: &Ceremony) -> Result<crate::client::custodians::CeremonyView, Failed> {
        let finished = self.desk.finish(&self.client, ceremony)?;
        self.voice.say(
            "请与其他成员通话,逐组核对以下密钥指纹,全部一致才可继续:",
            "Call the other members and read this to each other, group by group; go on only when everybody has the same:",
        );
        for share in &finished.shares {
            let key_set = share.key_set();
            self.voice.line(&format!("  {}   ({})", fingerprint(key_set.kid), key_set.group));
        }
        self.confirmed("全体成员的指纹是否一致? Has every member read the same?")?;
        Ok(self.desk.accept(&self.client, ceremony, finished)?)
    }

    fn confirmed(&self, question: &str) -> Result<(), Failed> {
        if self.which.yes || ask::agrees(question)? { Ok(()) } else { Err(refusal::NOT_CONFIRMED.because("").into()) }
    }

    /// What a ceremony is about, before the first word.
    fn introduce(&self, ceremony: &Ceremony) {
        let (draft, voice) = (ceremony.draft(), &self.voice);
        voice.say(
            &format!("仪式 {}:为标段 {} 生成密钥。", ceremony.id, draft.lot),
            &format!("Ceremony {}: keys for the lot {}.", ceremony.id, draft.lot),
        );
        for group in &draft.groups {
            voice.line(&format!(
                "  开标不早于 opens not before: {} ({})",
                group.opens_not_before.as_str(),
                group.group
            ));
        }
        voice.line(&format!("  开标需要 needed to open: {} / {}", draft.k, draft.members.len()));
        for member in &draft.members {
            let you = if member.i == ceremony.me { " <- 您 you" } else { "" };
            voice.line(&format!("  {}. {} ({}){you}", member.i, member.custodian, member.org));
        }
        voice.line(&format!("  招标人密钥 tenderer's key: {}", fingerprint(ceremony.tenderer)));
    }
}

/// Says how a ceremony stands.
pub(super) fn stands(desk: &Desk<'_>, ceremony: &Ceremony, voice: &Voice) -> Result<Value, Failed> {
    let next = desk.next(ceremony)?;
    let (zh, en) = match &next {
        Next::Begin => ("请运行 join。".to_owned(), "run `join`.".to_owned()),
        Next::Say(_) | Next::Deal => ("请再次运行 join。".to_owned(), "run `join` again.".to_owned()),
        Next::Finish => {
            ("全体成员已完成各步;请运行 accept。".to_owned(), "all members have dealt; run `accept`.".to_owned())
        }
        Next::Wait(step, missing) => {
            (format!("等待成员 {missing:?}({step})。"), format!("waiting for members {missing:?} ({step})."))
        }
        Next::Active => ("密钥已生效。".to_owned(), "the key is active.".to_owned()),
        Next::Ended(how) => (format!("已结束,没有产生密钥({how})。"), format!("it has ended without a key ({how}).")),
    };
    voice.say(&format!("仪式 {}:{zh}", ceremony.id), &format!("Ceremony {}: {en}", ceremony.id));
    let next = match next {
        Next::Begin => "begin",
        Next::Say(_) | Next::Deal => "join",
        Next::Finish => "accept",
        Next::Wait(..) => "wait",
        Next::Active => "active",
        Next::Ended(_) => "ended",
    };
    Ok(json!({ "id": ceremony.id, "state": ceremony.state, "next": next }))
}
