// Envelopes: the header of one sealed part, and its signature.
import { Aes256Gcm, CipherSuite, DhkemP256HkdfSha256, HkdfSha256 } from '@hpke/core';
import { FormError, base64url, concat, hex, is, json, sha256, utf8 } from './bytes.js';
import { CHUNK, TYP, VERSION, limits } from './format.js';
import { sign } from './keys.js';
import { publicOf, randomScalar, uncompressed } from './points.js';
import { prove } from './pok.js';

const suite = new CipherSuite({ kem: new DhkemP256HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });

/** A scalar as the key pair that the HPKE library takes as its one-time key. */
async function pair(scalar) {
  const point = uncompressed(publicOf(scalar));
  const ecdh = { name: 'ECDH', namedCurve: 'P-256' };
  const [x, y] = [base64url(point.slice(1, 33)), base64url(point.slice(33))];
  const jwk = { kty: 'EC', crv: 'P-256', x, y };
  return {
    publicKey: await crypto.subtle.importKey('jwk', jwk, ecdh, true, []),
    privateKey: await crypto.subtle.importKey('jwk', { ...jwk, d: base64url(scalar) }, ecdh, true, ['deriveBits']),
  };
}

/** HPKE info of a slot: it opens only in its own envelope and at its own place. */
export const slotInfo = (slot, ctxHash) => concat(utf8('sealbid/1 slot'), Uint8Array.of(0, slot), ctxHash);

async function sealSlot(keySet, secret, slot, ctxHash, { ephemeral, nonce }) {
  const recipientPublicKey = await suite.kem.deserializePublicKey(uncompressed(keySet.point));
  const sender = await suite.createSenderContext({ recipientPublicKey, info: slotInfo(slot, ctxHash), ekm: await pair(ephemeral) });
  const ct = new Uint8Array(await sender.seal(secret));
  const pok = prove(ephemeral, { group: keySet.group, ctxHash, slot, ct }, nonce);
  return { kid: keySet.kid, type: 'hpke', enc: base64url(new Uint8Array(sender.enc)), ct: base64url(ct), pok: base64url(pok) };
}

/** The context: what every slot is bound to. */
function contextBytes({ lot, part, bidder, rev, docRev, created }, payload, { tender, group }) {
  const fine = is.ident(lot) && is.ident(bidder) && is.count(rev) && is.digest(docRev) && is.time(created);
  if (!fine) throw new FormError('bad_subject');
  const ctx = {
    v: VERSION, tender, group, lot, part, bidder, rev, doc_rev: docRev, created, media_type: 'application/x-tar',
    salt: base64url(payload.salt),
    payload: { alg: 'A256GCM-STREAM', chunk: CHUNK, len: payload.len, root: payload.root },
  };
  return utf8(json(ctx));
}

/**
 * The header over a sealed payload, to be signed: {ctx, bytes, id}. One slot for every key set, each with a proof of knowledge,
 * whatever the profile. `scalars` are for published vectors only: each serves one slot once.
 */
export async function makeHeader(subject, payload, keySets, scalars = null) {
  if (keySets.length !== payload.secrets.length || keySets.length > limits.slots) throw new FormError('key_set_count');
  const ctx = contextBytes(subject, payload, keySets[0]);
  const ctxHash = sha256(ctx);
  const slots = [];
  for (const [slot, keySet] of keySets.entries()) {
    const fresh = scalars?.[slot] ?? { ephemeral: randomScalar(), nonce: randomScalar() };
    slots.push(await sealSlot(keySet, payload.secrets[slot], slot, ctxHash, fresh));
  }
  const bytes = utf8(json({ ctx: base64url(ctx), slots, kc: base64url(payload.kc) }));
  return { ctx, bytes, id: hex(sha256(bytes)) };
}

/** Signs exactly the bytes of a header. */
export const signHeader = (header, signing) => sign(signing, TYP.envelope, header.bytes);
