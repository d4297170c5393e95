//! One envelope or two: which part of a bid opens in which round.
//!
//! With two envelopes (双信封) the first holds everything but the price. It opens at the opening and is judged; the second, the
//! price, opens in a round of its own and only for those who passed (ENG-40). Pure words: what a part is called belongs to
//! whoever seals and opens.

use crate::rules::facts::{Escrow, KeyMode};
use crate::rules::names::named;

named! {
    /// How many envelopes a bid of the lot has.
    pub enum Envelopes {
        /// All parts open together.
        One = "one", "单信封", "one envelope";
        /// First what is not the price, then, of those who passed, the price.
        Two = "two", "双信封", "two envelopes";
    }
}

named! {
    /// A round of openings: what opens at one time, and therefore under one key.
    pub enum Round {
        /// The opening; of two envelopes the first.
        First = "first", "第一轮开标", "first round";
        /// The second envelope of those who passed.
        Second = "second", "第二轮开标", "second round";
        /// Within the opening, after the bidders' minutes: deposited keys of bids that their bidders did not decrypt.
        Escrow = "escrow", "托管密钥启封", "keys in escrow";
    }
}

impl Envelopes {
    /// The rounds that have sessions, in their order.
    pub const fn rounds(self) -> &'static [Round] {
        match self {
            Self::One => &[Round::First],
            Self::Two => &[Round::First, Round::Second],
        }
    }

    /// The round in which a part opens, by whether it states an amount.
    pub const fn round_of(self, priced: bool) -> Round {
        match (self, priced) {
            (Self::One, _) | (Self::Two, false) => Round::First,
            (Self::Two, true) => Round::Second,
        }
    }
}

/// What is added to a lot's id to name the opening group of its second envelopes.
const SECOND_SUFFIX: &str = "-price";
/// The same for the keys in escrow.
const ESCROW_SUFFIX: &str = "-escrow";

/// The rounds whose key the platform or custodians hold, in the order of their groups in a ceremony.
pub fn shared_rounds(mode: KeyMode, envelopes: Envelopes, escrow: Escrow) -> Vec<Round> {
    let sessions = envelopes.rounds().iter().copied().filter(|_| mode != KeyMode::Bidder);
    sessions.chain((escrow == Escrow::Custodians).then_some(Round::Escrow)).collect()
}

impl Round {
    /// The name of a lot's opening group in this round: what its key set is made for. What opens at different times has different
    /// groups, and so different keys.
    pub fn group(self, lot_id: &str) -> String {
        match self {
            Self::First => lot_id.to_owned(),
            Self::Second => format!("{lot_id}{SECOND_SUFFIX}"),
            Self::Escrow => format!("{lot_id}{ESCROW_SUFFIX}"),
        }
    }

    /// The round whose group of a lot this is.
    pub fn of_group(lot_id: &str, group: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|round| round.group(lot_id) == group)
    }

    /// Its number, as it is stored.
    pub const fn number(self) -> i64 {
        match self {
            Self::First => 1,
            Self::Second => 2,
            Self::Escrow => 3,
        }
    }

    /// Reads the number.
    pub const fn of_number(number: i64) -> Option<Self> {
        match number {
            1 => Some(Self::First),
            2 => Some(Self::Second),
            3 => Some(Self::Escrow),
            _ => None,
        }
    }
}
