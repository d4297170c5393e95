//! P-256: the only parser of points and scalars; their products are in [`super::products`].
//!
//! Promise: a [`Point`] is on the curve and not the identity; a scalar is below the group order; a [`PrivateScalar`] is
//! also not zero. Each has one encoding: 33 bytes compressed (SEC 1 section 2.3.3), except HPKE's `enc` and recipient
//! key, which are 65 bytes uncompressed (RFC 9180 section 7.1.1); scalars are 32 bytes big-endian. Hybrid and identity
//! encodings, coordinates not below p and surplus bytes are refused. The group has prime order, so that a point on the
//! curve is a point of the group.
//!
//! Multiplication by a private scalar runs in constant time. Deliberately absent: every other curve.

use super::error::{FormError, RandomFailed};
use super::products::times_base;
use super::random;
use crate::kernel::encoding;
use crate::kernel::secret::Secret;
use p256::elliptic_curve::{
    Group, PrimeField,
    point::AffineCoordinates,
    sec1::{FromEncodedPoint, ToEncodedPoint},
};
use p256::{AffinePoint, EncodedPoint, ProjectivePoint};
use serde::{Serialize, Serializer};

pub use p256::Scalar;

/// Bytes of a compressed point.
pub const COMPRESSED_LEN: usize = 33;
/// Bytes of an uncompressed point.
pub const UNCOMPRESSED_LEN: usize = 65;
/// Bytes of a scalar.
pub const SCALAR_LEN: usize = 32;

/// The bytes are not a point in the demanded encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a point of P-256 in the demanded encoding")]
pub struct NotAPoint;

/// The bytes are not a scalar, or zero where zero is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a scalar of P-256")]
pub struct NotAScalar;

/// A point of P-256 other than the identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point(AffinePoint);

impl Point {
    /// The base point G.
    pub const GENERATOR: Self = Self(AffinePoint::GENERATOR);

    /// Reads 33 compressed bytes.
    ///
    /// # Errors
    /// [`NotAPoint`].
    pub fn from_compressed(bytes: &[u8]) -> Result<Self, NotAPoint> {
        match bytes {
            [2 | 3, ..] if bytes.len() == COMPRESSED_LEN => Self::decode(bytes),
            _ => Err(NotAPoint),
        }
    }

    /// Reads 65 uncompressed bytes.
    ///
    /// # Errors
    /// [`NotAPoint`].
    pub fn from_uncompressed(bytes: &[u8]) -> Result<Self, NotAPoint> {
        match bytes {
            [4, ..] if bytes.len() == UNCOMPRESSED_LEN => Self::decode(bytes),
            _ => Err(NotAPoint),
        }
    }

    fn decode(bytes: &[u8]) -> Result<Self, NotAPoint> {
        let encoded = EncodedPoint::from_bytes(bytes).map_err(|_| NotAPoint)?;
        Option::from(AffinePoint::from_encoded_point(&encoded)).map(Self).ok_or(NotAPoint)
    }

    /// Reads the base64url text of 33 compressed bytes.
    ///
    /// # Errors
    /// [`FormError::Base64`] or [`FormError::NotAPoint`], with the field's name.
    pub fn from_text(text: &str, field: &'static str) -> Result<Self, FormError> {
        let bytes = encoding::from_base64url(text).map_err(|_| FormError::Base64(field))?;
        Self::from_compressed(&bytes).map_err(|_| FormError::NotAPoint(field))
    }

    /// A computed group element, unless it is the identity.
    pub fn from_projective(point: ProjectivePoint) -> Result<Self, NotAPoint> {
        if bool::from(point.is_identity()) {
            return Err(NotAPoint);
        }
        Ok(Self(point.to_affine()))
    }

    /// Computed group elements, unless one is the identity.
    pub(super) fn all_from_projective<const N: usize>(points: [ProjectivePoint; N]) -> Result<[Self; N], NotAPoint> {
        if points.iter().any(|point| bool::from(point.is_identity())) {
            return Err(NotAPoint);
        }
        Ok(points.map(|point| Self(point.to_affine())))
    }

    /// The form in which points are added and multiplied.
    pub fn to_projective(&self) -> ProjectivePoint {
        self.0.into()
    }

    /// The 33 compressed bytes.
    pub fn to_compressed(&self) -> [u8; COMPRESSED_LEN] {
        let mut bytes = [0; COMPRESSED_LEN];
        bytes.copy_from_slice(self.0.to_encoded_point(true).as_bytes());
        bytes
    }

    /// The 65 uncompressed bytes.
    pub fn to_uncompressed(&self) -> [u8; UNCOMPRESSED_LEN] {
        let mut bytes = [0; UNCOMPRESSED_LEN];
        bytes.copy_from_slice(self.0.to_encoded_point(false).as_bytes());
        bytes
    }

    /// The x coordinate, which is the Diffie-Hellman result of RFC 9180 section 4.1.
    pub fn x(&self) -> [u8; 32] {
        self.0.x().into()
    }
}

/// The base64url text of the 33 compressed bytes.
impl Serialize for Point {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&encoding::base64url(&self.to_compressed()))
    }
}

/// Reads a scalar; zero is allowed.
///
/// # Errors
/// [`NotAScalar`] for a value not below the group order.
pub fn scalar_from_bytes(bytes: &[u8; SCALAR_LEN]) -> Result<Scalar, NotAScalar> {
    Option::from(Scalar::from_repr((*bytes).into())).ok_or(NotAScalar)
}

/// The 32 bytes of a scalar that is not secret.
pub fn scalar_to_bytes(scalar: &Scalar) -> [u8; SCALAR_LEN] {
    scalar.to_bytes().into()
}

/// A private key, an ephemeral key or a proof's nonce: a secret scalar other than zero.
#[derive(Debug)]
pub struct PrivateScalar(Secret<Scalar>);

impl PrivateScalar {
    /// Draws a scalar uniformly by rejection.
    ///
    /// # Errors
    /// If the system's random source fails.
    pub fn generate() -> Result<Self, RandomFailed> {
        loop {
            let candidate = random::secret::<SCALAR_LEN>()?;
            if let Ok(scalar) = Self::from_bytes(candidate.expose()) {
                return Ok(scalar);
            }
        }
    }

    /// Reads 32 bytes.
    ///
    /// # Errors
    /// [`NotAScalar`] for zero and for values not below the group order.
    pub fn from_bytes(bytes: &[u8; SCALAR_LEN]) -> Result<Self, NotAScalar> {
        let scalar = scalar_from_bytes(bytes)?;
        if scalar == Scalar::ZERO {
            return Err(NotAScalar);
        }
        Ok(Self(Secret::new(scalar)))
    }

    /// The 32 bytes, to be encrypted before they are stored.
    pub fn to_bytes(&self) -> Secret<[u8; SCALAR_LEN]> {
        Secret::new(scalar_to_bytes(self.expose()))
    }

    /// The scalar itself, for the arithmetic of proofs.
    pub(super) fn expose(&self) -> &Scalar {
        self.0.expose()
    }

    /// The public key: this scalar times the base point.
    pub fn public(&self) -> Point {
        Point::from_projective(times_base(self.expose()))
            .expect("a non-zero scalar times the base point is not the identity")
    }

    /// This scalar times `point`.
    pub fn times(&self, point: &Point) -> Point {
        Point::from_projective(point.to_projective() * self.expose())
            .expect("a non-zero scalar times a point of a prime-order group is not the identity")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::encoding::from_hex;

    const P: &str = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";
    const N: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

    fn array(hex: &str) -> [u8; 32] {
        from_hex(hex).unwrap().try_into().unwrap()
    }

    #[test]
    fn both_encodings_come_back_equal() {
        let point = PrivateScalar::generate().unwrap().public();
        assert_eq!(Point::from_compressed(&point.to_compressed()), Ok(point));
        assert_eq!(Point::from_uncompressed(&point.to_uncompressed()), Ok(point));
        assert_eq!(point.to_uncompressed()[1..33], point.x());
    }

    #[test]
    fn each_encoding_is_refused_where_the_other_is_demanded() {
        let point = Point::GENERATOR;
        assert_eq!(Point::from_uncompressed(&point.to_compressed()), Err(NotAPoint));
        assert_eq!(Point::from_compressed(&point.to_uncompressed()), Err(NotAPoint));
    }

    #[test]
    fn hybrid_identity_surplus_and_missing_bytes_are_refused() {
        let good = Point::GENERATOR.to_uncompressed();
        for tag in (0..=255).filter(|tag| *tag != 4) {
            let mut bytes = good;
            bytes[0] = tag;
            assert_eq!(Point::from_uncompressed(&bytes), Err(NotAPoint), "tag {tag}");
        }
        assert_eq!(Point::from_uncompressed(&[&good[..], &[0]].concat()), Err(NotAPoint));
        assert_eq!(Point::from_uncompressed(&good[..64]), Err(NotAPoint));
        for bytes in [&[][..], &[0], &[0; 33], &[0; 65], &[4; 65]] {
            assert_eq!(Point::from_compressed(bytes), Err(NotAPoint));
            assert_eq!(Point::from_uncompressed(bytes), Err(NotAPoint));
        }
    }

    #[test]
    fn a_point_beside_the_curve_is_refused() {
        for bit in 0..8 * 64 {
            let mut bytes = Point::GENERATOR.to_uncompressed();
            bytes[1 + bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Point::from_uncompressed(&bytes), Err(NotAPoint), "bit {bit}");
        }
    }

    #[test]
    fn coordinates_not_below_the_field_prime_are_refused() {
        // x = 0 is on the curve (b is a square), so that x = p would be a second encoding of the same point.
        let zero = [&[2][..], &[0; 32]].concat();
        let point = Point::from_compressed(&zero).unwrap();
        let aliased = [&[2][..], &array(P)].concat();
        assert_eq!(Point::from_compressed(&aliased), Err(NotAPoint));
        let y = &point.to_uncompressed()[33..];
        assert_eq!(Point::from_uncompressed(&[&[4][..], &array(P), y].concat()), Err(NotAPoint));
        assert_eq!(Point::from_uncompressed(&[&[4][..], &[0; 32], &array(P)].concat()), Err(NotAPoint));
    }

    #[test]
    fn scalars_stay_below_the_order_and_private_ones_above_zero() {
        assert_eq!(scalar_from_bytes(&array(N)), Err(NotAScalar));
        assert_eq!(scalar_from_bytes(&[0xff; 32]), Err(NotAScalar));
        let mut largest = array(N);
        largest[31] -= 1;
        assert_eq!(scalar_to_bytes(&scalar_from_bytes(&largest).unwrap()), largest);
        assert_eq!(scalar_from_bytes(&[0; 32]), Ok(Scalar::ZERO));
        assert!(PrivateScalar::from_bytes(&[0; 32]).is_err());
        assert!(PrivateScalar::from_bytes(&array(N)).is_err());
        assert!(PrivateScalar::from_bytes(&largest).is_ok());
    }

    #[test]
    fn the_identity_is_not_a_point() {
        assert_eq!(Point::from_projective(ProjectivePoint::IDENTITY), Err(NotAPoint));
    }
}
