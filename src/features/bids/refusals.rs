//! Refusals that only bids know. None of them is put on record: they say how a header must look, not what a rule of the
//! procedure says.

use crate::kernel::text::Bilingual;
pub(super) use crate::refusals::key_not_active;
use crate::refusals::plain;
use crate::rules::catalogue::EB_06;
use crate::rules::refusal::{Refusal, Retry};
use crate::seal::error::FormError;

macro_rules! fixed {
    ($(#[$doc:meta])* $name:ident, $code:literal, $retry:ident, $zh:literal, $en:literal, hint $hint_zh:literal, $hint_en:literal) => {
        $(#[$doc])*
        pub(super) fn $name() -> Refusal {
            plain($code, Bilingual::new($zh, $en), Bilingual::new($hint_zh, $hint_en), Retry::$retry)
        }
    };
}

fixed!(/// The header names another bidder.
    envelope_not_yours, "envelope-not-yours", AfterChange,
    "信封所列投标人不是贵单位。", "The header names another bidder than your organisation.",
    hint "请以本单位的编号重新密封。", "Seal it anew under your organisation's id.");
fixed!(/// The header is for another lot.
    envelope_foreign_lot, "envelope-foreign-lot", AfterChange,
    "信封属于其他项目或标段。", "The header is for another project, lot or opening group.",
    hint "请核对项目、标段与开标组(均以密钥集为准)后重新密封。", "Take project, lot and group from the lot's key set and seal it anew.");
fixed!(/// Not one price envelope and at most one of documents.
    envelope_parts, "envelope-parts-wrong", AfterChange,
    "须恰有一个报价信封(price),可另有一个文件信封(documents),设有密钥托管的另有一个 escrow 信封,且不得有其他部分。",
    "A bid is exactly one `price` envelope, at most one `documents` envelope, and with an escrow one `escrow` envelope; a reserve price is one `reserve` envelope.",
    hint "请按此组成重新提交。", "Send exactly these parts.");
fixed!(/// A bid without its first envelope, where there are two.
    first_envelope_missing, "first-envelope-missing", AfterChange,
    "本标段采用双信封:除报价信封(price)外,必须有第一信封(documents)。",
    "This lot has two envelopes: beside the `price` envelope a bid has a `documents` envelope, which opens first.",
    hint "请同时提交两个信封,各自密封至其轮次的密钥集(round=first、second)。",
    "Send both, each sealed to the key set of its round (`round=first` and `round=second`).");
/// A bid without its key in escrow, where the notice asks for it.
pub(super) fn escrow_missing() -> Refusal {
    let detail = Bilingual::new(
        "本标段设有密钥托管(EB-06):除报价信封外,须另有一个 escrow 信封,内装本次投标的一次性私钥。",
        "This lot has an escrow of bidders' keys (EB-06): beside the other envelopes a bid has an `escrow` envelope with its one-time \
         private key.",
    );
    let hint = Bilingual::new(
        "请密封至 round=escrow 的密钥集,并与其他信封一并提交;sealbid seal 会自动完成。",
        "Seal it to the key set of `round=escrow` and send it with the others; `sealbid seal` does.",
    );
    Refusal { rule: Some(EB_06), ..plain("escrow-missing", detail, hint, Retry::AfterChange) }
}

/// A key in escrow that nobody asks for.
pub(super) fn escrow_not_asked() -> Refusal {
    let detail = Bilingual::new(
        "本标段不设密钥托管(EB-06),底价亦不托管:不得提交 escrow 信封。",
        "This lot has no escrow of bidders' keys (EB-06), and a reserve price has none: no `escrow` envelope is taken.",
    );
    let hint = Bilingual::new("请去掉该信封重新提交。", "Send the other envelopes alone.");
    Refusal { rule: Some(EB_06), ..plain("escrow-not-asked", detail, hint, Retry::AfterChange) }
}

fixed!(/// A bid without the key of its second envelope, where there are two under bidders' own keys.
    second_key_missing, "second-key-missing", AfterChange,
    "本标段采用双信封且由投标人持有密钥:报价所在的第二轮须有另一个一次性密钥集(组以 -price 结尾)。",
    "This lot has two envelopes under keys of the bidder's own: what opens in the second round needs a key set of its own, for the group \
     that ends in `-price`.",
    hint "请生成第二个密钥,投标时放入 second_key_set(底价放入 key_set);sealbid seal 会自动完成。",
    "Make a second key and send its key set as `second_key_set` (of a reserve price as `key_set`); `sealbid seal` does.");
fixed!(/// One key for both rounds.
    own_key_repeated, "own-key-repeated", AfterChange,
    "两个信封使用了同一个密钥:持有该密钥即可同时打开两者。",
    "Both envelopes are under one key: whoever opens the one could open the other.",
    hint "请为每一轮各生成一个一次性密钥,并以其重新密封。", "Make a one-time key for each round and seal anew.");
fixed!(/// The envelopes of one bid do not belong together.
    envelopes_disagree, "envelopes-disagree", AfterChange,
    "各信封的 rev 或 doc_rev 不一致。", "The envelopes of one bid must name the same rev and the same doc_rev.",
    hint "请以相同的 rev 和 doc_rev 重新签署全部信封。", "Sign all of them with the same rev and doc_rev.");
fixed!(/// A header that is not newer than what is on record.
    rev_stale, "bid-rev-stale", AfterChange,
    "信封的 rev 不大于已记录的最后一版。", "The header's rev is not higher than that of the last version on record.",
    hint "请查询 GET /v1/lots/{lot}/bids/mine,以更高的 rev 重新签署。", "Read GET /v1/lots/{lot}/bids/mine and sign with a higher rev.");
fixed!(/// An ephemeral key that was used before.
    enc_reused, "enc-reused", AfterChange,
    "信封的一次性公钥(enc)已被使用过。", "The ephemeral key (enc) of an envelope was used before.",
    hint "请重新密封;每个信封须使用新的一次性密钥。", "Seal it anew: every envelope takes a fresh ephemeral key.");
fixed!(/// More versions than anybody needs.
    too_many_versions, "bid-versions-exhausted", Never,
    "该投标的版本数已达上限。", "This bid has as many versions as a bid may have.",
    hint "现行版本继续有效,仍可撤回(规则允许时)。", "The version in force stays valid; where the rules allow it can still be withdrawn.");
fixed!(/// A withdrawal of another bid or by another bidder.
    withdrawal_not_yours, "withdrawal-not-yours", AfterChange,
    "撤回声明所列的投标或投标人不符。", "The withdrawal names another bid or another bidder.",
    hint "请以该投标和本单位的编号重新签署。", "Sign one that names this bid and your organisation.");
fixed!(/// More refused attempts than are recorded.
    too_many_refusals, "rate-limited", Never,
    "本标段已为贵单位记录了上限次数的拒收。", "As many refusals of your organisation on this lot are on record as are recorded.",
    hint "此前的拒收回执仍然有效。", "The refusals on record stay valid; further ones are not recorded.");
fixed!(/// A payload that was downloaded often enough for this hour.
    too_many_reads, "rate-limited", SameRequest,
    "本小时内下载该内容的次数已达上限。", "This payload was downloaded as often as it may be in an hour.",
    hint "请在下一小时再试;已下载的密文不会变化。", "Try again in the next hour; the ciphertext that you have does not change.");
fixed!(/// A reserve price that the notice does not speak of.
    reserve_not_announced, "reserve-not-announced", Never,
    "公告未说明设有底价。", "The notice does not announce a reserve price.",
    hint "底价须在公告中说明。", "A reserve price has to be announced in the notice.");
fixed!(/// A reserve price outside its time.
    reserve_not_possible, "reserve-not-possible", Never,
    "底价须在公告发布后、投标截止之前密封提交。", "A reserve price is sealed after the notice and strictly before the deadline.",
    hint "请在该期间内提交。", "Send it within that time.");

/// The header does not have its form.
pub(super) fn malformed(code: &'static str, error: &FormError) -> Refusal {
    let reason = error.reason();
    plain(
        code,
        Bilingual::new(
            format!("签名对象格式不符:{reason}({error})"),
            format!("The signed object does not have its form: {reason} ({error})"),
        ),
        Bilingual::new(
            "格式说明见接口文档;可用 sealbid seal 生成。",
            "See the description of the format; `sealbid seal` makes it.",
        ),
        Retry::AfterChange,
    )
}

/// The signature does not fit.
pub(super) fn signature_invalid(code: &'static str) -> Refusal {
    plain(
        code,
        Bilingual::new("签名无效。", "The signature is not valid."),
        Bilingual::new(
            "请以已登记的公钥对应的私钥重新签署。",
            "Sign it anew with the private half of the registered key.",
        ),
        Retry::AfterChange,
    )
}

/// The header is not sealed to the lot's key set, or lacks a proof that the key set demands.
pub(super) fn seal_mismatch(error: &FormError) -> Refusal {
    let reason = error.reason();
    let code = match error {
        FormError::PokMissing(_) | FormError::PokInvalid(_) => "envelope-proof-invalid",
        _ => "key-set-mismatch",
    };
    plain(
        code,
        Bilingual::new(
            format!("信封与本标段的密钥集不符:{reason}({error})"),
            format!("The envelope does not fit the lot's key set: {reason} ({error})"),
        ),
        Bilingual::new(
            "请取 GET /v1/lots/{lot}/key-set 的密钥集重新密封。",
            "Seal it anew to the key set of GET /v1/lots/{lot}/key-set.",
        ),
        Retry::AfterChange,
    )
}
