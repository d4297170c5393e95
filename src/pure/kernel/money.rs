//! Money: whole minor units with a currency.
//!
//! Promise: no amount without its currency, no float, no silent rounding or overflow. On the wire an amount is a
//! decimal string with exactly the currency's own number of decimals (JPY 0, CNY 2, KWD 3), so that every amount has
//! one form. Invariant: amounts are never negative when read; the law knows no negative bids.
//! Deliberately not here: exchange rates. Where bids are in several currencies the evaluation says one amount each.

mod currency;

pub use currency::Currency;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cmp::Ordering;
use std::fmt;
use utoipa::ToSchema;

/// What can be wrong with an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a code of ISO 4217 that has minor units.
    #[error("unknown currency code")]
    UnknownCurrency,
    /// Not a plain, non-negative decimal number without superfluous leading zeros.
    #[error("an amount is a plain decimal number such as 1250000.00")]
    Malformed,
    /// Not the currency's own number of decimals.
    #[error("an amount in this currency has {expected} decimals")]
    Decimals {
        /// The number of decimals of the currency.
        expected: u8,
    },
    /// More than the platform can hold (about 9.2 * 10^18 minor units).
    #[error("the amount is too large")]
    Overflow,
    /// Two amounts of different currencies can not be compared or added.
    #[error("the amounts are in different currencies")]
    CurrencyMismatch,
}

/// Where a share falls between two minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// To the smaller amount: for the most that may be asked of somebody.
    Down,
    /// To the larger amount: for the least that somebody must give.
    Up,
    /// To the nearer amount, halves to the larger.
    HalfUp,
}

/// A rate in basis points: 1 is 0.01 %, 10,000 is the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BasisPoints(pub u32);

impl fmt::Display for BasisPoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 100, self.0 % 100);
        if rest == 0 { write!(f, "{whole} %") } else { write!(f, "{whole}.{rest:02} %") }
    }
}

/// An amount in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

impl Money {
    /// An amount of minor units (fen, cents, fils).
    pub const fn from_minor(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Reads a decimal string with exactly the currency's number of decimals.
    pub fn parse(amount: &str, currency: Currency) -> Result<Self, MoneyError> {
        let (whole, fraction) = split(amount)?;
        if fraction.len() != usize::from(currency.decimals()) {
            return Err(MoneyError::Decimals { expected: currency.decimals() });
        }
        Self::from_digits(whole, fraction, currency)
    }

    /// Reads a published decimal string: as [`Money::parse`], but zeros beyond the currency's decimals are dropped and
    /// missing decimals are zeros, because other publishers write `1400` or `1400.000`. Any other digit beyond is refused.
    pub fn parse_import(amount: &str, currency: Currency) -> Result<Self, MoneyError> {
        let (whole, fraction) = split(amount)?;
        let places = usize::from(currency.decimals());
        let (kept, beyond) = fraction.split_at(fraction.len().min(places));
        if beyond.bytes().any(|digit| digit != b'0') {
            return Err(MoneyError::Decimals { expected: currency.decimals() });
        }
        Self::from_digits(whole, &format!("{kept:0<places$}"), currency)
    }

    fn from_digits(whole: &str, fraction: &str, currency: Currency) -> Result<Self, MoneyError> {
        let minor = format!("{whole}{fraction}").parse().map_err(|_| MoneyError::Overflow)?;
        Ok(Self { minor, currency })
    }

    /// The number of minor units.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// The amount as a decimal string, without the currency.
    pub fn amount(self) -> String {
        let places = usize::from(self.currency.decimals());
        let sign = if self.minor < 0 { "-" } else { "" };
        let digits = format!("{:0>width$}", self.minor.unsigned_abs(), width = places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        if places == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }

    /// Whether the amount is more than nothing.
    pub const fn is_positive(self) -> bool {
        self.minor > 0
    }

    /// The sum.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// The difference, which may be negative.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let minor = self.minor.checked_sub(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// The order of two amounts of one currency.
    pub fn compare(self, other: Self) -> Result<Ordering, MoneyError> {
        self.same_currency(other)?;
        Ok(self.minor.cmp(&other.minor))
    }

    /// The larger of two amounts of one currency.
    pub fn larger(self, other: Self) -> Result<Self, MoneyError> {
        Ok(if self.compare(other)? == Ordering::Less { other } else { self })
    }

    /// A share of the amount; the caller says which way it is rounded.
    pub fn share(self, rate: BasisPoints, rounding: Rounding) -> Result<Self, MoneyError> {
        let product = i128::from(self.minor) * i128::from(rate.0);
        let rounded = match rounding {
            Rounding::Down => product.div_euclid(10_000),
            Rounding::Up => (product + 9_999).div_euclid(10_000),
            Rounding::HalfUp => (product + 5_000).div_euclid(10_000),
        };
        let minor = i64::try_from(rounded).map_err(|_| MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency { Ok(()) } else { Err(MoneyError::CurrencyMismatch) }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount(), self.currency)
    }
}

/// Digits before and after the point; one point at most, digits on both of its sides, no superfluous leading zero.
fn split(amount: &str) -> Result<(&str, &str), MoneyError> {
    let (whole, fraction) = match amount.split_once('.') {
        Some((_, "")) => return Err(MoneyError::Malformed),
        Some(parts) => parts,
        None => (amount, ""),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    if whole.is_empty() || leading_zero || !digits(whole) || !digits(fraction) {
        return Err(MoneyError::Malformed);
    }
    Ok((whole, fraction))
}

/// The wire form, and what the API description shows.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Money)]
struct Wire {
    /// Decimal string with the currency's own number of decimals.
    #[schema(example = "1250000.00")]
    amount: String,
    /// ISO 4217 code.
    #[schema(example = "CNY")]
    currency: String,
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Wire { amount: self.amount(), currency: self.currency.to_string() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        let currency = Currency::parse(&wire.currency).map_err(serde::de::Error::custom)?;
        Self::parse(&wire.amount, currency).map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for Money {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        <Wire as utoipa::PartialSchema>::schema()
    }
}

impl ToSchema for Money {
    fn name() -> std::borrow::Cow<'static, str> {
        "Money".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn money(amount: &str, code: &str) -> Result<Money, MoneyError> {
        Money::parse(amount, Currency::parse(code).expect("a known code"))
    }

    #[test]
    fn an_amount_has_exactly_its_currencys_decimals() {
        assert_eq!(money("1250000", "JPY").map(Money::minor), Ok(1_250_000));
        assert_eq!(money("1250000.00", "CNY").map(Money::minor), Ok(125_000_000));
        assert_eq!(money("1250.000", "KWD").map(Money::minor), Ok(1_250_000));
        assert_eq!(money("0.05", "CNY").map(|money| money.to_string()), Ok("0.05 CNY".to_owned()));
        assert_eq!(money("0.001", "KWD").map(Money::amount), Ok("0.001".to_owned()));
        assert_eq!(money("0", "JPY").map(Money::amount), Ok("0".to_owned()));
        assert_eq!(money("1.0", "JPY"), Err(MoneyError::Decimals { expected: 0 }));
        assert_eq!(money("1", "CNY"), Err(MoneyError::Decimals { expected: 2 }));
        assert_eq!(money("1.000", "CNY"), Err(MoneyError::Decimals { expected: 2 }));
        assert_eq!(money("1.00", "KWD"), Err(MoneyError::Decimals { expected: 3 }));
    }

    #[test]
    fn anything_but_a_plain_decimal_is_refused() {
        for amount in [
            "", ".", "1.", ".50", "-1.00", "+1.00", "1e3", "1,000.00", " 1.00", "01.00", "00.10", "1.0.0", "１.00",
            "NaN",
        ] {
            assert_eq!(money(amount, "CNY"), Err(MoneyError::Malformed), "{amount}");
        }
        assert_eq!(money("92233720368547758.08", "CNY"), Err(MoneyError::Overflow));
        assert_eq!(money("92233720368547758.07", "CNY").map(Money::minor), Ok(i64::MAX));
    }

    #[test]
    fn an_importer_accepts_zeros_beyond_and_missing_decimals_but_no_lost_digit() {
        let yen = Currency::parse("JPY").expect("known");
        assert_eq!(Money::parse_import("1400.00", yen).map(Money::minor), Ok(1400));
        assert_eq!(Money::parse_import("1400.5", Currency::CNY).map(Money::minor), Ok(140_050));
        assert_eq!(Money::parse_import("1400", Currency::CNY).map(Money::minor), Ok(140_000));
        assert_eq!(Money::parse_import("1400.50", yen), Err(MoneyError::Decimals { expected: 0 }));
        assert_eq!(Money::parse_import("1400.001", Currency::CNY), Err(MoneyError::Decimals { expected: 2 }));
    }

    #[test]
    fn the_wire_form_is_a_decimal_string_and_a_code() {
        let text = r#"{"amount":"1250000.00","currency":"CNY"}"#;
        let read: Money = serde_json::from_str(text).expect("reads");
        assert_eq!(serde_json::to_string(&read).expect("writes"), text);
        for wrong in [
            r#"{"amount":1250000.00,"currency":"CNY"}"#,
            r#"{"amount":"1.0","currency":"CNY"}"#,
            r#"{"amount":"1.00","currency":"CNY","x":1}"#,
        ] {
            assert!(serde_json::from_str::<Money>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_share_is_rounded_the_way_the_caller_says() {
        let money = Money::from_minor(333, Currency::CNY);
        let share = |rounding| money.share(BasisPoints(200), rounding).map(Money::minor);
        assert_eq!((share(Rounding::Down), share(Rounding::Up), share(Rounding::HalfUp)), (Ok(6), Ok(7), Ok(7)));
        let exact = Money::from_minor(50, Currency::CNY);
        assert_eq!(exact.share(BasisPoints(200), Rounding::Up).map(Money::minor), Ok(1));
        assert_eq!(
            Money::from_minor(i64::MAX, Currency::CNY).share(BasisPoints(20_000), Rounding::Down),
            Err(MoneyError::Overflow)
        );
        assert_eq!(BasisPoints(200).to_string(), "2 %");
        assert_eq!(BasisPoints(125).to_string(), "1.25 %");
    }

    #[test]
    fn amounts_of_two_currencies_do_not_mix() {
        let (yuan, dollars) = (money("1.00", "CNY").expect("CNY"), money("1.00", "USD").expect("USD"));
        assert_eq!(yuan.compare(dollars), Err(MoneyError::CurrencyMismatch));
        assert_eq!(yuan.checked_add(dollars), Err(MoneyError::CurrencyMismatch));
        assert_eq!(yuan.checked_sub(Money::from_minor(101, Currency::CNY)).map(Money::amount), Ok("-0.01".to_owned()));
        assert_eq!(Money::from_minor(i64::MAX, Currency::CNY).checked_add(yuan), Err(MoneyError::Overflow));
        assert_eq!(yuan.larger(Money::from_minor(101, Currency::CNY)).map(Money::minor), Ok(101));
    }

    proptest! {
        #[test]
        fn an_amount_reads_back_as_itself(minor in 0_i64..=i64::MAX, code in proptest::sample::select(vec!["JPY", "CNY", "KWD", "CLF"])) {
            let money = Money::from_minor(minor, Currency::parse(code).expect("known"));
            prop_assert_eq!(Money::parse(&money.amount(), money.currency()), Ok(money));
            prop_assert_eq!(Money::parse_import(&money.amount(), money.currency()), Ok(money));
        }
    }
}
