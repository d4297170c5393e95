// Key sets of every kind, and envelopes of several slots: what is sealed by one code to the platform, to custodians and to a bidder
// opens with their private keys, in order, and with nothing else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Aes256Gcm, CipherSuite, DhkemP256HkdfSha256, HkdfSha256 } from '../../web/node_modules/@hpke/core/esm/mod.js';
import { p256 } from '../../web/node_modules/@noble/curves/nist.js';
import { base64url, concat, hex, sha256, text, unbase64url, utf8 } from '../../web/seal/bytes.js';
import { TYP } from '../../web/seal/format.js';
import { makeHeader, newSigner, readKeySets, sealPayload } from '../../web/seal/index.js';
import { sign } from '../../web/seal/keys.js';
import { payloadKeys } from '../../web/seal/payload.js';
import { hashToScalar } from '../../web/seal/points.js';

const platform = await newSigner();
const OPENS = '2026-12-24T01:00:00.000Z';
const suite = new CipherSuite({ kem: new DhkemP256HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });
const { Fn } = p256.Point;

/** A key pair, and a key set over it of a kind. */
function keySet(kind, change = {}) {
  const secret = p256.utils.randomSecretKey();
  const X = base64url(p256.getPublicKey(secret, true));
  const kid = hex(sha256(concat(utf8('sealbid/1 kid'), unbase64url(X), utf8(`${OPENS}lot-1`)))).slice(0, 32);
  const point = () => base64url(p256.getPublicKey(p256.utils.randomSecretKey(), true));
  const member = (i) => ({ i, org: `机构 ${i}`, role: 'custodian', sign_kid: kid, kem_pk: point() });
  const [k, n] = kind === 'custodians' ? [3, 5] : [1, 1];
  const held = kind === 'custodians' ? { members: [1, 2, 3, 4, 5].map(member) } : {};
  const set = {
    v: 'sealbid/1', kid, tender: 'prj-1', group: 'lot-1', kind, k, n, X,
    shares: kind === 'custodians' ? Array.from({ length: n }, point) : [X],
    ...held, opens_not_before: OPENS, profile: 'strict',
    ...(kind === 'custodians' ? { ceremony: hex(sha256(utf8('ceremony'))) } : {}),
    ...change,
  };
  return { secret, set };
}

const signed = ({ set }, as = (value) => JSON.stringify(value)) => sign(platform, TYP.keySet, utf8(as(set)));

async function recipient(secret) {
  const point = p256.getPublicKey(secret, false);
  const jwk = { kty: 'EC', crv: 'P-256', d: base64url(secret), x: base64url(point.slice(1, 33)), y: base64url(point.slice(33)) };
  return suite.kem.importKey('jwk', jwk, false);
}

/** Schnorr's equation, computed by itself: A = zG - cR must give c again. */
function proofHolds(slot, at, ctxHash) {
  const pok = unbase64url(slot.pok);
  const [c, z] = [Fn.fromBytes(pok.slice(0, 32)), Fn.fromBytes(pok.slice(32))];
  const r = p256.Point.fromBytes(unbase64url(slot.enc));
  const a = p256.Point.BASE.multiply(z).subtract(r.multiply(c));
  const message = concat(utf8('eph-pok'), r.toBytes(true), a.toBytes(true), sha256(unbase64url(slot.ct)));
  return hashToScalar(message, `HashToScalar-sealbid/1 pok|lot-1|${hex(ctxHash)}|${at}`) === c;
}

const subject = { lot: 'lot-1', part: 'documents', bidder: 'org-1', rev: 2, docRev: '0'.repeat(64), created: OPENS };

for (const kinds of [['platform'], ['custodians'], ['bidder'], ['custodians', 'bidder'], ['platform', 'custodians', 'bidder']]) {
  test(`what is sealed to ${kinds.join(' and ')} opens with their keys`, async () => {
    const held = kinds.map((kind) => keySet(kind));
    const sets = await readKeySets(await Promise.all(held.map((one) => signed(one))), platform);
    const plaintext = new Uint8Array((1 << 20) + 100).map((_, at) => at % 251);
    const payload = await sealPayload(new Blob([plaintext]), sets.length);
    const header = await makeHeader(subject, payload, sets);
    const { ctx, slots, kc } = JSON.parse(text(header.bytes));
    const ctxHash = sha256(unbase64url(ctx));
    assert.equal(slots.length, kinds.length);
    const secrets = [];
    for (const [at, slot] of slots.entries()) {
      assert.equal(slot.kid, held[at].set.kid);
      assert.ok(proofHolds(slot, at, ctxHash), 'the proof');
      assert.ok(!proofHolds(slot, at + 1, ctxHash), 'the proof is of this slot');
      const info = concat(utf8('sealbid/1 slot'), Uint8Array.of(0, at), ctxHash);
      const opener = await suite.createRecipientContext({ recipientKey: await recipient(held[at].secret), enc: unbase64url(slot.enc), info });
      secrets.push(new Uint8Array(await opener.open(unbase64url(slot.ct))));
    }
    const keys = await payloadKeys(unbase64url(JSON.parse(text(unbase64url(ctx))).salt), secrets);
    assert.equal(base64url(keys.kc), kc);
    const material = await crypto.subtle.importKey('raw', concat(...secrets), 'HKDF', false, ['deriveKey']);
    const hkdf = { name: 'HKDF', hash: 'SHA-256', salt: payload.salt, info: utf8('sealbid/1 payload') };
    const key = await crypto.subtle.deriveKey(hkdf, material, { name: 'AES-GCM', length: 256 }, false, ['decrypt']);
    const opened = [];
    for (const n of [0, 1]) {
      const iv = concat(keys.prefix, Uint8Array.of(0, 0, 0, n, n));
      opened.push(new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, key, await payload.chunk(n))));
    }
    assert.deepEqual(concat(...opened), plaintext);
  });
}

test('a key set of another form, content or signer is refused, each for its reason', async () => {
  const refused = async (reason, one, as, key = platform) => {
    await assert.rejects(readKeySets([await signed(one, as)], key), (error) => error.reason === reason, reason);
  };
  const [single, shared] = [keySet('platform'), keySet('custodians')];
  await refused('key_set_shape', keySet('custodians', { n: 4 }));
  await refused('key_set_shape', keySet('custodians', { k: 6 }));
  await refused('key_set_shape', { set: { ...shared.set, members: shared.set.members.slice(1) } });
  await refused('key_set_shape', { set: { ...shared.set, members: shared.set.members.toReversed() } });
  await refused('key_set_shape', keySet('platform', { n: 2 }));
  await refused('key_set_shape', keySet('bidder', { ceremony: '0'.repeat(64) }));
  await refused('key_set_shape', { set: { ...single.set, shares: [shared.set.X] } });
  await refused('wrong_field', keySet('tlock'));
  await refused('wrong_field', keySet('platform', { profile: 'lax' }));
  await refused('key_set_id', keySet('platform', { group: 'lot-2' }));
  await refused('not_a_point', { set: { ...shared.set, shares: [base64url(new Uint8Array(33)), ...shared.set.shares.slice(1)] } });
  await refused('unknown_field', keySet('platform', { extra: 1 }));
  await refused('not_canonical', single, (set) => JSON.stringify(set).replace('}', ',"kind":"bidder"}'));
  await refused('not_canonical', single, (set) => JSON.stringify(set, null, 1));
  await refused('other_key', single, undefined, await newSigner());
  const [one, other] = [await signed(single), await signed(keySet('platform'))];
  await assert.rejects(readKeySets([{ ...one, signature: other.signature }], platform), (error) => error.reason === 'bad_signature');
  await assert.rejects(readKeySets([], platform), (error) => error.reason === 'key_set_count');
});
