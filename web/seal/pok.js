// The proof of knowledge of a slot's one-time key, without which profile `strict` takes no envelope: Schnorr's proof, bound to the
// group, the context, the slot and its sealed secret.
import { concat, hex, sha256, utf8 } from './bytes.js';
import { addProduct, compressed, hashToScalar, publicOf, scalarBytes } from './points.js';

/** c, then z: 64 bytes. `nonce` serves one proof; two with one nonce reveal the one-time key. */
export function prove(ephemeral, { group, ctxHash, slot, ct }, nonce) {
  const tag = `HashToScalar-sealbid/1 pok|${group}|${hex(ctxHash)}|${slot}`;
  const points = [compressed(publicOf(ephemeral)), compressed(publicOf(nonce))];
  const c = hashToScalar(concat(utf8('eph-pok'), ...points, sha256(ct)), tag);
  return concat(scalarBytes(c), addProduct(nonce, c, ephemeral));
}
