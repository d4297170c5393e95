//! The messages that go with an act: one for each recipient, stored in the commit of the act.
//!
//! That somebody gets a message about a lot before its opening tells that it fetched documents or bid: such messages are
//! sealed.

use super::queries;
use crate::features::lots::model::Lot;
use crate::features::lots::ops::Act;
use crate::kernel::text::Bilingual;
use crate::ledger::{Mail, Result, Tx};
use crate::rules::machine::Step;

fn text(lot: &Lot, step: &Step, act: &Act) -> Bilingual {
    let title = step.event.title();
    let deadline = lot.body.schedule.deadline_at;
    let mut zh = format!("标段:{}({})\n事项:{}\n", lot.row.title, lot.row.id, title.zh);
    let mut en = format!("Lot: {} ({})\nWhat happened: {}\n", lot.row.title, lot.row.id, title.en);
    if let Some(deadline) = deadline {
        zh.push_str(&format!("投标截止时间:{}\n", deadline.local()));
        en.push_str(&format!("Bid deadline: {}\n", deadline.local()));
    }
    if let Some(reason) = &act.request.reason {
        zh.push_str(&format!("理由:{reason}\n"));
        en.push_str(&format!("Reason: {reason}\n"));
    }
    for line in &act.lines {
        zh.push_str(&format!("- {line}\n"));
        en.push_str(&format!("- {line}\n"));
    }
    Bilingual::new(zh, en)
}

fn send_to(tx: &mut Tx<'_>, lot: &Lot, step: &Step, act: &Act, orgs: &[String], sealed: bool) -> Result<()> {
    let text = text(lot, step, act);
    let title = step.event.title();
    for (org, email) in queries::contacts(tx.conn(), orgs)? {
        tx.send(Mail {
            dedup: format!("{}-{}-{}-{org}", lot.row.id, lot.row.version, step.event.name()),
            recipient: email,
            subject: format!("{} / {}: {}", title.zh, title.en, lot.row.title),
            body: format!("{}\n{}", text.zh, text.en),
            lot_id: Some(lot.row.id.clone()),
            sealed,
        })?;
    }
    Ok(())
}

/// Everybody who fetched the documents and everybody who bid.
///
/// # Errors
/// The database's.
pub fn tell_holders(tx: &mut Tx<'_>, lot: &Lot, step: &Step, act: &Act) -> Result<()> {
    let orgs = queries::holders(tx.conn(), &lot.row.id)?;
    send_to(tx, lot, step, act, &orgs, lot.row.unsealed_for.as_deref() != Some("all"))
}

/// The initiator.
///
/// # Errors
/// The database's.
pub fn tell_initiator(tx: &mut Tx<'_>, lot: &Lot, step: &Step, act: &Act) -> Result<()> {
    send_to(tx, lot, step, act, std::slice::from_ref(&lot.row.org_id), false)
}

/// The trading centre.
///
/// # Errors
/// The database's.
pub fn tell_centre(tx: &mut Tx<'_>, lot: &Lot, step: &Step, act: &Act) -> Result<()> {
    let orgs = queries::centre_orgs(tx.conn())?;
    send_to(tx, lot, step, act, &orgs, false)
}

/// Every bidder of an opened lot: the awardee learns of the award, the others of the result.
///
/// # Errors
/// The database's.
pub fn notify_bidders(tx: &mut Tx<'_>, lot: &Lot, step: &Step, act: &Act) -> Result<()> {
    let awardee = lot.body.award.as_ref().map(|award| award.org_id.to_string());
    for org in queries::bidders(tx.conn(), &lot.row.id)? {
        let mut own = act.clone();
        if let (Some(award), true) = (&lot.body.award, awardee.is_some()) {
            let won = awardee.as_deref() == Some(org.as_str());
            own.lines.push(if won {
                format!(
                    "贵单位为中标人,价格 {} {} / You are the awardee, at {} {}",
                    award.price.amount(),
                    award.price.currency(),
                    award.price.amount(),
                    award.price.currency()
                )
            } else {
                format!(
                    "中标人:{},价格 {} {} / Awarded to {} at {} {}",
                    award.bidder_name,
                    award.price.amount(),
                    award.price.currency(),
                    award.bidder_name,
                    award.price.amount(),
                    award.price.currency()
                )
            });
        }
        send_to(tx, lot, step, &own, &[org], false)?;
    }
    Ok(())
}
