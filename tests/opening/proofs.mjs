// The proofs of discrete logarithms (docs/opening-format.md, "Proofs").

import { concat, sha256 } from "./format.mjs";
import { G, N, fromBytes, sum, times, toBytes } from "./p256.mjs";

/** RFC 9380 section 5.3.1 with SHA-256 to 48 bytes, reduced by the order (section 5.2): RFC 9497's HashToScalar. */
export function hashToScalar(message, tag) {
  const dst = concat(tag, [Buffer.byteLength(tag)]);
  const b0 = sha256(Buffer.alloc(64), message, Buffer.from([0, 48, 0]), dst);
  const b1 = sha256(b0, Buffer.from([1]), dst);
  const b2 = sha256(b0.map((byte, i) => byte ^ b1[i]), Buffer.from([2]), dst);
  return fromBytes(concat(b1, b2).subarray(0, 48)) % N;
}

/**
 * Schnorr's proof [c, z] that somebody knows the logarithm of `point`. `bound` is what it was made for: {group, ctx, slot, ct}
 * with ctx in hex and ct 32 bytes. Without it a bidder could resubmit another's ephemeral key, shifted, and have it answered.
 */
export function knows(point, bound, [c, z]) {
  const a = sum([[z, G], [-c, point]]);
  const tag = `HashToScalar-sealbid/1 pok|${bound.group}|${bound.ctx}|${bound.slot}`;
  return a !== undefined && hashToScalar(concat("eph-pok", point.compressed(), a.compressed(), bound.ct), tag) === c;
}

/** FROST's proof (R, z) that `member` knows the constant term of a polynomial whose first commitment is `phi`. */
export function knowsPolynomial(member, phi, r, z) {
  const message = concat(toBytes(BigInt(member)), phi.compressed(), r.compressed());
  const c = hashToScalar(message, "FROST-P256-SHA256-v1dkg");
  return r.equals(sum([[z, G], [-c, phi]]));
}

const prefixed = (bytes) => concat([bytes.length >> 8, bytes.length & 255], bytes);
const pieces = (...points) => concat(...points.map((point) => prefixed(point.compressed())));

/** RFC 9497 section 2.2.2 for one pair: `d` is to `c` what `key` is to G, by the proof [challenge, response]. */
export function sameLogarithm(key, c, d, context, [challenge, s]) {
  const tag = `HashToScalar-${context}`;
  const seed = sha256(pieces(key), prefixed(Buffer.from(`Seed-${context}`)));
  const weight = hashToScalar(concat(prefixed(seed), [0, 0], pieces(c, d), "Composite"), tag);
  const [m, z] = [times(weight, c), times(weight, d)];
  if (!m || !z) return false;
  const [t2, t3] = [sum([[s, G], [challenge, key]]), sum([[s, m], [challenge, z]])];
  return Boolean(t2 && t3) && hashToScalar(concat(pieces(key, m, z, t2, t3), "Challenge"), tag) === challenge;
}

/** What the proof of a share is bound to. */
export function shareContext(kid, member, { envelope, slot }) {
  const place = sha256(Buffer.from(envelope, "hex"), Buffer.from([slot])).toString("hex");
  return `sealbid/1 dleq|${kid}|${member}|${place}`;
}

/** Whether D is what `member` of `set` must give for the slot of `line`. */
export function shareHolds(set, member, line, { d, proof }) {
  const key = set.shares[member - 1];
  return key !== undefined && sameLogarithm(key, line.enc, d, shareContext(set.kid, member, line), proof);
}
