//! Did someone look early? Every use of the key, read, denied attempt, power and session in the lot's time.

use super::facts::{Facts, Names};
use super::words::plain;
use super::{Report, Said, Section, Whence};
use crate::features::inspection::model::EntryView;
use crate::kernel::text::Phrase;

const fn section(
    id: &'static str,
    title: Phrase,
    note: Phrase,
    whence: Whence,
    kinds: &'static [&'static str],
    sealed: bool,
) -> Section {
    Section { id, title, note, whence, kinds, sealed, time: Facts::lifetime, line: plain }
}

/// The report.
pub const REPORT: Report = Report {
    id: "access",
    title: Phrase::new("访问报告:是否有人提前查看", "Access report: did someone look early?"),
    sections: &[
        section(
            "key",
            Phrase::new("标段私钥的使用", "The lot's private key"),
            Phrase::new(
                "生成、每个进程首次使用、销毁。开标状态之前系统无法使用私钥。",
                "Made, first used by each process, erased. Before the opening the platform cannot use it.",
            ),
            Whence::Lot,
            &["key_set.created", "lot.opening_begun", "key.used", "key_set.erased"],
            false,
        ),
        section(
            "key_encryption",
            Phrase::new("密钥加密密钥", "The key-encryption key"),
            Phrase::new("更换时所有私钥都会重新加密。", "When it is changed, every private key is wrapped anew."),
            Whence::Platform,
            &["key_sets.rewrapped"],
            false,
        ),
        section(
            "payloads",
            Phrase::new("密封内容的读取", "Reads of sealed payloads"),
            Phrase::new(
                "投标人下载自己的密文,以及开标时系统逐一解密。",
                "Downloads by bidders of their own ciphertext, and each unsealing by the opening.",
            ),
            Whence::Lot,
            &["payload.read", "envelope.unsealed"],
            true,
        ),
        section(
            "storage",
            Phrase::new("存储损坏与恢复", "Damage in storage"),
            Phrase::new(
                "发现存储的文件损坏,以及由其所有人或从备份恢复。只接受与原根哈希一致的内容。",
                "Stored files found damaged, and put back by their owners or from a backup: only ever as they were.",
            ),
            Whence::Lot,
            &["payload.damaged", "payload.restored"],
            true,
        ),
        section(
            "reserve",
            Phrase::new("密封底价", "The reserve price"),
            Phrase::new(
                "密封、开启,以及公开之前项目单位和监督人员的每次查看。唱标之前没有任何操作能够显示底价,对项目单位自己也不能。",
                "Sealed, opened, and each look of the initiator and of inspectors until it was public. Before the read-out no \
                 operation shows it to anybody, its initiator included.",
            ),
            Whence::Lot,
            &["reserve.sealed", "reserve.opened", "reserve.read"],
            true,
        ),
        section(
            "break_glass",
            Phrase::new("开标前的应急查阅", "Looks before the opening by two persons"),
            Phrase::new(
                "申请、第二人同意、每次查阅和撤回。只显示密封记录的存在及其可公开部分,不显示投标人。",
                "Asked for, agreed to, each look, withdrawn. They show that sealed entries exist and what may be published of them, \
                 not who bids.",
            ),
            Whence::Lot,
            &["break_glass.asked", "break_glass.agreed", "break_glass.looked", "break_glass.withdrawn"],
            false,
        ),
        section(
            "reading",
            Phrase::new("开标会", "The opening session"),
            Phrase::new("唱标之后结果才可见。", "Nobody sees an outcome before the read-out."),
            Whence::Lot,
            &["opening.begun", "opening.read_out"],
            false,
        ),
        section(
            "denied",
            Phrase::new("对本标段的被拒绝的访问", "Denied attempts at this lot"),
            Phrase::new(
                "每个用户每小时最多记录 20 次;涉及密封事实的在开标后显示。",
                "At most 20 an hour for each user; those at sealed facts show after the opening.",
            ),
            Whence::Lot,
            &["access.denied"],
            false,
        ),
        section(
            "denied_elsewhere",
            Phrase::new("其他被拒绝的访问和登录失败", "Other denied attempts and failed sign-ins"),
            Phrase::new(
                "不属于任何标段;登录失败每个账号每小时最多记录 10 次。",
                "Of no lot; at most 10 failed sign-ins an hour for each login of staff.",
            ),
            Whence::Platform,
            &["access.denied", "session.refused"],
            false,
        ),
        Section {
            id: "powers",
            title: Phrase::new("账号、角色与授权", "Accounts, roles and mandates"),
            note: Phrase::new("谁在何时得到或失去何种权限。", "Who was given or lost which power, and when."),
            whence: Whence::Platform,
            kinds: &[
                "user.created",
                "user.roles_set",
                "user.enabled",
                "user.disabled",
                "user.password_reset_issued",
                "user.password_set",
                "mandate.granted",
                "mandate.ended",
            ],
            sealed: false,
            time: Facts::lifetime,
            line: power,
        },
        section(
            "configuration",
            Phrase::new("配置变更", "Changes of configuration"),
            Phrase::new("不含任何密钥或口令。", "Without any secret."),
            Whence::Platform,
            &["platform.configured", "platform.started", "platform.stopped", "calendar.imported"],
            false,
        ),
        section(
            "sessions",
            Phrase::new("工作人员会话", "Sessions of staff"),
            Phrase::new(
                "管理员、中心、项目单位和监督人员;不含投标人。",
                "Of administrators, the centre, initiators and inspectors; not of bidders.",
            ),
            Whence::Platform,
            &["session.started", "session.ended"],
            false,
        ),
        Section {
            id: "inspection",
            title: Phrase::new("监督人员对本标段的查阅", "Looks of inspectors at this lot"),
            note: Phrase::new(
                "含本次查阅,连同案号。未指明标段的查阅(单条记录、全部记录的检索)在类型 inspection.looked 的记录中。",
                "This one too, with their matter numbers. Looks that name no lot (at one entry, at everything) are among the \
                 entries of kind inspection.looked.",
            ),
            whence: Whence::Platform,
            kinds: &["inspection.looked"],
            sealed: false,
            time: Facts::lifetime,
            line: look,
        },
    ],
    cannot_show: &[
        Phrase::new(
            "服务器、数据库或备份的管理员在本系统之外所做的事:读取磁盘、内存、数据库或备份。谁投了标对他们不是秘密,投标内容是加密的。",
            "What whoever administers the servers, the database or a backup did outside this platform: reading disks, memory, \
             tables or copies. To them it is no secret who bids; contents are encrypted.",
        ),
        Phrase::new(
            "持有密钥目录的人在本系统之外使用密钥。",
            "Use of the keys outside this platform by whoever holds the key directory.",
        ),
        Phrase::new(
            "投标人和项目单位自己的电脑上发生的事。",
            "What happened on the computers of bidders and initiators.",
        ),
        Phrase::new(
            "未登录者的请求、投标人的会话,以及超出每小时上限的被拒绝的访问。",
            "Requests of those who were not signed in, sessions of bidders, and denied attempts beyond so many an hour.",
        ),
        Phrase::new(
            "系统自身在发送通知时对领取文件者名单的使用。开标之前没有任何操作能够读取该名单;开标之后它是类型 document.fetched 的记录,查阅这些记录本身也有记录。",
            "The platform's own use of the list of who fetched documents, to send mails. Before the opening no operation shows it; \
             after it, it is the entries of kind document.fetched, and looking at those is on record.",
        ),
        Phrase::new(
            "唱标之后对开标记录的查看:它对当事人和公众公开,不逐次记录;只有公开之前对底价的查看有记录。",
            "Who looked at the record of the opening after the read-out: it is for the parties and then for everybody. Only looks \
             at a reserve price that was not public yet are on record.",
        ),
    ],
};

/// A look that was at this lot.
fn look(facts: &Facts, names: &Names, entry: &EntryView) -> Option<Said> {
    let query = &entry.restricted["data"]["query"];
    let lot = query["lot"].as_str().or(query["filter"]["lot"].as_str());
    if lot == Some(facts.lot.row.id.as_str()) { plain(facts, names, entry) } else { None }
}

/// A power; of mandates those that reach this lot, since whom else somebody is after is no matter of this lot.
fn power(facts: &Facts, names: &Names, entry: &EntryView) -> Option<Said> {
    let data = &entry.restricted["data"];
    let lots = data["lots"].as_array();
    let reaches =
        data["reach"] == "all" || lots.is_some_and(|lots| lots.iter().any(|lot| *lot == facts.lot.row.id.as_str()));
    if entry.kind.starts_with("mandate.") && !reaches { None } else { plain(facts, names, entry) }
}
