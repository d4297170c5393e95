//! Was a late bid let in? Every bid and refusal against the deadline then in force, and what happened around it.

use serde_json::{Value, json};

use super::facts::{Facts, Names, instant};
use super::span::span;
use super::words::{self, plain, who};
use super::{Report, Said, Section, Whence};
use crate::features::inspection::model::EntryView;
use crate::kernel::text::{Bilingual, Phrase};
use crate::kernel::time::Timestamp;

const BIDS: &[&str] =
    &["bid.submitted", "bid.replaced", "bid.confirmed", "bid.withdrawn", "bid.refused", "reserve.sealed"];

/// The report.
pub const REPORT: Report = Report {
    id: "deadline",
    title: Phrase::new("截止时间报告:是否接收了迟到的投标", "Deadline report: was a late bid let in?"),
    sections: &[
        Section {
            id: "deadlines",
            title: Phrase::new("截止时间及其变更", "The deadline and who changed it"),
            note: Phrase::new(
                "每次确定、变更或中止,连同操作人和理由。",
                "Each time it was set, moved or put on hold, by whom and why.",
            ),
            whence: Whence::Lot,
            kinds: &["lot.published", "lot.clarified", "lot.extended", "lot.amended", "lot.held", "lot.released"],
            sealed: false,
            time: Facts::lifetime,
            line: set,
        },
        Section {
            id: "bids",
            title: Phrase::new("投标与拒收", "Bids and refusals"),
            note: Phrase::new(
                "以收到请求最后一个字节的时刻为准,必须严格早于截止时间。",
                "What counts is when the last byte was received; it must be strictly before the deadline.",
            ),
            whence: Whence::Lot,
            kinds: BIDS,
            sealed: true,
            time: Facts::lifetime,
            line: bid,
        },
        Section {
            id: "in_flight",
            title: Phrase::new("截止时正在处理的投标", "In flight at the deadline"),
            note: Phrase::new(
                "截止前收到、截止后才记录的投标。",
                "Received before the deadline and recorded after it, because it waited.",
            ),
            whence: Whence::Lot,
            kinds: BIDS,
            sealed: true,
            time: Facts::lifetime,
            line: in_flight,
        },
        Section {
            id: "closing",
            title: Phrase::new("关闭与开标", "Closing and opening"),
            note: Phrase::new(
                "关闭会等待截止时正在处理的投标。",
                "Closing waits for what was in flight at the deadline.",
            ),
            whence: Whence::Lot,
            kinds: &["lot.closed", "lot.opening_begun", "lot.opened", "lot.unsuccessful", "lot.terminated"],
            sealed: false,
            time: Facts::lifetime,
            line: closing,
        },
        Section {
            id: "platform",
            title: Phrase::new("截止前后的启动、停止、中断与时钟", "Restarts, outages and clocks around the deadline"),
            note: Phrase::new(
                "自首个截止时间前一天至最后一个截止时间后一小时。",
                "From a day before the first deadline to an hour after the last.",
            ),
            whence: Whence::Platform,
            kinds: &["platform.started", "platform.stopped", "platform.outage", "platform.clock"],
            sealed: false,
            time: Facts::around_deadlines,
            line: plain,
        },
    ],
    cannot_show: &[
        Phrase::new(
            "投标人发出请求的时刻,以及请求在网络上用去的时间。",
            "When a bidder sent its request, and how long it was on the way.",
        ),
        Phrase::new(
            "最后一个字节未到达的请求:它们没有成为投标。",
            "Requests whose last byte never came: they became no bid.",
        ),
        Phrase::new(
            "格式或签名不符的请求:它们被拒绝而不记录。",
            "Requests that were malformed or wrongly signed: they are refused and not recorded.",
        ),
        Phrase::new(
            "服务器时钟与法定时间之间、低于所记录偏差的误差。",
            "How far the servers' clocks were from legal time, beyond the offsets that are stated.",
        ),
        Phrase::new(
            "服务器或数据库管理员对时钟、程序或数据所做的事。",
            "What whoever administers the servers or the database did to clock, program or data.",
        ),
    ],
};

fn set(facts: &Facts, names: &Names, entry: &EntryView) -> Option<Said> {
    let data = &entry.public["data"];
    let words = words::of(&entry.kind)?;
    let deadline = instant(&data["deadline_at"]);
    let before = facts.deadlines.iter().rev().find(|set| set.since < entry.at).map(|set| set.deadline);
    let reason = entry.restricted["data"]["reason"].as_str();
    let text = match (before, deadline) {
        (_, None) => Bilingual::new("无截止时间", "no deadline"),
        (Some(old), Some(new)) if old == new => {
            Bilingual::new(format!("截止时间仍为 {}", new.local()), format!("the deadline stays {}", new.local()))
        }
        (Some(old), Some(new)) => Bilingual::new(
            format!("截止时间由 {} 改为 {}", old.local(), new.local()),
            format!("the deadline moves from {} to {}", old.local(), new.local()),
        ),
        (None, Some(new)) => {
            Bilingual::new(format!("截止时间定为 {}", new.local()), format!("the deadline is {}", new.local()))
        }
    };
    let who = who(names, entry);
    let why = reason.unwrap_or("-");
    Some(
        Said::new(Bilingual::new(
            format!("{}:{};操作人:{who};理由:{why}", words.zh, text.zh),
            format!("{}: {}; by {who}; reason: {why}", words.en, text.en),
        ))
        .with("deadline_at", json!(deadline))
        .with("before", json!(before))
        .with("actor", json!(entry.actor_id))
        .with("reason", json!(reason)),
    )
}

/// How an act of a bidder stands against the deadline: received, recorded and the deadline then in force.
pub fn verdict(refused: Option<&str>, received: Timestamp, recorded: Timestamp, deadline: Timestamp) -> Bilingual {
    let margin = span(deadline.millis() - received.millis());
    let waited = span(recorded.millis() - received.millis());
    let late = received >= deadline;
    match (refused, late) {
        (None, false) if recorded >= deadline => {
            let after = span(recorded.millis() - deadline.millis());
            Bilingual::new(
                format!("截止前 {} 收到;因排队,截止后 {} 才记录(以收到时刻为准,按时)", margin.zh, after.zh),
                format!(
                    "received {} before the deadline; recorded {} after the deadline because it waited: in time, since receipt counts",
                    margin.en, after.en
                ),
            )
        }
        (None, false) => Bilingual::new(
            format!("截止前 {} 收到,{} 后记录:按时", margin.zh, waited.zh),
            format!("received {} before the deadline, recorded {} later: in time", margin.en, waited.en),
        ),
        (None, true) => Bilingual::new(
            format!("截止后 {} 收到却被接收:违反规则,须查明", margin.zh),
            format!("received {} AFTER the deadline and yet accepted: against the rule, to be explained", margin.en),
        ),
        (Some(code), true) => Bilingual::new(
            format!("截止后 {} 收到:拒收({code})", margin.zh),
            format!("received {} after the deadline: refused ({code})", margin.en),
        ),
        (Some(code), false) => Bilingual::new(
            format!("截止前 {} 收到,因其他原因拒收({code})", margin.zh),
            format!("received {} before the deadline and refused for another reason ({code})", margin.en),
        ),
    }
}

fn bid(facts: &Facts, names: &Names, entry: &EntryView) -> Option<Said> {
    let data = &entry.public["data"];
    let received = instant(&data["received_at"])?;
    let deadline = instant(&data["deadline_at"]);
    let set = facts.deadline_in_force(entry.at);
    let code = (entry.kind == "bid.refused").then(|| data["code"].as_str().unwrap_or("-"));
    let words = words::of(&entry.kind)?;
    let verdict = match deadline {
        Some(deadline) => verdict(code, received, entry.at, deadline),
        None => Bilingual::new("当时没有截止时间", "there was no deadline then"),
    };
    let who = who(names, entry);
    Some(
        Said::new(Bilingual::new(
            format!("{}({who}):{}", words.zh, verdict.zh),
            format!("{} ({who}): {}", words.en, verdict.en),
        ))
        .with("received_at", json!(received))
        .with("received_at_local", received.local())
        .with("recorded_at", json!(entry.at))
        .with("recorded_at_local", entry.at.local())
        .with("deadline_at", json!(deadline))
        .with("margin_ms", json!(deadline.map(|deadline| deadline.millis() - received.millis())))
        .with("deadline_entry_id", json!(set.map(|set| &set.entry_id)))
        .with("subject", entry.stream.clone())
        .with("org_id", json!(entry.org_id))
        .with("code", json!(code))
        .with("instance", stated(data, "instance"))
        .with("clock_offset_ms", stated(data, "clock_offset_ms")),
    )
}

/// What an entry states, or null where it was made before such was stated.
fn stated(data: &Value, key: &str) -> Value {
    data[key].clone()
}

fn in_flight(facts: &Facts, names: &Names, entry: &EntryView) -> Option<Said> {
    let data = &entry.public["data"];
    let (received, deadline) = (instant(&data["received_at"])?, instant(&data["deadline_at"])?);
    if received < deadline && entry.at >= deadline { bid(facts, names, entry) } else { None }
}

fn closing(facts: &Facts, names: &Names, entry: &EntryView) -> Option<Said> {
    let said = plain(facts, names, entry)?;
    let Some(set) = facts.deadline_in_force(entry.at) else { return Some(said) };
    let distance = entry.at.millis() - set.deadline.millis();
    let after = span(distance);
    let (zh, en) = &said.text;
    let text = if distance >= 0 {
        Bilingual::new(format!("截止后 {}:{zh}", after.zh), format!("{} after the deadline: {en}", after.en))
    } else {
        Bilingual::new(format!("截止前 {}:{zh}", after.zh), format!("{} before the deadline: {en}", after.en))
    };
    Some(Said { text: (text.zh, text.en), facts: said.facts })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_says_in_time_late_or_waited_to_the_millisecond() {
        let at = |ms: i64| Timestamp::from_millis(1_000_000 + ms);
        let deadline = at(0);
        let cases = [
            (None, -312, -300, "received 312 ms before the deadline, recorded 12 ms later: in time"),
            (None, -1, -1, "received 1 ms before the deadline, recorded 0 ms later: in time"),
            (None, -2, 40, "received 2 ms before the deadline; recorded 40 ms after the deadline because it waited"),
            (None, -1, 0, "recorded 0 ms after the deadline because it waited"),
            (None, 0, 1, "received 0 ms AFTER the deadline and yet accepted"),
            (Some("bidding-closed"), 0, 1, "received 0 ms after the deadline: refused (bidding-closed)"),
            (Some("early"), -5, 1, "received 5 ms before the deadline and refused for another reason (early)"),
        ];
        for (refused, received, recorded, said) in cases {
            let found = verdict(refused, at(received), at(recorded), deadline);
            assert!(found.en.contains(said), "{} should contain {said}", found.en);
            assert!(!found.zh.is_empty());
        }
    }
}
