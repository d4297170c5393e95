//! The record of an opening as a page to print, in both languages.
//!
//! Invariant: every text that is not written here is escaped; the page loads nothing and runs nothing.

use std::fmt::Write;

use super::model::ShareText;
use super::objections::ObjectionView;
use super::record::{OpeningRecord, Party, RecordedBid, RecordedPart};
use crate::kernel::money::Money;
use crate::kernel::time::Timestamp;

/// How a page looks on paper.
pub const STYLE: &str = "body{font-family:serif;margin:2em;color:#000}table{border-collapse:collapse;width:100%;margin:1em 0}\
th,td{border:1px solid #000;padding:.3em .5em;text-align:left;vertical-align:top}code{font-size:.75em;word-break:break-all}\
td.amount{text-align:right;white-space:nowrap}h1{font-size:1.4em}h2{font-size:1.1em}tr{break-inside:avoid}";

/// What a page may do: nothing but be looked at, with its own style.
pub const CONTENT_SECURITY_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Text that means itself in HTML, between tags and in quoted attributes.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Controls have no place on paper, and direction marks make a text look like another.
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            c if c.is_control() && c != '\n' => {}
            c => out.push(c),
        }
    }
    out
}

/// An instant in both forms.
fn moment(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "—".to_owned(), |at| format!("{}<br>{}", at.local(), at))
}

fn party(party: &Party) -> String {
    let id = &party.identifier;
    format!("{}<br><code>{} {}</code>", escape(&party.name), escape(id.scheme()), escape(id.id()))
}

fn amount(price: Option<Money>) -> String {
    price.map_or_else(|| "—".to_owned(), |price| escape(&price.to_string()))
}

fn optional(text: Option<&str>) -> String {
    text.map_or_else(|| "—".to_owned(), escape)
}

/// The page.
pub fn page(record: &OpeningRecord) -> String {
    let mut out = String::new();
    head(&mut out, record);
    bids(&mut out, record);
    withdrawn(&mut out, record);
    objections(&mut out, &record.objections);
    evidence(&mut out, record);
    out.push_str("</body></html>\n");
    out
}

/// Appends a formatted text; writing to a string does not fail.
macro_rules! put {
    ($out:expr, $($text:tt)*) => {
        write!($out, $($text)*).expect("writing to a string does not fail")
    };
}

fn head(out: &mut String, record: &OpeningRecord) {
    let session = &record.session;
    let title = escape(&record.title);
    put!(
        out,
        "<!DOCTYPE html><html lang=\"zh-CN\"><head><meta charset=\"utf-8\"><title>开标记录 Opening record: {title}</title>\
         <style>{STYLE}</style></head><body><h1>开标记录 / Opening record</h1><table>"
    );
    let confirmed = record.confirmed_by.as_ref().map_or_else(|| "—".to_owned(), party);
    let rows = [
        ("标段", "Lot", format!("{title}<br><code>{}</code>", escape(session.lot_id.as_str()))),
        ("项目", "Project", format!("<code>{}</code>", escape(record.project_id.as_str()))),
        ("规则版本", "Edition of the rules", escape(&record.edition)),
        ("项目单位", "Initiator", party(&record.initiator)),
        ("投标截止", "Bid deadline", moment(session.deadline_at)),
        ("开标时间", "Opening announced for", moment(session.opens_at)),
        ("开始", "Opened at", moment(session.begun_at)),
        ("唱标", "Read out at", moment(session.read_out_at)),
        ("确认", "Confirmed at", moment(session.confirmed_at)),
        ("结束", "Closed at", moment(session.closed_at)),
        ("确认人", "Confirmed by", confirmed),
        ("状态", "State", format!("{} / {}", escape(&session.state_title.zh), escape(&session.state_title.en))),
    ];
    for (zh, en, value) in rows {
        put!(out, "<tr><th>{zh} / {en}</th><td>{value}</td></tr>");
    }
    out.push_str("</table>");
}

fn bids(out: &mut String, record: &OpeningRecord) {
    out.push_str(
        "<h2>投标 / Bids</h2><table><tr><th>#</th><th>投标人 / Bidder</th><th>报价 / Price</th><th>结果 / Outcome</th>\
         <th>收到时间 / Received at</th><th>依据的文件版本 / Sealed against revision</th><th>备注 / Remark</th></tr>",
    );
    for (at, bid) in record.bids.iter().enumerate() {
        row(out, &(at + 1).to_string(), bid);
    }
    if let Some(reserve) = &record.reserve {
        row(out, "底价 / Reserve", reserve);
    }
    out.push_str("</table>");
}

fn row(out: &mut String, number: &str, bid: &RecordedBid) {
    let mut outcome = format!("{} / {}", escape(&bid.outcome_title.zh), escape(&bid.outcome_title.en));
    if let Some(cause) = bid.cause {
        let title = cause.title();
        put!(outcome, "<br>{} / {}: {}", title.zh, title.en, optional(bid.cause_reason.as_deref()));
    }
    if bid.by_escrow {
        outcome.push_str("<br>由托管密钥启封(EB-06) / opened with its key out of escrow (EB-06)");
    }
    let revision = if bid.is_current_revision { "现行 / current" } else { "此前版本 / an earlier one" };
    put!(
        out,
        "<tr><td>{number}</td><td>{}</td><td class=\"amount\">{}</td><td>{outcome}</td><td>{}</td><td>{revision}<br><code>{}</code></td><td>{}</td></tr>",
        party(&bid.bidder),
        amount(bid.price),
        moment(Some(bid.received_at)),
        bid.document_revision,
        optional(bid.note.as_deref()),
    );
}

fn withdrawn(out: &mut String, record: &OpeningRecord) {
    if record.withdrawn.is_empty() {
        return;
    }
    out.push_str("<h2>截止前撤回 / Withdrawn before the deadline</h2><table>");
    for bidder in &record.withdrawn {
        put!(out, "<tr><td>{}</td></tr>", party(bidder));
    }
    out.push_str("</table>");
}

fn objections(out: &mut String, objections: &[ObjectionView]) {
    out.push_str("<h2>现场异议 / Objections</h2>");
    if objections.is_empty() {
        out.push_str("<p>无 / None</p>");
        return;
    }
    out.push_str("<table><tr><th>异议人 / Who</th><th>异议 / Objection</th><th>答复 / Answer</th></tr>");
    for objection in objections {
        put!(
            out,
            "<tr><td>{}</td><td>{}<br>{}</td><td>{}<br>{}</td></tr>",
            escape(&objection.objector_name),
            escape(&objection.text),
            moment(Some(objection.raised_at)),
            optional(objection.answer.as_deref()),
            moment(objection.answered_at),
        );
    }
    out.push_str("</table>");
}

fn evidence(out: &mut String, record: &OpeningRecord) {
    put!(
        out,
        "<h2>解密证明 / Proofs of decryption</h2><p>{}</p><p>{}</p><table><tr><th>投标 / Bid</th><th>部分 / Part</th><th>结果 / Outcome</th>\
         <th>证明 / Proof</th></tr>",
        escape(&record.how_to_check.zh),
        escape(&record.how_to_check.en),
    );
    for bid in record.bids.iter().chain(&record.reserve) {
        for part in &bid.parts {
            proof(out, bid, part);
        }
    }
    out.push_str("</table>");
}

fn proof(out: &mut String, bid: &RecordedBid, part: &RecordedPart) {
    let mut outcome = escape(&part.outcome);
    if let Some(reason) = &part.reason {
        put!(outcome, "<br>{}: {}", escape(reason), optional(part.detail.as_deref()));
    }
    let line = |share: &ShareText| {
        format!(
            "kid {}<br>slot {} · i {}<br>enc {}<br>D {}<br>proof {}",
            escape(&share.kid),
            share.slot,
            share.member,
            escape(&share.enc),
            escape(&share.d),
            escape(&share.proof)
        )
    };
    let lines: Vec<String> = part.shares.iter().map(line).collect();
    let share = if lines.is_empty() { "—".to_owned() } else { lines.join("<br>") };
    put!(
        out,
        "<tr><td>{}<br><code>{}</code></td><td>{}<br><code>{}</code></td><td>{outcome}</td><td><code>{share}</code></td></tr>",
        escape(&bid.bidder.name),
        escape(&bid.bid_id),
        escape(&part.part),
        escape(&part.envelope_id),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::opening::view::SessionView;
    use crate::kernel::digest::sha256;
    use crate::kernel::id::{LotId, ProjectId};
    use crate::kernel::money::Currency;
    use crate::kernel::org_identifier::OrgIdentifier;
    use crate::kernel::text::Bilingual;
    use crate::rules::bid::BidState;
    use crate::rules::editions::Category;
    use crate::rules::envelopes::Round;
    use crate::rules::machine::State;
    use crate::rules::opening::{SessionState, UndecryptedCause};

    const NASTY: &str = "<script>alert(\"1\")</script>&'\u{202e}";

    fn someone() -> Party {
        Party { name: NASTY.into(), identifier: OrgIdentifier::new("X-TEST", "1<2").expect("printable") }
    }

    fn bid(outcome: BidState, price: Option<Money>) -> RecordedBid {
        let at = Timestamp::from_millis(0);
        RecordedBid {
            bid_id: NASTY.into(),
            bidder: someone(),
            outcome,
            outcome_title: outcome.title().into(),
            price,
            validity_days: None,
            note: Some(NASTY.into()),
            rev: 1,
            document_revision: sha256(b""),
            is_current_revision: true,
            received_at: at,
            received_at_local: at.local(),
            cause: price.is_none().then_some(UndecryptedCause::Platform),
            cause_reason: Some(NASTY.into()),
            by_escrow: price.is_some(),
            parts: vec![RecordedPart {
                part: "price".into(),
                envelope_id: "e".into(),
                outcome: "opened".into(),
                reason: Some(NASTY.into()),
                detail: Some(NASTY.into()),
                shares: vec![ShareText {
                    kid: NASTY.into(),
                    slot: 0,
                    member: 1,
                    enc: NASTY.into(),
                    d: NASTY.into(),
                    proof: NASTY.into(),
                }],
                file_count: 0,
                files: Vec::new(),
            }],
        }
    }

    fn record() -> OpeningRecord {
        let at = Some(Timestamp::from_millis(1_782_000_000_000));
        OpeningRecord {
            session: SessionView {
                round: Round::First,
                lot_id: LotId::ordered(Timestamp::from_millis(0)),
                lot_state: State::Opened,
                state: SessionState::Closed,
                state_title: SessionState::Closed.title().into(),
                deadline_at: at,
                deadline_at_local: None,
                opens_at: at,
                opens_at_local: None,
                begun_at: at,
                unsealed_at: at,
                read_out_at: at,
                read_out_at_local: None,
                confirmed_at: at,
                closed_at: None,
            },
            project_id: ProjectId::ordered(Timestamp::from_millis(0)),
            title: NASTY.into(),
            category: Category::Construction,
            edition: NASTY.into(),
            initiator: someone(),
            document_revision: None,
            bids: vec![
                bid(BidState::Opened, Some(Money::from_minor(125_000_050, Currency::CNY))),
                bid(BidState::UndecryptedWithdrawn, None),
            ],
            withdrawn: vec![someone()],
            reserve: None,
            objections: Vec::new(),
            confirmed_by: Some(someone()),
            how_to_check: Bilingual::new(NASTY, NASTY),
        }
    }

    #[test]
    fn nothing_that_others_wrote_is_markup() {
        let page = page(&record());
        assert!(!page.contains("<script") && !page.contains('\u{202e}') && !page.contains("1<2"));
        assert!(page.contains("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;"));
    }

    #[test]
    fn a_page_says_the_price_the_cause_and_both_times() {
        let page = page(&record());
        assert!(page.contains("1250000.50 CNY"));
        assert!(page.contains("平台原因 / the platform"));
        assert!(page.contains("+08:00") && page.contains(".000Z"));
        assert!(page.ends_with("</body></html>\n"));
    }

    #[test]
    fn a_missing_time_is_a_dash() {
        assert_eq!(moment(None), "—");
        assert_eq!(amount(None), "—");
    }
}
