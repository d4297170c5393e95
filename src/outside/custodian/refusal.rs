//! Every reason for which the tool refuses, in a table: a stable code, a sentence, and what to do.

use std::fmt;

use crate::client::ClientError;
use crate::kernel::text::{Bilingual, Phrase};
use crate::verify::report::Failure;

/// A reason to refuse.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// The stable code.
    pub code: &'static str,
    /// What is the matter.
    pub what: Phrase,
    /// What to do about it.
    pub help: Phrase,
}

impl Kind {
    /// Refuses for this reason; `detail` is what a person who helps will ask for.
    pub fn because(&'static self, detail: impl fmt::Display) -> Refusal {
        let detail = detail.to_string();
        Refusal { kind: self, detail: Bilingual::new(detail.clone(), detail) }
    }
}

/// A refusal with what goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub kind: &'static Kind,
    /// Who, which, when.
    pub detail: Bilingual,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, detail } = self;
        writeln!(f, "{}", kind.code)?;
        for (what, detail, help) in [(kind.what.en, &detail.en, kind.help.en), (kind.what.zh, &detail.zh, kind.help.zh)]
        {
            match detail.as_str() {
                "" => writeln!(f, "  {what}")?,
                detail => writeln!(f, "  {what} [{detail}]")?,
            }
            writeln!(f, "  -> {help}")?;
        }
        Ok(())
    }
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The tool itself refuses.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// The server does, or cannot be reached.
    #[error(transparent)]
    Server(#[from] ClientError),
}

/// What the tool's functions return.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// The stable code: the tool's, or the server's.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(refusal) => Some(refusal.kind.code),
            Self::Server(error) => error.code(),
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

/// What a check of the log came to.
impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let kind = match failure {
            Failure::Refuted(_) => &LOG_REFUTED,
            Failure::Undecided(_) => &LOG_UNDECIDED,
            Failure::Forked { .. } => &LOG_FORKED,
        };
        let finding = failure.finding();
        let at = |what: &str| format!("{}: {what}", finding.place);
        Refusal { kind, detail: Bilingual::new(at(&finding.what.zh), at(&finding.what.en)) }.into()
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident, $code:literal, $zh:literal, $en:literal, help $help_zh:literal, $help_en:literal;)*) => {
        $($(#[$doc])* pub static $name: Kind = Kind {
            code: $code, what: Phrase::new($zh, $en), help: Phrase::new($help_zh, $help_en),
        };)*
        /// All of them.
        pub static ALL: &[&Kind] = &[$(&$name),*];
    };
}

kinds! {
    /// There is no file.
    STATE_MISSING, "state-missing", "没有找到状态文件。", "There is no state file there.",
        help "请检查路径;如文件已丢失,请用 `sealbid custodian restore` 从副本恢复;首次使用请先运行 `init`。",
        "Check the path. If the file is lost, put a copy back with `sealbid custodian restore`; the first time, run `init`.";
    /// There is a file, where none may be.
    STATE_EXISTS, "state-exists", "该处已有文件,不会覆盖。", "There is a file there already; nothing is written over.",
        help "请另选文件名,或先把原文件移开。", "Choose another name, or move the file away first.";
    /// Another process has it.
    STATE_LOCKED, "state-locked", "状态文件正被另一个进程使用。", "Another process is using the state file.",
        help "请等它结束,或找到并关闭那个窗口。", "Wait until it has ended, or find and close the other window.";
    /// Its bytes were changed.
    STATE_DAMAGED, "state-damaged", "状态文件已损坏或被改动。", "The state file is damaged, or was altered.",
        help "请不要使用它;用最近的副本恢复(`restore`)。", "Do not use it; put the latest copy back with `restore`.";
    /// It was written by a later version.
    STATE_NEWER, "state-newer", "状态文件由更新版本的程序写成。", "The state file was written by a newer version of this program.",
        help "请使用新版本的 sealbid。", "Use the newer sealbid.";
    /// The disk.
    STATE_DISK, "state-disk", "状态文件无法读写。", "The state file cannot be read or written.",
        help "请检查磁盘空间、权限和存储介质。", "Look at free space, permissions and the medium.";
    /// It does not open.
    PASSPHRASE_WRONG, "passphrase-wrong", "口令不正确。", "The passphrase is wrong.",
        help "请重新输入;口令无法找回,忘记时只能启用密封保存的纸质口令。",
        "Try again. Nobody can find it out for you: if it is forgotten, use the sealed paper on which it is kept.";
    /// Too short.
    PASSPHRASE_WEAK, "passphrase-weak", "口令太短。", "The passphrase is too short.",
        help "请使用至少 12 个字符,例如五六个不相关的词。", "Use at least 12 characters, such as five or six unrelated words.";
    /// The file is of another server or user.
    STATE_OF_ANOTHER, "state-of-another", "该状态文件属于另一个平台或另一个用户。", "The state file is of another platform or another user.",
        help "请核对 --server、--login 和 --state。", "Check --server, --login and --state.";
    /// The file was never registered.
    NOT_REGISTERED, "not-registered", "尚未完成登记。", "The registration is not finished.",
        help "请再运行一次 `sealbid custodian init`。", "Run `sealbid custodian init` again.";
    /// The platform shows another key.
    PLATFORM_KEY_CHANGED, "platform-key-changed", "平台出示的密钥与登记时不同。", "The platform shows another key than the one that was pinned.",
        help "请停止操作,电话联系交易中心核实;核实后用 `init --verifier` 写入新密钥。",
        "Stop, and call the trading centre. Only when its people have confirmed the new key: `init --verifier KEY`.";
    /// The log's policy is none.
    POLICY_INVALID, "policy-invalid", "日志策略文件无法使用。", "The log's policy cannot be used.",
        help "请从可信来源取得策略文件,用 `init --policy` 写入。", "Take the policy from a source that you trust: `init --policy FILE`.";
    /// Something of the log is refuted.
    LOG_REFUTED, "log-refuted", "公开日志与此前所见不符,或证明不成立。", "The public log is not what it was, or a proof of it does not hold.",
        help "请停止操作,保存屏幕内容,并通知其他保管人和监管部门。", "Stop, keep what is on the screen, and tell the other custodians and the supervisors.";
    /// Something of the log is missing.
    LOG_UNDECIDED, "log-undecided", "公开日志的证据不完整,无法判断。", "The evidence from the public log is not complete; nothing can be decided.",
        help "请稍后再试;仍不行时,请从见证方或镜像取得日志副本。", "Try again later; if it stays so, get a copy of the log from a witness or a mirror.";
    /// The log was forked.
    LOG_FORKED, "log-forked", "公开日志出现两个互相矛盾的版本。", "The public log shows two histories that contradict each other.",
        help "请停止操作:这是平台的严重问题。保存屏幕内容,通知其他保管人和监管部门。",
        "Stop: this is evidence against the platform. Keep what is on the screen, and tell the other custodians and the supervisors.";
    /// The draft does not hold.
    DRAFT_INVALID, "draft-invalid", "仪式草案不成立。", "The draft of the ceremony does not hold.",
        help "请不要继续;请招标人重新发起。", "Do not go on; ask the tenderer to begin anew.";
    /// The draft does not name this custodian.
    NOT_A_MEMBER, "not-a-member", "该仪式没有您的签名密钥。", "The ceremony does not name your signing key.",
        help "请确认状态文件是否正确;如密钥已更换,请招标人以新密钥重新发起。",
        "See whether this is the right state file; if your key has changed, the tenderer begins anew with the new one.";
    /// Backups would go to somebody else.
    BACKUP_KEY_NOT_MINE, "backup-key-not-mine", "草案中您的备份密钥不是本文件中的密钥。", "The draft names another backup key for you than the one in this file.",
        help "请不要继续:您的份额会备份给别人。请招标人重新发起。",
        "Do not go on: your share would be backed up to somebody else. Ask the tenderer to begin anew.";
    /// A message does not hold.
    MESSAGE_INVALID, "message-invalid", "某位成员的消息不成立。", "A message of a member does not hold.",
        help "请不要继续;把此提示告诉招标人,仪式需要重新开始。", "Do not go on; tell the tenderer. The ceremony begins anew.";
    /// Something was said in this custodian's name.
    MESSAGE_NOT_MINE, "message-not-mine", "平台上有以您名义发出、但本文件中没有的消息。", "There is a message in your name that is not in this file.",
        help "若本文件是旧副本或您使用过另一台电脑,请改用最新的文件;否则请立即报告并要求重新开始。",
        "If this file is an old copy, or you have used another machine, use the newest file; otherwise report it at once and ask for a new ceremony.";
    /// Others have not spoken.
    CEREMONY_UNFINISHED, "ceremony-unfinished", "还有成员(或您自己)没有完成上一步。", "Members, or you yourself, have not done the step before.",
        help "如需您操作,请先运行 `join`;否则请联系这些成员,稍后再试。", "Run `join` first if it is your turn; otherwise call those members, and try again.";
    /// It is over.
    CEREMONY_ENDED, "ceremony-ended", "该仪式已结束,没有产生密钥。", "The ceremony has ended without a key.",
        help "请等招标人重新发起。", "Wait until the tenderer begins anew.";
    /// There is nothing for this custodian.
    NO_CEREMONY, "no-ceremony", "没有需要您处理的仪式。", "There is no ceremony that asks for this.",
        help "请向招标人确认,或稍后再试。", "Ask the tenderer, or try again later.";
    /// Members have seen different things.
    TRANSCRIPTS_DIFFER, "transcripts-differ", "另一位成员看到的消息与您看到的不同。", "Another member has seen other messages than you.",
        help "请停止操作并与该成员通话;仪式必须重新开始。", "Stop, and call that member; the ceremony must begin anew.";
    /// A dealt value does not fit.
    WRONG_SHARE, "wrong-share", "一位成员发给您的份额不正确,已提出申诉。", "A member dealt you a wrong value; the complaint has been sent.",
        help "仪式到此结束,平台会指明责任方;请等招标人重新发起。",
        "The ceremony ends here, and it will be seen who is at fault; wait until the tenderer begins anew.";
    /// The key set that is published is another.
    KEY_SET_DIFFERS, "key-set-differs", "平台公布的密钥集与您确认的不同。", "The published key set is not the one that you accepted.",
        help "请停止操作,通知招标人:不得按此密钥投标。", "Stop, and tell the tenderer: nobody may bid under that key.";
    /// Not all acceptances have been seen.
    KEY_SET_UNCONFIRMED, "key-set-unconfirmed", "尚未看到全体成员对该密钥集的确认。", "Not all members' acceptances of this key set have been seen.",
        help "请等仪式完成后运行 `status`;离线时请在目录中放入 ceremony.json。",
        "Run `status` when the ceremony is complete; offline, put the ceremony into the directory as ceremony.json.";
    /// The person said no.
    NOT_CONFIRMED, "not-confirmed", "您没有确认,因此没有发送任何内容。", "You did not confirm, so nothing was sent.",
        help "核对无误后再运行一次。", "Run it again when everything is as it should be.";
    /// The clock says no.
    TOO_EARLY, "too-early", "按本机时钟,尚未到开标时间。", "By this machine's clock the opening time has not come.",
        help "请等到开标时间;如本机时钟不准,请先校准。任何人催促都不要提前。",
        "Wait until then; if this machine's clock is wrong, set it right first. Do not hurry for anybody.";
    /// When, is not known.
    OPENING_TIME_UNKNOWN, "opening-time-unknown", "平台没有给出该标段的开标时间。", "The platform does not say when the lot opens.",
        help "请联系交易中心。", "Ask the trading centre.";
    /// There is no share.
    NO_SHARE, "no-share", "本文件中没有该密钥集的份额。", "There is no share of this key set in this file.",
        help "请检查标段;如份额丢失,请用 `restore --from-server`,或与其他成员一起修复。",
        "Check the lot; if the share is lost, use `restore --from-server`, or repair it with the other members.";
    /// The snapshot is not the platform's.
    SNAPSHOT_INVALID, "snapshot-invalid", "开标清单没有平台的有效签名。", "The snapshot is not validly signed by the platform.",
        help "请不要继续,联系交易中心。", "Do not go on; call the trading centre.";
    /// The snapshot is of something else.
    SNAPSHOT_OF_ANOTHER, "snapshot-of-another", "开标清单属于别的标段、分组或密钥集。", "The snapshot is of another lot, group or key set.",
        help "请不要继续:这可能是在骗取您的份额。通知其他保管人和监管部门。",
        "Do not go on: somebody may be after your share. Tell the other custodians and the supervisors.";
    /// Lines and root do not fit.
    LINES_ALTERED, "lines-altered", "清单各行与签名的根不符,或次序有误。", "The lines of the snapshot are not those that were signed, or not in order.",
        help "请重新取得清单;仍如此则联系交易中心。", "Fetch them again; if it stays so, call the trading centre.";
    /// A line is not proven.
    LINE_UNPROVEN, "line-unproven", "清单中有一行没有有效的知识证明。", "A line of the snapshot lacks a valid proof.",
        help "请不要继续:这可能是为了套取别人的标书。通知其他保管人和监管部门。",
        "Do not go on: that line may be made to open somebody else's bid. Tell the other custodians and the supervisors.";
    /// The log does not have it.
    SNAPSHOT_NOT_IN_LOG, "snapshot-not-in-log", "日志中的记录不是这份清单。", "What is in the log is not this snapshot.",
        help "请不要继续,保存屏幕内容,通知其他保管人和监管部门。", "Do not go on; keep what is on the screen, and tell the other custodians and the supervisors.";
    /// The log does not have it yet.
    SNAPSHOT_NOT_YET_IN_LOG, "snapshot-not-yet-in-log", "清单还没有进入公开日志。", "The snapshot is not in the public log yet.",
        help "请过一分钟再试,或使用 `--wait`。", "Try again in a minute, or use `--wait`.";
    /// There is no snapshot yet.
    NO_SNAPSHOT, "no-snapshot", "平台还没有给出开标清单。", "The platform shows no snapshot yet.",
        help "请稍后再试,或使用 `--wait`。", "Try again later, or use `--wait`.";
    /// Another was answered before.
    SECOND_SNAPSHOT, "second-snapshot", "您已对该密钥集的另一份清单作过答复。", "You have answered another snapshot of this key set before.",
        help "请停止操作:一个密钥集只有一份清单。两份清单都已保存,请交给监管部门。",
        "Stop: one key set has one snapshot. Both are kept; hand them to the supervisors.";
    /// The file may have forgotten an answer.
    RESTORED_AFTER_OPENING, "restored-after-opening", "本文件在开标时间之后由副本恢复,可能缺少已作答复的记录。",
        "This file was put back from a copy after the opening time; it may not know of an answer that you gave.",
        help "若确定没有用丢失的文件答复过,请加 `--not-answered` 再运行;否则不要继续。",
        "If you are certain that nothing was answered from the lost file, repeat with `--not-answered`; otherwise do not go on.";
    /// A backup does not open.
    BACKUP_WRONG, "backup-wrong", "平台上的备份打不开,或不是您的份额。", "The backup on the platform does not open, or is not your share.",
        help "请用您自己的副本;没有副本时与其他成员一起修复。", "Use a copy of your own; without one, repair the share with the other members.";
    /// A file is of another repair.
    REPAIR_OF_ANOTHER, "repair-of-another", "文件属于别的密钥集、别的成员、别的协助人组合,或更早的一次修复。",
        "A file is of another key set, another member, other helpers, or an earlier repair.",
        help "请把它移出目录,并向该成员要这次修复的文件。协助人必须正好是 k 位其他成员。",
        "Move it out of the directory, and ask that member for its file of this repair. Helpers are exactly k other members.";
    /// This custodian does not help.
    REPAIR_NOT_ASKED, "repair-not-asked", "该修复没有请您协助,或不是由本文件发起。",
        "This repair does not ask for your help, or was not begun with this file.",
        help "请向发起人确认由哪几位成员协助。", "Ask whoever began it which members are to help.";
    /// A member's file is there twice.
    REPAIR_FILE_TWICE, "repair-file-twice", "同一成员的文件出现了两次。", "A member's file is there twice.",
        help "内容相同时删去一份;不同时不要继续:两份都有该成员的签名,请打电话问清。",
        "If both are the same, remove one; if they differ, do not go on: both bear that member's signature, so call and ask.";
    /// A helper's value is wrong.
    REPAIR_WRONG_VALUE, "repair-wrong-value", "一位协助人的文件中的数值不正确。", "A value in the file of a helper is wrong.",
        help "请不要继续,保存该文件;告诉其他成员是哪一份,换一位协助人重新开始。",
        "Do not go on, and keep that file; tell the others which one it is, and begin anew with another helper.";
    /// There is no share to be repaired.
    REPAIR_NOT_NEEDED, "repair-not-needed", "本文件中已有该份额,无需修复。", "The share is in this file; there is nothing to repair.",
        help "用 `status` 查看;若份额不能用,请先用 `restore` 换一份没有它的副本。",
        "Look with `status`; to repair it all the same, first put back a copy without it by `restore`.";
    /// The system gives no random numbers.
    NO_RANDOM, "no-random-numbers", "系统无法提供随机数。", "The system gives no random numbers.",
        help "请换一台电脑。", "Use another machine.";
    /// A file is not what it should be.
    FILE_INVALID, "file-invalid", "文件内容不合要求。", "A file is not what it should be.",
        help "请检查目录和文件名,见 docs/custodians.md。", "Check the directory and the names, see docs/custodians.md.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_is_named_once_and_explained_in_the_handbook() {
        let handbook = include_str!("../../../docs/custodians.md");
        let mut seen = std::collections::BTreeSet::new();
        for kind in ALL {
            assert!(seen.insert(kind.code), "{} twice", kind.code);
            assert!(handbook.contains(&format!("`{}`", kind.code)), "the handbook does not name {}", kind.code);
            assert!(kind.what.zh.ends_with('。') && kind.help.en.ends_with(|c: char| c.is_ascii_punctuation()));
        }
    }

    #[test]
    fn a_refusal_speaks_both_languages_and_says_what_to_do() {
        let said = TOO_EARLY.because("2026-12-01T01:00:00.000Z").to_string();
        for text in ["too-early", TOO_EARLY.what.zh, TOO_EARLY.help.en, "[2026-12-01T01:00:00.000Z]"] {
            assert!(said.contains(text), "{said}");
        }
    }
}
