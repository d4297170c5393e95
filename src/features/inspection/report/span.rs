//! Spans of time in plain words, to the millisecond.

use crate::kernel::text::Bilingual;

/// Beyond this a span is said in hours, minutes and seconds.
const PLAIN_MS: u64 = 10_000;

/// How long.
pub fn span(millis: i64) -> Bilingual {
    let ms = millis.unsigned_abs();
    if ms < PLAIN_MS {
        return Bilingual::new(format!("{ms} 毫秒"), format!("{ms} ms"));
    }
    let (days, rest) = (ms / 86_400_000, ms % 86_400_000);
    let (hours, rest) = (rest / 3_600_000, rest % 3_600_000);
    let (minutes, rest) = (rest / 60_000, rest % 60_000);
    let (seconds, millis) = (rest / 1_000, rest % 1_000);
    let units = [(days, "天", "d"), (hours, "小时", "h"), (minutes, "分", "min")];
    let (mut zh, mut en) = (String::new(), String::new());
    for (count, in_zh, in_en) in units.into_iter().skip_while(|(count, ..)| *count == 0) {
        zh.push_str(&format!("{count} {in_zh} "));
        en.push_str(&format!("{count} {in_en} "));
    }
    Bilingual::new(format!("{zh}{seconds}.{millis:03} 秒"), format!("{en}{seconds}.{millis:03} s"))
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn a_span_is_exact_to_the_millisecond() {
        for (ms, en) in [
            (0, "0 ms"),
            (312, "312 ms"),
            (-312, "312 ms"),
            (9_999, "9999 ms"),
            (10_000, "10.000 s"),
            (61_004, "1 min 1.004 s"),
            (3_600_000, "1 h 0 min 0.000 s"),
            (90_061_001, "1 d 1 h 1 min 1.001 s"),
        ] {
            assert_eq!(span(ms).en, en);
        }
        assert_eq!(span(61_004).zh, "1 分 1.004 秒");
    }
}
