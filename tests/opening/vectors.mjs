// Computes every value of the published vector again, from its secrets and its bundle, with code that shares nothing with Sealbid.
//
//   node tests/opening/vectors.mjs
//
// Stops at the first value that is another, and says where. docs/opening-format.md says what the values are.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { heldCeremony } from "./ceremony.mjs";
import { lineBytes, merkleRoot, openPayload, openPrice, payloadKeys, readEnvelope, readLine, sharedSecret, slotInfo } from "./envelope.mjs";
import { Jws, SigningKey, base64url, sha256 } from "./format.mjs";
import { signedKeySet } from "./keyset.mjs";
import { G, N, coefficient, fromBytes, interpolate, mod, times, toBytes } from "./p256.mjs";
import { sameLogarithm, shareContext } from "./proofs.mjs";

const file = (name) => readFileSync(new URL(`../vectors/opening/${name}`, import.meta.url), "utf8");
const vector = JSON.parse(file("vector.json"));
const lines = file("bundle.ndjson").trimEnd().split("\n").map((line) => JSON.parse(line));
const of = (type) => lines.filter((line) => line.type === type);

const hex = (bytes) => Buffer.from(bytes).toString("hex");
const number = (text) => fromBytes(Buffer.from(text, "hex"));
const point = (found) => hex(found.compressed());
let compared = 0;
function same(found, published, what) {
  assert.deepEqual(found, published, what);
  compared += 1;
}

const platform = new SigningKey(lines[0].platform, "the platform");
const members = vector.secrets.members;
const x = number(vector.secrets.x);

// The ceremony, and that the secrets are those behind its key.
const [ceremony] = of("ceremony");
const [shared] = heldCeremony(ceremony);
same(sha256(base64url(ceremony.draft.payload, "draft")).toString("hex"), vector.ceremony.id, "ceremony.id");
same(JSON.parse(shared.bytes).ceremony, vector.ceremony.transcript, "ceremony.transcript");
same([shared.kid, sha256(shared.bytes).toString("hex")], [vector.ceremony.kid, vector.ceremony.key_set], "ceremony.key_set");
same(signedKeySet(of("key_set")[0].key_set, platform, lines[0]).bytes, shared.bytes, "the key set that was signed");
for (const { i, share, backup_key: backup } of members) {
  same(point(times(number(share), G)), point(shared.shares[i - 1]), `share of member ${i}`);
  same(point(times(number(backup), G)), hex(base64url(shared.members[i - 1].kem, "kem")), `backup key of member ${i}`);
}
same(point(times(x, G)), point(shared.X), "x");

// Lagrange's coefficients at 0: of the shares they make x.
const openers = vector.coefficients.map(({ member }) => member);
for (const { member, at_0: published } of vector.coefficients) {
  same(hex(toBytes(coefficient(member, openers, 0))), published, `coefficient of member ${member}`);
}
const made = openers.reduce((sum, i) => sum + coefficient(i, openers, 0) * number(members[i - 1].share), 0n);
same(mod(made, N), x, "the shares of the openers make x");

// The snapshot.
const boxLines = of("envelope").flatMap((line) => line.lines).map(readLine);
const box = boxLines.filter(({ kid }) => kid === shared.kid).sort((a, b) => (a.envelope < b.envelope ? -1 : 1));
same(box.map((line) => hex(lineBytes(line))), vector.snapshot.lines, "snapshot.lines");
same(merkleRoot(box.map(lineBytes)).toString("hex"), vector.snapshot.root, "snapshot.root");
const snapshot = new Jws(of("snapshot")[0].snapshot, "sealbid-snapshot+jws").verify(platform).fields();
same(snapshot.digest("root"), vector.snapshot.root, "the root that was signed");

// Every envelope: the points of the shares, what they make, and what that opens.
const own = of("own_key").map((line) => signedKeySet(line.key_set, new SigningKey(line.signer, "a bidder"), lines[0]));
const sets = new Map([shared, ...own].map((set) => [set.kid, set]));
const keys = new Map([[shared.kid, x]]);
for (const { own_key: secret } of vector.secrets.bidders) {
  const set = own.find(({ X }) => X.equals(times(number(secret), G)));
  keys.set(set?.kid, number(secret));
}
of("envelope").forEach((line, n) => {
  const published = vector.envelopes[n];
  const envelope = readEnvelope(line.header, new SigningKey(line.signer, "a bidder"));
  same([envelope.id, envelope.slots[0].ctx], [published.envelope, published.ctx_hash], `envelopes[${n}]`);
  const points = envelope.slots.map((slot, at) => {
    const [steps, set, where] = [published.slots[at], sets.get(slot.kid), `envelopes[${n}].slots[${at}]`];
    const place = { ...slot, envelope: envelope.id };
    same([slot.kid, hex(lineBytes(place))], [steps.kid, steps.line], `${where}.line`);
    const shares = steps.shares.map(({ member, context, d }) => {
      const secret = set === shared ? number(members[member - 1].share) : keys.get(slot.kid);
      const share = times(secret, slot.enc);
      same([shareContext(slot.kid, member, place), point(share)], [context, d], `${where}: the share of member ${member}`);
      const given = line.shares.find((one) => one.slot === at && one.member === member);
      const proof = base64url(given.proof, "proof");
      const scalars = [fromBytes(proof.subarray(0, 32)), fromBytes(proof.subarray(32))];
      assert(sameLogarithm(set.shares[member - 1], slot.enc, share, context, scalars), `${where}: the proof of member ${member}`);
      return [member, share];
    });
    const d = interpolate(set.k, shares, 0);
    same(point(d), steps.d, `${where}.d`);
    same(point(times(keys.get(slot.kid), slot.enc)), steps.d, `${where}.d, by the whole key`);
    same(hex(slotInfo(slot)), steps.info, `${where}.info`);
    same(hex(sharedSecret(d, slot.enc, set.X)), steps.shared_secret, `${where}.shared_secret`);
    return d;
  });
  const kinds = envelope.slots.map(({ kid }) => sets.get(kid));
  const found = payloadKeys(envelope, kinds, points);
  same(found.secrets.map(hex), published.slots.map(({ secret }) => secret), `envelopes[${n}]: secrets`);
  same([hex(found.prk), hex(envelope.kc)], [published.prk, published.kc], `envelopes[${n}].kc`);
  same([hex(found.key), hex(found.prefix)], [published.payload_key, published.nonce_prefix], `envelopes[${n}]: the payload's key`);
  const payload = base64url(line.payload, "payload");
  same(sha256(openPayload(envelope.ctx, found, payload)).toString("hex"), published.plaintext, `envelopes[${n}].plaintext`);
  same(openPrice(envelope, kinds, points, payload), published.price, `envelopes[${n}].price`);
});
console.log(`the published vector: ${compared} values are the same`);
