//! The closed list of codes with which a bid can be rejected (否决投标).
//!
//! Promise: a bid is rejected for something on this list, with its source, or not at all.

use crate::kernel::text::Phrase;
use crate::rules::catalogue::{ENG_24, ENG_26, LD_04, PR_10, RuleId};
use crate::rules::names::named;

named! {
    /// Why a bid is rejected.
    pub enum RejectionCode {
        /// Not sealed with the unit's seal or not signed by its head.
        NotSigned = "not_signed", "未加盖单位公章且无负责人签字", "neither sealed nor signed by the bidder";
        /// A joint venture without its agreement.
        NoConsortiumAgreement = "no_consortium_agreement", "联合体未提交共同投标协议", "a joint venture without its agreement";
        /// The bidder does not meet the qualifications.
        Unqualified = "unqualified", "投标人不符合资格条件", "the bidder is not qualified";
        /// Two different bids or prices where alternatives are not allowed.
        TwoBids = "two_bids", "同一投标人提交两个以上不同投标或报价", "two bids or prices of one bidder";
        /// Below cost.
        BelowCost = "below_cost", "报价低于成本", "below cost";
        /// Above the disclosed ceiling.
        AboveCeiling = "above_ceiling", "报价高于最高投标限价", "above the price ceiling";
        /// Does not respond to the substance of the documents.
        NotResponsive = "not_responsive", "未对招标文件实质性要求作出响应", "not responsive";
        /// Collusion, fraud or bribery.
        Illegal = "illegal", "串通投标、弄虚作假、行贿等违法行为", "collusion, fraud or bribery";
        /// A clearly low price that was not explained.
        LowPriceUnexplained = "low_price_unexplained", "报价明显偏低且不能合理说明", "an abnormally low price without explanation";
        /// Below the sealed reserve price.
        BelowReserve = "below_reserve", "报价低于底价", "below the reserve price";
        /// Below the public asking price: no offer at all.
        BelowAsking = "below_asking", "报价低于挂牌价", "below the asking price";
    }
}

impl RejectionCode {
    /// Source.
    pub const fn rule(self) -> RuleId {
        match self {
            Self::LowPriceUnexplained => ENG_26,
            Self::BelowReserve => LD_04,
            Self::BelowAsking => PR_10,
            _ => ENG_24,
        }
    }

    /// Whether the platform finds it by comparing two amounts; all others are a person's judgement.
    pub const fn is_arithmetic(self) -> bool {
        matches!(self, Self::AboveCeiling | Self::BelowReserve | Self::BelowAsking)
    }

    /// What the code stands for, with its rule, for a reference page.
    pub fn describe(self) -> (Phrase, RuleId) {
        (self.title(), self.rule())
    }
}
