//! Scalars of P-256 times points.
//!
//! Promise: what takes a secret scalar ([`times_base`], [`Combs`]) runs in constant time, as far as the field's arithmetic below does;
//! what is for public values alone says so. Additions and doublings are those of the library.

use super::points::{Point, SCALAR_LEN, Scalar, scalar_to_bytes};
use p256::ProjectivePoint;
use p256::elliptic_curve::Group;
use std::sync::OnceLock;
use subtle::{ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

/// Bits of a window of public scalars.
const NAF_BITS: usize = 5;
/// Digits of a scalar in such windows: one may carry past its last bit.
const NAF_LEN: usize = 8 * SCALAR_LEN + 1;

/// Parts of a scalar, for points that are multiplied more than once, and the digits of each.
const PARTS: usize = 4;
const PART_LEN: usize = NAF_LEN.div_ceil(PARTS);

/// Odd multiples of a point, from 1 to 15: one for every digit of a scalar.
type Odd = [ProjectivePoint; 1 << (NAF_BITS - 2)];

/// A point made ready to be multiplied by public scalars: its odd multiples, and perhaps those of its 2^65th multiple and so on,
/// which cost the doublings of one product and save three quarters of them in each.
pub(super) struct Multiples(Vec<Odd>);

impl Multiples {
    /// For one product.
    pub(super) fn of(point: ProjectivePoint) -> Self {
        Self(vec![odd(point)])
    }

    /// For several.
    pub(super) fn in_parts(point: ProjectivePoint) -> Self {
        let mut powers = [point; PARTS];
        for n in 1..powers.len() {
            powers[n] = doubled(powers[n - 1], PART_LEN);
        }
        Self(powers.map(odd).to_vec())
    }

    /// Those of the base point.
    pub(super) fn of_base() -> &'static Self {
        static BASE: OnceLock<Multiples> = OnceLock::new();
        BASE.get_or_init(|| Self::in_parts(ProjectivePoint::GENERATOR))
    }

    /// How many digits of a scalar each part takes.
    fn len(&self) -> usize {
        NAF_LEN.div_ceil(self.0.len())
    }

    /// What the digits at one place of every part add.
    fn at<'a>(&'a self, place: usize, digits: &'a [i8; NAF_LEN]) -> impl Iterator<Item = ProjectivePoint> + 'a {
        let len = self.len();
        let digit =
            move |part: usize| if place < len { digits.get(part * len + place).copied().unwrap_or(0) } else { 0 };
        let multiple = |odd: &Odd, digit: i8| odd[usize::from(digit.unsigned_abs()) / 2];
        self.0.iter().enumerate().filter_map(move |(part, odd)| match digit(part) {
            0 => None,
            digit if digit < 0 => Some(-multiple(odd, digit)),
            digit => Some(multiple(odd, digit)),
        })
    }
}

/// A point doubled so many times.
fn doubled(point: ProjectivePoint, times: usize) -> ProjectivePoint {
    (0..times).fold(point, |power, _| power.double())
}

fn odd(point: ProjectivePoint) -> Odd {
    let twice = point.double();
    let mut all = [point; 1 << (NAF_BITS - 2)];
    for n in 1..all.len() {
        all[n] = all[n - 1] + twice;
    }
    all
}

/// The digits of a public scalar, lowest first: each is zero or odd and between -15 and 15, and of five in a row at most one is not
/// zero (the width-5 non-adjacent form; Handbook of Elliptic and Hyperelliptic Curve Cryptography, section 9.1.4).
fn digits(scalar: &Scalar) -> [i8; NAF_LEN] {
    let bytes = scalar_to_bytes(scalar);
    let bit =
        |at: usize| bytes.iter().rev().nth(at / 8).map_or(0, |byte| i8::try_from(byte >> (at % 8) & 1).unwrap_or(0));
    let (mut digits, mut at, mut carry) = ([0; NAF_LEN], 0, 0);
    while at < NAF_LEN {
        if bit(at) == carry {
            at += 1;
            continue;
        }
        let window: i8 = carry + (0..NAF_BITS).map(|n| bit(at + n) << n).sum::<i8>();
        carry = i8::from(window > 1 << (NAF_BITS - 1));
        digits[at] = window - (carry << NAF_BITS);
        at += NAF_BITS;
    }
    digits
}

/// The sum of scalars times points, by doubling once for all of them (Straus's interleaving). Its time depends on the scalars:
/// for verifying what is public, never with a secret.
pub(super) fn sum_of_products(terms: &[(&Scalar, &Multiples)]) -> ProjectivePoint {
    let terms: Vec<_> = terms.iter().map(|(scalar, multiples)| (digits(scalar), multiples)).collect();
    let places = terms.iter().map(|(_, multiples)| multiples.len()).max().unwrap_or(0);
    (0..places).rev().fold(ProjectivePoint::IDENTITY, |sum, place| {
        let added = terms.iter().flat_map(|(digits, multiples)| multiples.at(place, digits));
        added.fold(sum.double(), |sum, multiple| sum + multiple)
    })
}

/// z G - c R, for verifying what is public.
pub(super) fn base_minus(z: &Scalar, c: &Scalar, r: &Point) -> ProjectivePoint {
    sum_of_products(&[(z, Multiples::of_base()), (c, &Multiples::of(-r.to_projective()))])
}

/// An entry of a table, in a time that does not tell which: all are read.
fn read(table: &[ProjectivePoint], entry: u8) -> ProjectivePoint {
    let mut chosen = ProjectivePoint::IDENTITY;
    for (value, multiple) in (0_u8..).zip(table) {
        chosen.conditional_assign(multiple, entry.ct_eq(&value));
    }
    chosen
}

/// Bits of a window of secret scalars.
const WINDOW_BITS: usize = 4;
/// For each window of a scalar, lowest first, the multiples of the base point that its values stand for.
type Rows = Vec<[ProjectivePoint; 1 << WINDOW_BITS]>;

fn rows_of_base() -> Rows {
    let mut unit = ProjectivePoint::GENERATOR;
    let row = |_| {
        let mut row = [ProjectivePoint::IDENTITY; 1 << WINDOW_BITS];
        for n in 1..row.len() {
            row[n] = row[n - 1] + unit;
        }
        unit = row[row.len() - 1] + unit;
        row
    };
    (0..2 * SCALAR_LEN).map(row).collect()
}

/// A secret scalar times the base point, without doublings, since all multiples are there; in constant time.
pub(super) fn times_base(scalar: &Scalar) -> ProjectivePoint {
    static ROWS: OnceLock<Rows> = OnceLock::new();
    let rows = ROWS.get_or_init(rows_of_base);
    let bytes = Zeroizing::new(scalar_to_bytes(scalar));
    let windows = bytes.iter().rev().flat_map(|byte| [byte & 0xf, byte >> WINDOW_BITS]);
    rows.iter().zip(windows).fold(ProjectivePoint::IDENTITY, |sum, (row, window)| sum + read(row, window))
}

/// Combs of a point: each is a table for `TEETH` bits of a scalar that lie `SPACING` bits apart, and each begins `COLUMNS` bits
/// after the one before.
const TEETH: usize = 4;
const SPACING: usize = 8 * SCALAR_LEN / TEETH;
const COMBS: usize = 4;
const COLUMNS: usize = SPACING / COMBS;

/// A point made ready for several secret multiples, each of which then needs a sixteenth of the doublings (C. H. Lim and P. J. Lee,
/// More flexible exponentiation with precomputation, 1994; Handbook, section 9.3.3). Three multiples or more are worth it.
pub(super) struct Combs {
    /// The point itself.
    pub(super) point: Point,
    tables: [[ProjectivePoint; 1 << TEETH]; COMBS],
}

impl Combs {
    /// Those of a point.
    pub(super) fn of(point: &Point) -> Self {
        let mut powers = [point.to_projective(); COMBS * TEETH];
        for n in 1..powers.len() {
            powers[n] = doubled(powers[n - 1], COLUMNS);
        }
        let mut tables = [[ProjectivePoint::IDENTITY; 1 << TEETH]; COMBS];
        for (n, comb) in tables.iter_mut().enumerate() {
            for chosen in 1..comb.len() {
                let highest = chosen.ilog2() as usize;
                let (power, rest) = (powers[COMBS * highest + n], chosen - (1 << highest));
                comb[chosen] = if rest == 0 { power } else { comb[rest] + power };
            }
        }
        Self { point: *point, tables }
    }

    /// A secret scalar times the point; in constant time.
    pub(super) fn times(&self, scalar: &Scalar) -> ProjectivePoint {
        let bytes = Zeroizing::new(scalar_to_bytes(scalar));
        let bit = |at: usize| bytes[SCALAR_LEN - 1 - at / 8] >> (at % 8) & 1;
        (0..COLUMNS).rev().fold(ProjectivePoint::IDENTITY, |sum, column| {
            self.tables.iter().enumerate().fold(sum.double(), |sum, (n, comb)| {
                let chosen = (0..TEETH).map(|tooth| bit(tooth * SPACING + n * COLUMNS + column) << tooth).sum();
                sum + read(comb, chosen)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::points::PrivateScalar;
    use super::*;

    #[test]
    fn the_interleaved_sum_is_the_sum_of_both_products() {
        let random = || *PrivateScalar::generate().unwrap().expose();
        let r = PrivateScalar::generate().unwrap().public();
        let edges = [Scalar::ZERO, Scalar::ONE, -Scalar::ONE, Scalar::from(15u64), Scalar::from(16u64)];
        let scalars: Vec<Scalar> = edges.into_iter().chain((0..5).map(|_| random())).collect();
        for z in &scalars {
            for c in &scalars {
                assert_eq!(base_minus(z, c, &r), ProjectivePoint::GENERATOR * z - r.to_projective() * c);
            }
        }
        assert_eq!(base_minus(&Scalar::ONE, &Scalar::ONE, &Point::GENERATOR), ProjectivePoint::IDENTITY);
        let points: Vec<_> = (0..3).map(|_| ProjectivePoint::GENERATOR * random()).collect();
        let multiples: Vec<_> = points.iter().map(|point| Multiples::of(*point)).collect();
        let terms: Vec<_> = scalars.iter().rev().zip(&multiples).collect();
        let expected =
            scalars.iter().rev().zip(&points).map(|(scalar, point)| *point * scalar).sum::<ProjectivePoint>();
        assert_eq!(sum_of_products(&terms), expected);
        let multiples: Vec<_> = points.iter().map(|point| Multiples::in_parts(*point)).collect();
        let terms: Vec<_> = scalars.iter().rev().zip(&multiples).collect();
        assert_eq!(sum_of_products(&terms), expected);
        let edges_too = scalars.iter().all(|scalar| sum_of_products(&[(scalar, &multiples[0])]) == points[0] * scalar);
        assert!(edges_too);
    }

    #[test]
    fn digits_are_odd_small_and_far_apart_and_give_the_scalar_back() {
        let random = || *PrivateScalar::generate().unwrap().expose();
        let edges = [Scalar::ZERO, Scalar::ONE, -Scalar::ONE, Scalar::from(31u64), Scalar::from(0xffff_ffff_u64)];
        for scalar in edges.into_iter().chain((0..50).map(|_| random())) {
            let digits = digits(&scalar);
            let mut last = None;
            let back = (0..NAF_LEN).rev().fold(Scalar::ZERO, |sum, at| {
                let digit = digits[at];
                if digit != 0 {
                    assert!(digit % 2 != 0 && digit.abs() <= 15);
                    assert!(last.is_none_or(|last| last >= at + NAF_BITS));
                    last = Some(at);
                }
                let value = Scalar::from(u64::from(digit.unsigned_abs()));
                sum.double() + if digit < 0 { -value } else { value }
            });
            assert_eq!(back, scalar);
        }
    }

    #[test]
    fn a_public_key_is_the_scalar_times_the_base_point() {
        let scalars = [Scalar::ONE, -Scalar::ONE, Scalar::from(16u64), Scalar::from(0xf0_u64)];
        let random = (0..20).map(|_| *PrivateScalar::generate().unwrap().expose());
        for scalar in scalars.into_iter().chain(random) {
            assert_eq!(times_base(&scalar), ProjectivePoint::GENERATOR * scalar);
        }
    }

    #[test]
    fn a_point_with_combs_is_multiplied_like_any_other() {
        let point = PrivateScalar::generate().unwrap().public();
        let combs = Combs::of(&point);
        let edges = [Scalar::ZERO, Scalar::ONE, -Scalar::ONE, Scalar::from(0x1_0000_u64), Scalar::from(u64::MAX)];
        for scalar in edges.into_iter().chain((0..50).map(|_| *PrivateScalar::generate().unwrap().expose())) {
            assert_eq!(combs.times(&scalar), point.to_projective() * scalar);
        }
    }
}
