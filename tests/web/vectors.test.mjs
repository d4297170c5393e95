// The JavaScript module against the published vectors: every intermediate value, byte by byte. Run with `node --test`.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { base64, base64url, concat, hex, sha256, text, unbase64url, unhex, utf8 } from '../../web/seal/bytes.js';
import { makeHeader, signHeader, slotInfo } from '../../web/seal/envelope.js';
import { openJws } from '../../web/seal/jws.js';
import { signerFromPem, verifyingKey } from '../../web/seal/keys.js';
import { parseKeySet } from '../../web/seal/keyset.js';
import { bidPart } from '../../web/seal/part.js';
import { payloadKeys, restorePayload, sealPayload } from '../../web/seal/payload.js';
import { hashToScalar, uncompressed } from '../../web/seal/points.js';
import { expand_message_xmd } from '../../web/node_modules/@noble/curves/abstract/hash-to-curve.js';

const file = (name) => JSON.parse(readFileSync(new URL(`../vectors/${name}`, import.meta.url)));
const vector = file('sealbid-1.json');
const { inputs, slot, payload, envelope } = vector;
const [salt, secret] = [unhex(inputs.salt), unhex(inputs.slot_secret)];
const ctx = JSON.parse(slot.ctx);
const subject = { lot: ctx.lot, part: ctx.part, bidder: ctx.bidder, rev: ctx.rev, docRev: ctx.doc_rev, created: ctx.created };

const plaintext = async () => (await bidPart(ctx, readBid())).plaintext;
/** bid.json of the vector: it lies behind the manifest and its own header. */
function readBid() {
  const archive = text(unbase64url(vector.plaintext.base64url));
  return JSON.parse(/\{"amount".*?\}/.exec(archive)[0]);
}
const sealed = async () => sealPayload(await plaintext(), 1, undefined, { salt, secrets: [secret] });

test('the key set reads, and its id and point are those of the vector', () => {
  const set = parseKeySet(utf8(vector.key_set.bytes));
  assert.equal(set.kid, vector.key_set.kid);
  assert.equal(hex(uncompressed(set.point)), vector.key_set.X_uncompressed);
});

test('the plaintext is the same archive, byte by byte', async () => {
  const bytes = new Uint8Array(await (await plaintext()).arrayBuffer());
  assert.equal(base64url(bytes), vector.plaintext.base64url);
  assert.equal(hex(sha256(bytes)), vector.plaintext.sha256);
});

test('the keys, the commitment, the chunk and the root are those of the vector', async () => {
  const material = await crypto.subtle.importKey('raw', salt, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  assert.equal(hex(new Uint8Array(await crypto.subtle.sign('HMAC', material, secret))), payload.prk);
  const keys = await payloadKeys(salt, [secret]);
  assert.equal(hex(keys.prefix), payload.nonce_prefix);
  assert.equal(hex(keys.kc), payload.kc);
  const made = await sealed();
  assert.equal(base64url(await made.chunk(0)), payload.chunk_0);
  assert.equal(made.root, payload.root);
});

test('the header, its slot and proof, its id and signature are those of the vector', async () => {
  const scalars = [{ ephemeral: unhex(inputs.slot_ephemeral), nonce: unhex(inputs.pok_nonce) }];
  const header = await makeHeader(subject, await sealed(), [parseKeySet(utf8(vector.key_set.bytes))], scalars);
  assert.equal(text(header.ctx), slot.ctx);
  assert.equal(hex(sha256(header.ctx)), slot.ctx_hash);
  assert.equal(hex(slotInfo(0, sha256(header.ctx))), slot.info);
  const made = JSON.parse(text(header.bytes)).slots[0];
  assert.equal(hex(unbase64url(made.enc)), slot.enc);
  assert.equal(hex(unbase64url(made.ct)), slot.ct);
  assert.equal(hex(unbase64url(made.pok)), slot.pok_c + slot.pok_z);
  assert.equal(text(header.bytes), envelope.header);
  assert.equal(header.id, envelope.id);
  const der = concat(unhex('302e020100300506032b657004220420'), unhex(inputs.signing_key_seed));
  const signing = await signerFromPem(`-----BEGIN PRIVATE KEY-----\n${base64(der)}\n-----END PRIVATE KEY-----\n`);
  assert.equal(signing.kid, envelope.signing_kid);
  assert.equal(base64url(signing.publicKey), envelope.signing_public_key);
  assert.deepEqual(await signHeader(header, signing), envelope.jws);
  const opened = await openJws(envelope.jws, 'sealbid-envelope+jws', verifyingKey('EdDSA', signing.publicKey));
  assert.equal(text(opened), envelope.header);
});

test('RFC 9380 appendix K.1 is reproduced', () => {
  const { DST, tests } = file('rfc9380-expand-message-xmd-sha256.json');
  assert.equal(tests.length, 10);
  for (const { msg, len_in_bytes, uniform_bytes } of tests) {
    assert.equal(hex(expand_message_xmd(utf8(msg), utf8(DST), Number(len_in_bytes), sha256)), uniform_bytes);
  }
  assert.notEqual(hashToScalar(utf8('a'), 'tag'), hashToScalar(utf8('a'), 'tah'));
});

test('a payload that was sealed before comes back, and a file that changed does not leave it', async () => {
  const blob = new Blob([new Uint8Array((1 << 20) + 5).fill(7)]);
  const made = await sealPayload(blob, 2);
  const again = await restorePayload(blob, made.secretState());
  assert.equal(again.root, made.root);
  assert.deepEqual(await again.chunk(1), await made.chunk(1));
  const other = await restorePayload(new Blob([new Uint8Array((1 << 20) + 5).fill(8)]), made.secretState());
  await assert.rejects(other.chunk(0));
});
