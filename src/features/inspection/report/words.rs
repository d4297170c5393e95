//! What the kinds of entries are called, and the line that most of them read as.

use serde_json::Value;

use super::Said;
use super::facts::{Facts, Names};
use crate::features::inspection::model::EntryView;
use crate::kernel::text::{Bilingual, Phrase};

const fn words(kind: &'static str, zh: &'static str, en: &'static str) -> (&'static str, Phrase) {
    (kind, Phrase::new(zh, en))
}

const WORDS: &[(&str, Phrase)] = &[
    words("access.denied", "访问被拒绝", "access was denied"),
    words("bid.confirmed", "确认投标", "bid confirmed"),
    words("bid.refused", "投标被拒收", "bid refused"),
    words("bid.replaced", "替换投标", "bid replaced"),
    words("bid.submitted", "提交投标", "bid submitted"),
    words("bid.withdrawn", "撤回投标", "bid withdrawn"),
    words("break_glass.agreed", "第二人同意开标前应急查阅", "a second inspector agreed to a look before the opening"),
    words("break_glass.asked", "申请开标前应急查阅", "a look before the opening was asked for"),
    words("break_glass.looked", "开标前应急查阅密封记录", "sealed entries were looked at before the opening"),
    words("break_glass.withdrawn", "撤回开标前应急查阅", "a look before the opening was withdrawn"),
    words("calendar.imported", "导入节假日", "holidays imported"),
    words("envelope.unsealed", "系统解密信封", "the platform unsealed an envelope"),
    words("inspection.looked", "监督人员查阅记录", "an inspector looked at the record"),
    words("key.used", "使用平台私钥", "the platform key was used"),
    words("key_set.created", "生成密钥", "the key set was made"),
    words("key_set.erased", "销毁私钥", "the private key was erased"),
    words("key_sets.rewrapped", "更换密钥加密密钥", "private keys were wrapped anew"),
    words("lot.amended", "变更披露", "the disclosure was amended"),
    words("lot.clarified", "发布澄清", "a clarification was published"),
    words("lot.closed", "关闭投标", "bidding was closed"),
    words("lot.extended", "延长截止时间", "the deadline was extended"),
    words("lot.held", "中止", "the lot was put on hold"),
    words("lot.opened", "开标完成", "the opening was finished"),
    words("lot.opening_begun", "开始开标", "the opening began"),
    words("lot.published", "发布公告", "the notice was published"),
    words("lot.released", "解除中止", "the hold was released"),
    words("lot.terminated", "终止", "the lot was terminated"),
    words("lot.unsuccessful", "流标", "the lot was unsuccessful"),
    words("mandate.ended", "终止监督授权", "a mandate was ended"),
    words("mandate.granted", "授予监督授权", "a mandate was granted"),
    words("opening.begun", "开标会开始", "the opening session began"),
    words("opening.read_out", "唱标", "the bids were read out"),
    words("payload.damaged", "平台存储的文件损坏", "a stored file was found damaged"),
    words("payload.read", "投标人下载其密文", "a bidder downloaded its own ciphertext"),
    words("payload.restored", "损坏的文件已恢复", "a damaged file was restored"),
    words("personal.erased", "删除个人信息", "personal parts of entries were erased"),
    words("personal.erasure_ended", "个人信息删除完成", "an erasure of personal parts was finished"),
    words("platform.clock", "时钟异常", "a clock was off"),
    words("platform.configured", "配置变更", "the configuration changed"),
    words("platform.outage", "服务中断", "the platform was not ready"),
    words("platform.started", "服务启动", "a server started"),
    words("platform.stopped", "服务停止", "a server stopped"),
    words("reserve.opened", "底价开启", "the reserve price was opened"),
    words("reserve.read", "查看尚未公开的底价", "somebody was shown the reserve price before it was public"),
    words("reserve.sealed", "提交密封底价", "the reserve price was sealed"),
    words("session.ended", "工作人员退出登录", "staff signed out"),
    words("session.refused", "工作人员账号登录失败", "a sign-in with a login of staff failed"),
    words("session.started", "工作人员登录", "staff signed in"),
    words("user.created", "创建账号", "an account was made"),
    words("user.disabled", "停用账号", "an account was disabled"),
    words("user.enabled", "启用账号", "an account was enabled"),
    words("user.password_reset_issued", "发出密码重置令牌", "a password token was made"),
    words("user.password_set", "设置密码", "a password was set"),
    words("user.roles_set", "变更角色", "roles were set"),
];

/// What a kind is called.
pub fn of(kind: &str) -> Option<Phrase> {
    WORDS.iter().find(|(known, _)| *known == kind).map(|(_, words)| *words)
}

/// Who acted, as a report names it: login, organisation and role.
pub fn who(names: &Names, entry: &EntryView) -> String {
    let role = entry.public["role"].as_str().unwrap_or("-");
    let user = entry.actor_id.as_deref().map(|id| names.of(id));
    let org = entry.org_id.as_deref().map(|id| names.of(id));
    [user, org, Some(role)].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// What happened, who did it, and what the entry says besides.
pub fn plain(_: &Facts, names: &Names, entry: &EntryView) -> Option<Said> {
    let words = of(&entry.kind)?;
    let mut said = Said::default();
    let mut more = String::new();
    for (key, value) in data(&entry.public).chain(data(&entry.restricted)) {
        if value.is_null() || key == "row" {
            continue;
        }
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        more.push_str(&format!("; {key}: {text}"));
        said.facts.insert(key.clone(), value.clone());
    }
    let who = who(names, entry);
    let text = Bilingual::new(format!("{}({who}){more}", words.zh), format!("{} ({who}){more}", words.en));
    said.text = (text.zh, text.en);
    Some(said)
}

fn data(part: &Value) -> impl Iterator<Item = (&String, &Value)> {
    part["data"].as_object().into_iter().flatten()
}
