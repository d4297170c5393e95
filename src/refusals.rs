//! Refusals that come from no article of law: how requests must look, who may ask, what exists.
//!
//! Refusals of rules are made in `rules`, next to the guard that refuses.

use crate::instance::Unready;
use crate::kernel::text::Bilingual;
use crate::kernel::time::Timestamp;
use crate::rules::catalogue::EB_05;
use crate::rules::refusal::{Finding, Obstacle, Refusal, Retry};

/// A refusal without a rule.
pub fn plain(code: &'static str, detail: Bilingual, hint: Bilingual, retry: Retry) -> Refusal {
    Refusal { code, obstacle: Obstacle::Content, rule: None, detail, hint, possible_at: None, retry }
}

macro_rules! plain {
    ($(#[$doc:meta])* $name:ident, $code:literal, $retry:ident, $zh:literal, $en:literal, hint $hint_zh:literal, $hint_en:literal) => {
        $(#[$doc])*
        pub fn $name() -> Refusal {
            plain($code, Bilingual::new($zh, $en), Bilingual::new($hint_zh, $hint_en), Retry::$retry)
        }
    };
}

plain!(/// Nobody is signed in, or the token is not valid.
    not_signed_in, "not-signed-in", AfterChange,
    "请先登录。", "You are not signed in, or the access token is not valid.",
    hint "请用 POST /v1/sessions 登录,并在 Authorization 头中以 Bearer 发送访问令牌。",
    "Sign in with POST /v1/sessions and send the access token as a Bearer token in the Authorization header.");
plain!(/// The token was valid once.
    token_expired, "token-expired", AfterChange,
    "访问令牌已过期。", "The access token has expired.",
    hint "请用刷新令牌换取新的访问令牌。", "Get a new one with POST /v1/sessions/refresh.");
plain!(/// Login and password do not fit, or the account is not active; deliberately the same answer.
    login_failed, "login-failed", AfterChange,
    "账号或密码不正确,或账号尚未启用。", "The login or the password is wrong, or the account is not active.",
    hint "请检查输入;如忘记密码,请联系管理员。", "Check both; if the password is lost ask an administrator for a reset token.");
plain!(/// A refresh token that is unknown, ended, or was used again too late.
    session_ended, "session-ended", AfterChange,
    "会话已结束。", "The session has ended.", hint "请重新登录。", "Sign in again.");
plain!(/// The role may not do this.
    role_forbidden, "role-forbidden", Never,
    "您的角色无权执行此操作。", "Your role may not do this.",
    hint "各角色的权限见 permissions.md。", "See permissions.md for what each role may do.");
plain!(/// An act that decides who may act, asked for by software.
    person_needed, "person-needed", Never,
    "此操作须由人员登录后办理,软件不能代办。", "This is done by a person who signs in, not by software.",
    hint "请以用户账号登录后办理。", "Sign in as a user of your organisation.");
plain!(/// A grant that the token endpoint does not know.
    grant_type_unsupported, "grant-type-unsupported", AfterChange,
    "仅支持 client_credentials 授权。", "The one grant here is client_credentials.",
    hint "人员请用 POST /v1/sessions 登录。", "People sign in with POST /v1/sessions.");
plain!(/// A scope with a role that the client does not have.
    scope_invalid, "scope-invalid", AfterChange,
    "scope 含有该客户端没有的角色。", "The scope names a role that the client does not have.",
    hint "请省略 scope,或只列出该客户端的角色。", "Leave scope out, or name roles of the client only.");

/// A token request that is none.
pub fn token_request_invalid(what: &str) -> Refusal {
    plain(
        "token-request-invalid",
        Bilingual::new(
            format!("令牌请求无效:{what}"),
            format!("The token request does not say what is needed: {what}"),
        ),
        Bilingual::new(
            "请按 RFC 6749 第 4.4 节与 RFC 7523 第 2.2 节以表单发送。",
            "Send a form as RFC 6749 section 4.4 and RFC 7523 section 2.2 say.",
        ),
        Retry::AfterChange,
    )
}

/// An assertion that does not hold.
pub fn client_assertion_invalid(why: &str) -> Refusal {
    plain(
        "client-assertion-invalid",
        Bilingual::new(format!("客户端断言无效:{why}"), format!("The client assertion does not hold: {why}.")),
        Bilingual::new(
            "每次请求都应生成新的断言:新的 jti,有效期不超过 5 分钟。",
            "Make a new assertion for each request: a new jti, and an end at most 5 minutes away.",
        ),
        Retry::AfterChange,
    )
}

plain!(/// Nothing here, or nothing that the caller may know of.
    not_found, "not-found", Never,
    "未找到。", "There is nothing here, or nothing that you may see.", hint "请检查地址。", "Check the address.");
plain!(/// The route exists, but not with this method.
    method_not_allowed, "method-not-allowed", Never,
    "该地址不支持此方法。", "This address does not take this method.", hint "请查阅接口说明。", "See the API description at /docs/.");
plain!(/// A POST that acts, without its key.
    idempotency_key_missing, "idempotency-key-missing", AfterChange,
    "缺少 Idempotency-Key 头。", "The Idempotency-Key header is missing or not 1 to 128 visible ASCII characters.",
    hint "请为每个动作选择一个新的键;重试时使用同一个键。", "Choose a new key for each act, and the same key when you repeat it.");
plain!(/// An edit that does not say which version it edits.
    if_match_missing, "if-match-missing", AfterChange,
    "缺少 If-Match 头。", "The If-Match header with the ETag that you saw is missing.",
    hint "请先读取资源,再以其 ETag 提交修改。", "Read the resource first and send its ETag.");
plain!(/// Somebody else changed it meanwhile.
    version_stale, "version-stale", AfterChange,
    "资源已被他人修改。", "Somebody changed it since you read it.",
    hint "请重新读取后再提交。", "Read it again, then decide again.");
plain!(/// A look at the record that does not say what it is for.
    matter_number_missing, "matter-number-missing", AfterChange,
    "缺少案号,或案号不是 1 至 64 个字符。", "The matter number is missing, or is not 1 to 64 characters.",
    hint "请在请求参数 matter 中写明案卷编号,例如 ?matter=JD-2026-012;每次查阅都会连同案号记入日志。",
    "Name the number of the case file in the parameter `matter`, such as ?matter=JD-2026-012; it goes on record with the look.");
plain!(/// An inspector without a mandate for what it looks for.
    mandate_missing, "mandate-missing", AfterChange,
    "您在该案号下没有有效的监督授权。", "You have no mandate in force under this matter number.",
    hint "GET /v1/inspection/mandates 列出您的授权及其案号和期限;如需授权,请联系管理员。",
    "GET /v1/inspection/mandates lists your mandates with their matter numbers and times; ask an administrator for one.");
plain!(/// A reserve price that was looked at often enough for this hour.
    reserve_read_too_often, "rate-limited", SameRequest,
    "本小时内查看该底价的次数已达上限。", "You looked at this reserve price as often as you may in an hour.",
    hint "请在下一小时再试;每次查看都有记录。", "Try again in the next hour; each look is on record.");
plain!(/// Who grants mandates does not inspect under them.
    mandate_for_oneself, "mandate-for-oneself", Never,
    "不得为自己授予监督授权。", "Nobody grants a mandate to himself.",
    hint "请由另一位管理员授予。", "Another administrator has to grant it.");
plain!(/// Enough mandates of one inspector in one matter.
    too_many_mandates, "too-many-mandates", AfterChange,
    "该监督人员在此案号下的有效授权已达上限。", "This inspector has as many mandates in this matter as may be in force.",
    hint "请先终止不再需要的授权,或授予覆盖全部标段的授权。", "End those that are not needed any more, or grant one that reaches all lots.");
plain!(/// Two persons break the glass, not one.
    second_person_needed, "second-person-needed", Never,
    "申请人不得同意自己的申请。", "Whoever asks for it cannot agree to it himself.",
    hint "请由本机构另一位在同一案号下有监督授权的人员同意。",
    "Another inspector of your body with a mandate in the same matter has to agree.");
plain!(/// A look before the opening that nobody agreed to, or whose time is over.
    break_glass_not_open, "break-glass-not-open", AfterChange,
    "该应急查阅未经同意、已撤回、已到期,或标段已开标。", "Nobody has agreed to this yet, it was withdrawn, its time is over, or the lot is opened.",
    hint "如尚未同意,请另一位监督人员同意;如已到期,请重新申请;开标后请用 GET /v1/inspection/entries。",
    "Let a second inspector agree, or ask anew if its time is over; after the opening use GET /v1/inspection/entries.");
plain!(/// A personal part of a lot that is under procedure.
    evidence_needed, "evidence-needed", AfterChange,
    "该记录属于尚未办结的标段,个人信息仍需作为证据。", "The entry belongs to a lot that is not settled, and is needed as evidence.",
    hint "请在标段完成、流标或终止后再试。", "Try again when the lot is concluded, unsuccessful or terminated.");
plain!(/// The body broke off.
    body_cut_off, "body-cut-off", SameRequest,
    "请求正文不完整。", "The body of the request broke off.", hint "请重新发送。", "Send it again.");
plain!(/// The body came too slowly.
    too_slow, "request-too-slow", SameRequest,
    "请求正文传输过慢。", "The body of the request came too slowly.", hint "请重新发送。", "Send it again.");
plain!(/// Too many requests.
    busy, "busy", SameRequest,
    "系统繁忙。", "Too much is waiting at this moment; nothing was lost and nothing was done.",
    hint "请按 Retry-After 稍后用同一请求重试。", "Repeat the same request after the time in Retry-After.");
plain!(/// An organisation sends more bodies at a time than it may.
    too_many_bodies, "bodies-in-flight", SameRequest,
    "贵单位正在同时传输的投标请求过多;本请求未被读取。", "Your organisation is sending too many bids to this server at the same moment; this one was not read.",
    hint "请等待正在传输的请求完成,再按 Retry-After 用同一请求重试。", "Wait until those on their way are in, then repeat the same request after the time in Retry-After.");
plain!(/// The server's clock cannot be relied upon.
    clock_off, "clock-off", SameRequest,
    "本服务器的时钟与标准时间相差过大,暂不接收投标;本请求未被处理。", "This server's clock is too far from the platform's time, so it takes no bids now; nothing was done.",
    hint "请按 Retry-After 用同一请求重试;其他服务器可能正常。", "Repeat the same request after the time in Retry-After; another server may take it.");
plain!(/// The database or a file system is away.
    unavailable, "unavailable", SameRequest,
    "服务暂不可用。", "The service cannot reach its storage at this moment; nothing was done.",
    hint "请稍后用同一请求重试。", "Repeat the same request after the time in Retry-After.");
plain!(/// Something broke; never says what.
    internal, "internal-error", SameRequest,
    "系统内部错误。", "Something broke on our side; it is on our log under this request id.",
    hint "可用同一请求重试;若仍失败,请告知请求编号。", "Repeat the same request; if it fails again tell us the request id.");
/// More requests than the caller's budget has.
pub fn rate_limited(until: Timestamp) -> Refusal {
    let refusal = plain(
        "rate-limited",
        Bilingual::new(
            "请求过于频繁,额度暂时用完。",
            "There were too many requests; the budget is used up for the moment.",
        ),
        Bilingual::new(
            "请按 Retry-After 等待后用同一请求重试。上传和投标不受此限制。",
            "Wait as Retry-After says, then send the same request. Uploads and bids are not limited in this way.",
        ),
        Retry::SameRequest,
    );
    Refusal { possible_at: Some(until), ..refusal }
}

/// A login that has to wait, from where it was tried. Deliberately the same whether the login exists or not.
pub fn sign_in_paused(until: Timestamp) -> Refusal {
    let refusal = plain(
        "sign-in-paused",
        Bilingual::new(
            format!("从此网络以该账号登录连续失败,请于 {} 之后再试。账号本身未被锁定。", until.local()),
            format!(
                "Signing in with this login has failed several times from this network; try again after {}. The account itself is not locked.",
                until.local()
            ),
        ),
        Bilingual::new(
            "如忘记密码,请联系管理员重置;也可从其他网络登录。",
            "If the password is lost ask an administrator for a reset token; signing in from another network is possible.",
        ),
        Retry::SameRequest,
    );
    Refusal { possible_at: Some(until), ..refusal }
}

plain!(/// A cursor that is not ours.
    cursor_invalid, "cursor-invalid", AfterChange,
    "分页游标无效。", "The page cursor is not one of ours, or belongs to another list.",
    hint "请从第一页开始。", "Start from the first page.");

/// Why a server takes no bids now.
pub fn not_ready(why: Unready) -> Refusal {
    match why {
        Unready::Clock => clock_off(),
        Unready::Database => unavailable(),
        Unready::Stopping => busy(),
    }
}

/// A chunk of an upload that takes no more.
pub fn upload_stands() -> Refusal {
    state_forbids("该上传已完成,不能再修改。", "The upload is complete: its chunks do not change any more.")
}

/// The body is bigger than it may be.
pub fn too_large(limit: usize) -> Refusal {
    plain(
        "body-too-large",
        Bilingual::new(
            format!("请求正文超过 {limit} 字节。"),
            format!("The body of the request is larger than {limit} bytes."),
        ),
        Bilingual::new("请减小正文;大文件请分块上传。", "Make it smaller; big files go through an upload in chunks."),
        Retry::AfterChange,
    )
}

/// The body has another type than this route reads.
pub fn unsupported_media_type(expected: &str) -> Refusal {
    plain(
        "unsupported-media-type",
        Bilingual::new(
            format!("此接口要求 Content-Type 为 {expected}。"),
            format!("This route reads Content-Type {expected}."),
        ),
        Bilingual::new("请更正 Content-Type。", "Correct the Content-Type header."),
        Retry::AfterChange,
    )
}

/// The body is not JSON.
pub fn body_unreadable(what: &str) -> Refusal {
    plain(
        "body-unreadable",
        Bilingual::new(format!("正文不是有效的 JSON:{what}"), format!("The body is not valid JSON: {what}")),
        Bilingual::new("请检查 JSON 格式。", "Check the JSON."),
        Retry::AfterChange,
    )
}

/// The body is JSON, but does not say what is needed.
pub fn body_invalid(what: &str) -> Refusal {
    plain(
        "body-invalid",
        Bilingual::new(
            format!("请求内容不符合要求:{what}"),
            format!("The request does not say what is needed: {what}"),
        ),
        Bilingual::new("字段说明见接口文档。", "See the API description for the fields."),
        Retry::AfterChange,
    )
}

/// A state that forbids an act, where no article of law is concerned.
pub fn state_forbids(zh: &str, en: &str) -> Refusal {
    plain("state-forbids", Bilingual::new(zh, en), Bilingual::new("", ""), Retry::AfterChange)
}

/// A name that must be unique is taken.
pub fn taken(what_zh: &str, what_en: &str) -> Refusal {
    plain(
        "already-taken",
        Bilingual::new(format!("{what_zh}已被使用。"), format!("{what_en} is taken already.")),
        Bilingual::new("请另选一个。", "Choose another."),
        Retry::AfterChange,
    )
}

/// The identifier of an organisation belongs to an earlier registration.
pub fn identifier_claimed() -> Refusal {
    plain(
        "identifier-claimed",
        Bilingual::new(
            "该机构代码已由先前的登记使用;双方均已收到通知。",
            "This identifier belongs to an earlier registration; both sides were told of this attempt.",
        ),
        Bilingual::new(
            "如登记有误,请联系交易中心核实。",
            "If the earlier registration is not yours, ask the trading centre to look into it.",
        ),
        Retry::Never,
    )
}

/// The proof of possession of a signing key does not hold.
pub fn key_proof_invalid(why: &str) -> Refusal {
    plain(
        "key-proof-invalid",
        Bilingual::new(
            format!("签名公钥的持有证明无效:{why}"),
            format!("The proof that you hold the signing key is not valid: {why}"),
        ),
        Bilingual::new("请用 sealbid key proof 重新生成证明。", "Make the proof anew with `sealbid key proof`."),
        Retry::AfterChange,
    )
}

/// The draft of a ceremony is not in order.
pub fn ceremony_draft(why: &str) -> Refusal {
    plain(
        "ceremony-draft-invalid",
        Bilingual::new(
            format!("仪式草案不符合要求:{why}"),
            format!("The draft of the ceremony is not in order: {why}."),
        ),
        Bilingual::new(
            "请按 GET /v1/custodians 登记的保管人及标段信息重新起草并签名。",
            "Draft and sign it anew, with custodians as GET /v1/custodians shows them and with the lot's own ids.",
        ),
        Retry::AfterChange,
    )
}

/// A message of a ceremony is not right.
pub fn ceremony_message(why: &str) -> Refusal {
    plain(
        "ceremony-message-invalid",
        Bilingual::new(format!("仪式消息无效:{why}"), format!("The message of the ceremony is not right: {why}.")),
        Bilingual::new(
            "请用 sealbid custodian 重新取得仪式状态后再发送;若仍失败,请联系项目单位。",
            "Let `sealbid custodian` fetch the ceremony again and send once more; if it fails again tell the initiator.",
        ),
        Retry::AfterChange,
    )
}

/// A list of partial decryptions is not right.
pub fn partials_invalid(why: &str) -> Refusal {
    plain(
        "partials-invalid",
        Bilingual::new(format!("解密份额无效:{why}"), format!("The partial decryptions are not right: {why}.")),
        Bilingual::new(
            "本次份额均未采用;请重新取得开标清单并用自己的份额计算。",
            "None of this list was taken; fetch the snapshot again and compute them with your own share.",
        ),
        Retry::AfterChange,
    )
}

plain!(/// What custodians answer to is not in the public log yet.
    snapshot_not_ready, "snapshot-not-ready", SameRequest,
    "开标清单尚未载入公开日志,暂不接收解密份额。", "The snapshot of the box is not in the public log yet; no shares are taken.",
    hint "请稍候(通常几秒)后用同一请求重试。", "Repeat the same request in a few seconds.");
/// A bidder's share that comes after the custodians were asked for its key in escrow.
pub fn decryption_over() -> Refusal {
    Finding::new(
        Bilingual::new(
            "自行解密时限已过,已请保管人启封托管密钥(EB-05、EB-06)。",
            "The bidders' time to decrypt is over, and the custodians were asked for the keys in escrow (EB-05, EB-06).",
        ),
        Bilingual::new(
            "无需处理:托管密钥启封后,该投标照常开启。",
            "Nothing is to be done: with its key out of escrow the bid opens as it would have.",
        ),
    )
    .refuse("decryption-over", Obstacle::State, EB_05, Retry::Never)
}

plain!(/// The key that signed is not an active one of the organisation; whose it is is nobody's business.
    key_not_active, "signing-key-not-active", AfterChange,
    "签名公钥不是贵单位已登记的有效公钥。", "The key that signed is not an active signing key of your organisation.",
    hint "请先登记公钥(POST /v1/signing-keys),再重新签署。", "Register the key with POST /v1/signing-keys, or sign with one that is registered.");
plain!(/// The organisation was not confirmed by the centre.
    organisation_not_confirmed, "organisation-not-confirmed", AfterChange,
    "贵单位的登记尚未经交易中心确认。", "The trading centre has not confirmed your organisation.",
    hint "请等待交易中心确认登记。", "Wait until the trading centre confirms the registration.");
plain!(/// No such upload, or not one's own: deliberately the same answer.
    upload_not_found, "upload-not-found", AfterChange,
    "未找到该上传。", "There is no such upload of yours.",
    hint "请检查上传编号;过期且未使用的上传会被清除。", "Check the id; uploads that nothing uses are removed when they expire.");
plain!(/// The upload is not what the act says it is.
    upload_mismatch, "upload-mismatch", AfterChange,
    "上传内容与声明不符(用途、标段、大小或根哈希)。", "The upload is not what was declared: its purpose, lot, size or root differs.",
    hint "请核对用途、标段、大小和根哈希,必要时重新上传。", "Compare purpose, lot, size and root; upload anew where needed.");
plain!(/// The upload belongs to something else already.
    upload_attached_elsewhere, "upload-attached-elsewhere", AfterChange,
    "该上传已用于其他对象。", "The upload belongs to something else already.",
    hint "请重新上传。", "Upload it again.");
plain!(/// The organisation has uploaded as much as it may.
    upload_quota_exceeded, "upload-quota-exceeded", AfterChange,
    "贵单位的上传总量已达上限。", "Your organisation has uploaded as much as it may.",
    hint "未使用的上传过期后会释放额度;请合并或缩小文件。", "What is not used is freed when it expires; make the files fewer or smaller.");
plain!(/// No room on the disk.
    storage_full, "storage-full", SameRequest,
    "存储空间不足。", "There is no room to store this at the moment; what was stored before is safe.",
    hint "请稍后用同一请求重试;管理人员已可在日志中看到。", "Repeat the same request later; the operator sees it on the log.");
plain!(/// The public log stands still.
    log_halted, "log-halted", SameRequest,
    "公开审计日志已停,平台暂不受理须记录的操作;已受理的均安全。", "The public log stands still, and nothing that must be on record is accepted; what was accepted before is safe.",
    hint "请稍后用同一请求重试;管理人员已收到警报。", "Repeat the same request later; the operator has the alarm.");
plain!(/// A chunk without the digest by which damage on the way is noticed.
    content_digest_missing, "content-digest-missing", AfterChange,
    "缺少 Content-Digest 头(sha-256)。", "The Content-Digest header with sha-256 is missing or cannot be read.",
    hint "请按 RFC 9530 发送,例如 Content-Digest: sha-256=:<base64>:。", "Send it as RFC 9530 says: Content-Digest: sha-256=:<base64>:.");
plain!(/// A chunk that was damaged on the way.
    content_digest_mismatch, "content-digest-mismatch", SameRequest,
    "内容与 Content-Digest 不符。", "The body is not what Content-Digest says.",
    hint "请重新发送该分块。", "Send the chunk again.");

plain!(/// What was sent for a damaged upload is not what was uploaded.
    not_as_declared, "not-as-declared", AfterChange,
    "内容与原上传的根哈希不符,未作任何更改。", "This is not what the root of the upload covers; nothing was changed.",
    hint "请原样重发当初上传的密文分块(或全部分块的叶哈希);不要重新加密。",
    "Send the chunk of the same ciphertext again (or the leaf hashes of all of its chunks); do not seal anew.");
plain!(/// A chunk of a damaged upload whose leaf hashes are lost too.
    leaves_needed, "leaves-needed", AfterChange,
    "该上传的叶哈希也已丢失,无法核对分块。", "The leaf hashes of this upload are lost too, so that no chunk can be compared.",
    hint "请先用 PUT /v1/uploads/{upload}/leaves 发送全部叶哈希,再补传分块。",
    "Send all leaf hashes with PUT /v1/uploads/{upload}/leaves first, then the chunks that the answer names.");
plain!(/// Damage in the platform's storage is attributed to the bidder.
    damage_not_the_bidders, "damage-not-the-bidders", AfterChange,
    "密文在平台存储中损坏,不得认定为投标人原因。", "The ciphertext was damaged in the platform's storage: that is not the bidder's fault.",
    hint "请认定为平台原因,或其他应当负责的一方。", "Attribute it to the platform, or to whoever else caused it.");

/// Chunks of an upload are missing; `ranges` names them where they are known.
pub fn upload_incomplete(ranges: &str) -> Refusal {
    let (zh, en) = if ranges.is_empty() {
        (String::new(), String::new())
    } else {
        (format!(",缺少分块 {ranges}"), format!("; missing chunks: {ranges}"))
    };
    plain(
        "upload-incomplete",
        Bilingual::new(format!("上传尚未完成{zh}。"), format!("The upload is not complete{en}.")),
        Bilingual::new(
            "请补传缺少的分块(GET /v1/uploads/{upload} 可查询)并调用 complete,再用同一请求重试。",
            "Send what is missing (GET /v1/uploads/{upload} names it), complete the upload, then repeat the same request.",
        ),
        Retry::SameRequest,
    )
}

plain!(/// A bid that opened, or is not in this box, has no failure that somebody answers for.
    nothing_to_attribute, "nothing-to-attribute", Never,
    "该投标没有未解密的部分。", "No part of this bid failed to open.",
    hint "GET /v1/lots/{lot}/opening 列出待认定的投标。", "GET /v1/lots/{lot}/opening lists the bids that failed.");
plain!(/// Enough objections of one organisation on one lot.
    too_many_objections, "too-many-objections", Never,
    "贵单位对该标段提出的异议已达上限。", "Your organisation has raised as many objections to this lot as it may.",
    hint "请在已提出的异议中补充,或向监督部门投诉。", "Complain to the supervising authority instead.");
plain!(/// Only who has a bid in the box can object to the result.
    objector_without_bid, "objector-without-bid", Never,
    "只有投标人可以提出异议。", "Only who has a bid in the box can object.",
    hint "请通过投诉渠道反映。", "Use the channel for complaints.");
plain!(/// An objection that has its answer already, or needs none.
    nothing_to_answer, "nothing-to-answer", Never,
    "该异议无需答复。", "This objection has its answer already, or needs none.",
    hint "无需答复。", "Nothing has to be done.");
plain!(/// A bid that was not opened cannot be judged.
    bid_not_opened, "bid-not-opened", Never,
    "该投标未开启,不能评审。", "This bid was not opened; there is nothing to judge.",
    hint "只评审已开启的投标。", "Only opened bids are judged.");
plain!(/// A sealed payload that the rules had destroyed.
    payload_destroyed, "payload-destroyed", Never,
    "该密文从未开启,已按规则销毁。", "This payload was never opened and has been destroyed, as the rules say.",
    hint "信封头与回执仍然保存。", "The header and its receipt are still on record.");
plain!(/// A bid whose second envelope stayed sealed.
    second_envelope_sealed, "second-envelope-sealed", Never,
    "该投标未通过第一信封评审,其报价信封未开启,结论不再改变。",
    "This bid did not pass the first envelope; its price stays sealed, and the judgement stands.",
    hint "只评审报价已开启的投标。", "Judge the bids whose prices were opened.");
plain!(/// A rejection that is a comparison of two amounts is computed, not judged.
    rejection_is_computed, "rejection-is-computed", AfterChange,
    "高于最高限价、低于底价或低于挂牌价由平台比较得出,不由人工认定。",
    "Above the ceiling, below the reserve or below the asking price is computed by the platform and not judged.",
    hint "请认定为响应;平台会自动比较金额。", "Judge the bid responsive; the platform compares the amounts by itself.");
plain!(/// The award names a bid that has no place in the ranking.
    bid_not_ranked, "bid-not-ranked", AfterChange,
    "该投标不在排名之中。", "This bid has no place in the ranking.",
    hint "请从排名中选择。", "Choose from the ranking.");
plain!(/// Prices cannot be compared yet.
    prices_not_comparable, "prices-not-comparable", AfterChange,
    "有报价的币种与评审币种不同且没有评审价。", "A bid is in another currency than the evaluation and has no evaluated price.",
    hint "请先给出评审价及理由。", "Give it an evaluated price first, with a reason.");
