// P-256: points, scalars, and hashing to a scalar (RFC 9380, as RFC 9497 section 4.3 has it).
import { p256 } from '@noble/curves/nist.js';
import { hash_to_field } from '@noble/curves/abstract/hash-to-curve.js';
import { bytesToNumberBE, numberToBytesBE } from '@noble/curves/utils.js';
import { FormError, sha256, utf8 } from './bytes.js';

const ORDER = p256.Point.Fn.ORDER;

/** A point from its 33 compressed bytes; anything else, and the point at infinity, is refused. */
export function pointFromCompressed(bytes) {
  try {
    if (bytes.length !== 33) throw new Error();
    return p256.Point.fromBytes(bytes);
  } catch {
    throw new FormError('not_a_point');
  }
}

/** The two forms of a point. */
export const compressed = (point) => point.toBytes(true);
export const uncompressed = (point) => point.toBytes(false);

/** The public point of a private scalar of 32 bytes. */
export const publicOf = (scalar) => p256.Point.BASE.multiply(bytesToNumberBE(scalar));

/** A random private scalar, 32 bytes. */
export const randomScalar = () => p256.utils.randomSecretKey();

/** Hashes a message to a scalar under a domain separation tag. */
export function hashToScalar(message, tag) {
  const options = { DST: utf8(tag), p: ORDER, m: 1, k: 128, expand: 'xmd', hash: sha256 };
  return hash_to_field(message, 1, options)[0][0];
}

/** a + b c modulo the order, as 32 bytes; a and c are byte strings, b is a number. */
export function addProduct(a, b, c) {
  return numberToBytesBE((bytesToNumberBE(a) + b * bytesToNumberBE(c)) % ORDER, 32);
}

/** The 32 bytes of a scalar. */
export const scalarBytes = (number) => numberToBytesBE(number, 32);
