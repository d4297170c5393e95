//! Every error code: its status and title. A code that is used and not listed here fails a test.

use std::collections::BTreeMap;

use super::problem::Code;
use crate::kernel::text::{Bilingual, Phrase};
use crate::rules::catalogue::RuleId;
use crate::rules::codes::rule_codes;

const fn code(code: &'static str, status: u16, zh: &'static str, en: &'static str) -> Code {
    Code { code, status, title: Phrase::new(zh, en) }
}

/// All codes, by status.
pub const CODES: &[Code] = &[
    code("body-unreadable", 400, "无法读取请求", "The request cannot be read"),
    code("body-cut-off", 400, "请求不完整", "The request broke off"),
    code("idempotency-key-missing", 400, "缺少幂等键", "Idempotency-Key missing"),
    code("matter-number-missing", 400, "缺少案号", "Matter number missing"),
    code("cursor-invalid", 400, "分页游标无效", "Page cursor not valid"),
    code("content-digest-missing", 400, "缺少 Content-Digest", "Content-Digest missing"),
    code("content-digest-mismatch", 400, "内容摘要不符", "Content-Digest does not fit"),
    code("token-request-invalid", 400, "令牌请求无效", "Not a token request"),
    code("grant-type-unsupported", 400, "授权类型不支持", "Grant not supported"),
    code("scope-invalid", 400, "范围无效", "Scope not valid"),
    code("not-signed-in", 401, "未登录", "Not signed in"),
    code("token-expired", 401, "令牌已过期", "Token expired"),
    code("login-failed", 401, "登录失败", "Login failed"),
    code("session-ended", 401, "会话已结束", "Session ended"),
    code("client-assertion-invalid", 401, "客户端断言无效", "Client assertion not valid"),
    code("person-needed", 403, "须由人员办理", "For people only"),
    code("role-forbidden", 403, "无权操作", "Not for your role"),
    code("mandate-missing", 403, "无有效监督授权", "No mandate in force"),
    code("not-found", 404, "未找到", "Not found"),
    code("upload-not-found", 404, "未找到上传", "No such upload"),
    code("method-not-allowed", 405, "方法不支持", "Method not allowed"),
    code("request-too-slow", 408, "请求过慢", "Request too slow"),
    code("snapshot-not-ready", 409, "开标清单未就绪", "Snapshot not ready"),
    code("state-forbids", 409, "当前状态不允许", "The state forbids it"),
    code("already-taken", 409, "已被使用", "Taken already"),
    code("identifier-claimed", 409, "机构代码已登记", "Identifier claimed"),
    code("organisation-not-confirmed", 409, "机构未确认", "Organisation not confirmed"),
    code("upload-incomplete", 409, "上传未完成", "Upload not complete"),
    code("leaves-needed", 409, "缺少叶哈希", "Leaf hashes needed first"),
    code("damage-not-the-bidders", 409, "损坏非投标人原因", "Damage in storage is not the bidder's"),
    code("upload-attached-elsewhere", 409, "上传已被使用", "Upload used elsewhere"),
    code("upload-quota-exceeded", 409, "上传超出额度", "Upload quota exceeded"),
    code("idempotency-key-reused", 409, "幂等键重复使用", "Idempotency-Key used twice"),
    code("bid-rev-stale", 409, "版本号已过时", "Revision not higher"),
    code("bid-versions-exhausted", 409, "版本数已达上限", "Too many versions"),
    code("reserve-not-announced", 409, "未公告设有底价", "No reserve price announced"),
    code("reserve-not-possible", 409, "不在底价提交期间", "No reserve price now"),
    code("nothing-to-attribute", 409, "没有可认定的失败", "Nothing to attribute"),
    code("too-many-objections", 409, "异议过多", "Too many objections"),
    code("objector-without-bid", 409, "没有投标", "No bid in the box"),
    code("nothing-to-answer", 409, "无需答复", "Nothing to answer"),
    code("mandate-for-oneself", 409, "不得为自己授权", "A mandate to oneself"),
    code("too-many-mandates", 409, "授权过多", "Too many mandates"),
    code("second-person-needed", 409, "须由另一人同意", "Another person has to agree"),
    code("break-glass-not-open", 409, "应急查阅未生效", "The glass is not broken"),
    code("evidence-needed", 409, "仍需作为证据", "Still needed as evidence"),
    code("bid-not-opened", 409, "投标未开启", "Bid not opened"),
    code("payload-destroyed", 410, "密文已销毁", "Payload destroyed"),
    code("decryption-over", 409, "自行解密时限已过", "Time to decrypt is over"),
    code("second-envelope-sealed", 409, "报价信封未开启", "Second envelope sealed"),
    code("version-stale", 412, "版本已过期", "Changed meanwhile"),
    code("body-too-large", 413, "请求过大", "Request too large"),
    code("unsupported-media-type", 415, "类型不支持", "Media type not supported"),
    code("body-invalid", 422, "内容不符合要求", "The request is not valid"),
    code("upload-mismatch", 422, "上传与声明不符", "Upload not as declared"),
    code("not-as-declared", 422, "与原上传不符", "Not what was uploaded"),
    code("key-proof-invalid", 422, "公钥持有证明无效", "Key proof not valid"),
    code("ceremony-draft-invalid", 422, "仪式草案无效", "Draft of a ceremony not in order"),
    code("ceremony-message-invalid", 422, "仪式消息无效", "Message of a ceremony not right"),
    code("partials-invalid", 422, "解密份额无效", "Partial decryptions not right"),
    code("envelope-malformed", 422, "信封格式不符", "Envelope malformed"),
    code("envelope-parts-wrong", 422, "信封组成不符", "Wrong parts"),
    code("first-envelope-missing", 422, "缺少第一信封", "First envelope missing"),
    code("second-key-missing", 422, "缺少第二个密钥", "Key of the second round missing"),
    code("own-key-repeated", 422, "两轮密钥相同", "One key for both rounds"),
    code("escrow-missing", 422, "缺少托管密钥", "Key in escrow missing"),
    code("escrow-not-asked", 422, "不设密钥托管", "No escrow asked for"),
    code("envelopes-disagree", 422, "信封不一致", "Envelopes disagree"),
    code("envelope-not-yours", 422, "信封不属于贵单位", "Envelope of another bidder"),
    code("envelope-foreign-lot", 422, "信封属于其他标段", "Envelope for another lot"),
    code("envelope-signature-invalid", 422, "信封签名无效", "Envelope signature not valid"),
    code("envelope-proof-invalid", 422, "信封持有证明无效", "Envelope proof not valid"),
    code("key-set-mismatch", 422, "与密钥集不符", "Not sealed to the key set"),
    code("enc-reused", 422, "一次性公钥重复使用", "Ephemeral key used before"),
    code("signing-key-not-active", 422, "签名公钥无效", "Signing key not active"),
    code("withdrawal-malformed", 422, "撤回声明格式不符", "Withdrawal malformed"),
    code("withdrawal-not-yours", 422, "撤回声明不符", "Withdrawal of another bid"),
    code("withdrawal-signature-invalid", 422, "撤回声明签名无效", "Withdrawal signature not valid"),
    code("rejection-is-computed", 422, "该否决由平台比较得出", "This rejection is computed"),
    code("bid-not-ranked", 422, "不在排名之中", "Not in the ranking"),
    code("prices-not-comparable", 422, "报价不可比较", "Prices not comparable"),
    code("if-match-missing", 428, "缺少 If-Match", "If-Match missing"),
    code("rate-limited", 429, "请求过于频繁", "Too many requests"),
    code("sign-in-paused", 429, "登录暂停", "Sign-in paused"),
    code("internal-error", 500, "系统内部错误", "Internal error"),
    code("bodies-in-flight", 429, "同时传输过多", "Too many bodies at a time"),
    code("clock-off", 503, "服务器时钟不准", "The server's clock is off"),
    code("busy", 503, "系统繁忙", "Busy"),
    code("storage-full", 503, "存储空间不足", "No room to store"),
    code("log-halted", 503, "公开日志已停", "The public log stands still"),
    code("unavailable", 503, "服务暂不可用", "Unavailable"),
];

/// What a code means, whether it comes from a rule or not: its status and what is said about it.
pub struct Meaning {
    /// HTTP status.
    pub status: u16,
    /// A few words; for a rule's code the conditions that it stands for.
    pub title: Bilingual,
    /// The rules that refuse with it.
    pub rules: Vec<RuleId>,
}

/// Every code with its meaning, by code.
pub fn meanings() -> BTreeMap<&'static str, Meaning> {
    let mut all: BTreeMap<&'static str, Meaning> = BTreeMap::new();
    for (code, of_rule) in rule_codes() {
        let words = |pick: fn(&Phrase) -> &'static str| of_rule.says.iter().map(pick).collect::<Vec<_>>();
        let title = Bilingual::new(
            format!("未满足：{}", words(|says| says.zh).join("；")),
            format!("Not met: {}", words(|says| says.en).join("; ")),
        );
        all.insert(code, Meaning { status: super::problem::status_of(of_rule.obstacle), title, rules: of_rule.rules });
    }
    for row in CODES {
        let rules = all.remove(row.code).map(|meaning| meaning.rules).unwrap_or_default();
        all.insert(row.code, Meaning { status: row.status, title: row.title.into(), rules });
    }
    all
}

/// `api-spec/problems.md`.
pub fn problems_md() -> String {
    let mut out = String::from(
        "# Problems\n\nDerived from the code. Codes never change with the language.\n\n\
         | code | status | what | 说明 | rules |\n| --- | --- | --- | --- | --- |\n",
    );
    let meanings = meanings();
    let mut rows: Vec<(&&str, &Meaning)> = meanings.iter().collect();
    rows.sort_by_key(|(code, meaning)| (meaning.status, **code));
    for (code, meaning) in rows {
        let rules: Vec<&str> = meaning.rules.iter().map(|rule| rule.as_str()).collect();
        out.push_str(&format!(
            "| `{code}` | {} | {} | {} | {} |\n",
            meaning.status,
            meaning.title.en,
            meaning.title.zh,
            rules.join(", ")
        ));
    }
    out
}
