//! Shamir's sharing in the exponent: what k of n members give is put together to what the whole key would give.
//!
//! The key x is f(0) of a polynomial f of degree k - 1 that nobody knows; member i holds f(i) for i = 1..n. From
//! D_i = f(i) R of any k members follows xR = sum of lambda_i D_i, with Lagrange's coefficients at 0. (A. Shamir, How to
//! share a secret, 1979; Y. Desmedt and Y. Frankel, Threshold cryptosystems, 1989.)
//!
//! Promise: which k members are taken makes no difference to the result, provided that each gave the right point, which
//! is what their proofs show. Indices out of range and repeated ones are refused. Everything here is public; nothing
//! runs in constant time.

use super::points::{Point, Scalar};
use super::products::{Multiples, sum_of_products};

/// The points do not determine a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ThresholdError {
    /// Fewer than k.
    #[error("fewer members than are needed")]
    TooFew,
    /// An index is 0 or occurs twice.
    #[error("a member's index is 0 or occurs twice")]
    Indices,
    /// The sum is the identity, which right points never give.
    #[error("the points do not belong together")]
    Identity,
}

/// A member's index and its point.
pub type Indexed = (u8, Point);

/// The value at `x` of the polynomial of degree `k` - 1 through the `k` points with the lowest indices.
///
/// # Errors
/// See [`ThresholdError`].
pub fn interpolate(k: u8, points: &[Indexed], x: u8) -> Result<Point, ThresholdError> {
    let mut points = points.to_vec();
    points.sort_by_key(|(index, _)| *index);
    if points.iter().any(|(index, _)| *index == 0) || points.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Err(ThresholdError::Indices);
    }
    if k == 0 || points.len() < usize::from(k) {
        return Err(ThresholdError::TooFew);
    }
    points.truncate(usize::from(k));
    let indices: Vec<u8> = points.iter().map(|(index, _)| *index).collect();
    let each = |(index, point): &Indexed| (coefficient(*index, &indices, x), Multiples::of(point.to_projective()));
    let terms: Vec<(Scalar, Multiples)> = points.iter().map(each).collect();
    let terms: Vec<_> = terms.iter().map(|(coefficient, multiples)| (coefficient, multiples)).collect();
    Point::from_projective(sum_of_products(&terms)).map_err(|_| ThresholdError::Identity)
}

/// Lagrange's coefficient of member `index` among `indices` at `x`: the product over the others j of (x - j) / (index - j).
/// No index may occur twice.
pub(super) fn coefficient(index: u8, indices: &[u8], x: u8) -> Scalar {
    let scalar = |n: u8| Scalar::from(u64::from(n));
    let (mut above, mut below) = (Scalar::ONE, Scalar::ONE);
    for other in indices.iter().filter(|other| **other != index) {
        above *= scalar(x) - scalar(*other);
        below *= scalar(index) - scalar(*other);
    }
    above * below.invert().expect("two indices differ, and the order of the group is a prime far above them")
}

/// Puts the points of at least `k` members together: the `k` with the lowest indices count.
///
/// # Errors
/// See [`ThresholdError`].
pub fn combine(k: u8, points: &[Indexed]) -> Result<Point, ThresholdError> {
    interpolate(k, points, 0)
}

/// Whether `shares`, those of members 1..n in order, lie on one polynomial of degree `k` - 1, and of no lower one, whose value
/// at 0 is `public`: `k` members open and fewer do not.
pub fn consistent(k: u8, public: &Point, shares: &[Point]) -> bool {
    let indexed: Vec<Indexed> = (1..=u8::MAX).zip(shares.iter().copied()).collect();
    indexed.len() == shares.len()
        && combine(k, &indexed).as_ref() == Ok(public)
        && (k == 1 || combine(k - 1, &indexed).as_ref() != Ok(public))
        && indexed
            .iter()
            .skip(usize::from(k))
            .all(|(index, share)| interpolate(k, &indexed, *index).as_ref() == Ok(share))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::points::PrivateScalar;

    /// f(0), and f(1)..f(n) as shares of it.
    fn dealt(k: usize, n: u8) -> (Scalar, Vec<Scalar>) {
        let f: Vec<Scalar> = (0..k).map(|_| *PrivateScalar::generate().unwrap().expose()).collect();
        let at = |x: u8| f.iter().rev().fold(Scalar::ZERO, |sum, c| sum * Scalar::from(u64::from(x)) + c);
        (f[0], (1..=n).map(at).collect())
    }

    fn times(scalar: &Scalar, point: &Point) -> Point {
        Point::from_projective(point.to_projective() * scalar).unwrap()
    }

    #[test]
    fn every_subset_of_k_members_gives_the_same_point() {
        let r = PrivateScalar::generate().unwrap().public();
        for (k, n) in [(2_u8, 3_u8), (3, 5), (4, 7), (2, 2)] {
            let (x, shares) = dealt(usize::from(k), n);
            let whole = times(&x, &r);
            for chosen in 0_u32..1 << n {
                let points: Vec<Indexed> = (1..=n)
                    .filter(|i| chosen >> (i - 1) & 1 == 1)
                    .map(|i| (i, times(&shares[usize::from(i) - 1], &r)))
                    .collect();
                let expected =
                    if chosen.count_ones() >= u32::from(k) { Ok(whole) } else { Err(ThresholdError::TooFew) };
                assert_eq!(combine(k, &points), expected, "{k} of {n}, {chosen:b}");
            }
        }
    }

    #[test]
    fn repeated_and_zero_indices_are_refused_and_a_wrong_point_changes_the_result() {
        let r = Point::GENERATOR;
        let (x, shares) = dealt(3, 5);
        let at = |i: u8| (i, times(&shares[usize::from(i) - 1], &r));
        assert_eq!(combine(3, &[at(1), at(2), at(2)]), Err(ThresholdError::Indices));
        assert_eq!(combine(3, &[(0, r), at(2), at(3)]), Err(ThresholdError::Indices));
        assert_eq!(combine(0, &[at(1)]), Err(ThresholdError::TooFew));
        assert_ne!(combine(3, &[(1, r), at(2), at(3)]), Ok(times(&x, &r)));
        // Members that exchange their places do not open.
        assert_ne!(combine(3, &[(1, at(2).1), (2, at(1).1), at(3)]), Ok(times(&x, &r)));
    }

    #[test]
    fn shares_are_consistent_only_as_a_whole_and_with_their_own_threshold() {
        let (x, shares) = dealt(3, 5);
        let public = times(&x, &Point::GENERATOR);
        let mut shares: Vec<Point> = shares.iter().map(|share| times(share, &Point::GENERATOR)).collect();
        assert!(consistent(3, &public, &shares));
        assert!(!consistent(2, &public, &shares) && !consistent(3, &shares[0], &shares));
        for index in 0..5 {
            let kept = std::mem::replace(&mut shares[index], Point::GENERATOR);
            assert!(!consistent(3, &public, &shares), "share {}", index + 1);
            shares[index] = kept;
        }
        assert!(!consistent(3, &public, &shares[..2]));
    }
}
