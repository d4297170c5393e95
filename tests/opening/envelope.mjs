// Sealed envelopes and how they open (docs/opening-format.md, "Envelope" and "From the shares to the price").

import { createDecipheriv, createHmac } from "node:crypto";
import { Fields, Jws, Refuted, VERSION, concat, demand, sha256, utf8 } from "./format.mjs";
import { knows } from "./proofs.mjs";
import { toBytes } from "./p256.mjs";

const CHUNK = 1024 * 1024;
const TAG = 16;
// Plaintext bytes of a part.
const PRICE_PART = 128 * 1024;
const DOCUMENTS_PART = 4 * 1024 ** 3;
const ESCROW_PART = 16 * 1024;

/** Whether a slot or a line proves knowledge of its ephemeral key, as the profile of its key set demands. */
export function checkEphemeral(set, { enc, ctx, slot, ct, pok }) {
  if (pok === undefined) demand(set.profile === "open", `slot ${slot} has no proof of knowledge`);
  else demand(knows(enc, { group: set.group, ctx, slot, ct }, pok), `slot ${slot}: the proof of knowledge does not hold`);
}

/** A line of an envelope: what its members saw of one slot. */
export function readLine(value) {
  const fields = new Fields(value, "a line");
  const line = {
    kid: fields.kid("kid"),
    envelope: fields.digest("envelope"),
    slot: fields.integer("slot"),
    ctx: fields.digest("ctx"),
    enc: fields.point("enc"),
    ct: Buffer.from(fields.digest("ct"), "hex"),
    pok: fields.has("pok") ? fields.scalars("pok") : undefined,
  };
  fields.end();
  return line;
}

/** The bytes of a line, over which the root of the snapshot is. */
export function lineBytes({ envelope, slot, ctx, enc, ct, pok }) {
  return concat(Buffer.from(envelope, "hex"), [slot], Buffer.from(ctx, "hex"), enc.compressed(), ct, ...(pok ?? []).map(toBytes));
}

/** RFC 9162 section 2.1.1. */
export function merkleRoot(leaves) {
  let level = leaves.map((leaf) => sha256(Buffer.from([0]), leaf));
  if (level.length === 0) return sha256("");
  // Pairing neighbours and carrying an odd last one up gives the same tree as splitting at the largest power of two.
  while (level.length > 1) {
    const pairs = [];
    for (let i = 0; i < level.length; i += 2) {
      pairs.push(i + 1 < level.length ? sha256(Buffer.from([1]), level[i], level[i + 1]) : level[i]);
    }
    level = pairs;
  }
  return level[0];
}

function readSlot(fields) {
  fields.is("type", "hpke");
  const slot = {
    kid: fields.kid("kid"),
    enc: fields.uncompressed("enc"),
    sealed: fields.bytes("ct", 48),
    pok: fields.has("pok") ? fields.scalars("pok") : undefined,
  };
  fields.end();
  return slot;
}

function readContext(bytes) {
  const fields = Fields.ofBytes(bytes, "ctx");
  fields.is("v", VERSION);
  fields.is("media_type", "application/x-tar");
  const ctx = {
    tender: fields.ident("tender"),
    group: fields.ident("group"),
    lot: fields.ident("lot"),
    part: fields.text("part", /^(price|documents|reserve|escrow)$/),
    bidder: fields.ident("bidder"),
    rev: fields.integer("rev", 0xffffffff),
    doc_rev: fields.digest("doc_rev"),
    created: fields.time("created"),
    salt: fields.bytes("salt", 32),
  };
  demand(ctx.rev > 0, "ctx: rev is 0");
  const payload = fields.object("payload");
  payload.is("alg", "A256GCM-STREAM");
  demand(payload.integer("chunk", CHUNK) === CHUNK, "ctx: chunk is not 1 MiB");
  const most = { documents: DOCUMENTS_PART, escrow: ESCROW_PART };
  const len = payload.integer("len", most[ctx.part] ?? PRICE_PART);
  const root = payload.digest("root");
  payload.end();
  fields.end();
  return { ...ctx, len, root };
}

/** An envelope: id, context, slots and the commitment to the payload's key. `key` must have signed it. */
export function readEnvelope(value, key) {
  const jws = new Jws(value, "sealbid-envelope+jws").verify(key);
  const fields = jws.fields();
  const ctxBytes = fields.bytes("ctx");
  const ctx = sha256(ctxBytes).toString("hex");
  const sealed = fields.objects("slots").map(readSlot);
  demand(sealed.length >= 1 && sealed.length <= 4, "an envelope has 1 to 4 slots");
  const slots = sealed.map((slot, at) => ({ ...slot, slot: at, ctx, ct: sha256(slot.sealed) }));
  const apart = slots.every((slot, at) => slots.slice(0, at).every((other) => !other.enc.equals(slot.enc)));
  demand(apart, "two slots have the same ephemeral key");
  const kc = fields.bytes("kc", 32);
  fields.end();
  return { id: sha256(jws.payload).toString("hex"), ctx: readContext(ctxBytes), slots, kc };
}

const hmac = (key, ...pieces) => createHmac("sha256", key).update(concat(...pieces)).digest();
/** HKDF-Expand (RFC 5869) for at most one block. */
const expand = (prk, length, ...info) => hmac(prk, ...info, [1]).subarray(0, length);

function openAes(key, nonce, ciphertext, what) {
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG });
  decipher.setAuthTag(ciphertext.subarray(-TAG));
  try {
    return concat(decipher.update(ciphertext.subarray(0, -TAG)), decipher.final());
  } catch {
    throw new Refuted(`${what} does not open`);
  }
}

const labeled = (...bytes) => concat(bytes[0], bytes.slice(1));
const [KEM, HPKE] = [labeled("KEM", 0, 0x10), labeled("HPKE", 0, 0x10, 0, 1, 0, 2)];
const hpkeExtract = (id, salt, label, ikm) => hmac(salt, "HPKE-v1", id, label, ikm);
const hpkeExpand = (id, prk, length, label, context) => expand(prk, length, [0, length], "HPKE-v1", id, label, context);

/** The shared secret of HPKE (RFC 9180 section 4.1), given the Diffie-Hellman point. */
export function sharedSecret(dh, enc, recipient) {
  const prk = hpkeExtract(KEM, "", "eae_prk", toBytes(dh.x));
  return hpkeExpand(KEM, prk, 32, "shared_secret", concat(enc.uncompressed(), recipient.uncompressed()));
}

/** HPKE base mode, suite 0x0010, 0x0001, 0x0002, one message without aad. */
function openHpke(shared, info, ciphertext, what) {
  const schedule = concat([0], hpkeExtract(HPKE, "", "psk_id_hash", ""), hpkeExtract(HPKE, "", "info_hash", info));
  const secret = hpkeExtract(HPKE, shared, "secret", "");
  const [key, nonce] = [hpkeExpand(HPKE, secret, 32, "key", schedule), hpkeExpand(HPKE, secret, 12, "base_nonce", schedule)];
  return openAes(key, nonce, ciphertext, what);
}

/** The HPKE info of a slot. */
export const slotInfo = ({ slot, ctx }) => concat("sealbid/1 slot", [0, slot], Buffer.from(ctx, "hex"));

/** The payload's keys, from the point D of every slot. GCM does not commit to its key, so the commitment comes first. */
export function payloadKeys({ ctx, slots, kc }, sets, points) {
  const secrets = slots.map((slot, at) =>
    openHpke(sharedSecret(points[at], slot.enc, sets[at].X), slotInfo(slot), slot.sealed, `slot ${slot.slot}`));
  const prk = hmac(ctx.salt, ...secrets);
  demand(expand(prk, 32, "sealbid/1 commit").equals(kc), "the secrets do not give the key that the header commits to");
  return { secrets, prk, key: expand(prk, 32, "sealbid/1 payload"), prefix: expand(prk, 7, "sealbid/1 nonce") };
}

/** STREAM: chunks of 1 MiB, the nonce counts them and marks the last. Their Merkle root is the signed one. */
export function openPayload({ len, root }, { key, prefix }, payload) {
  const count = Math.max(1, Math.ceil(len / CHUNK));
  demand(payload.length === len + count * TAG, "the payload has another length than the header says");
  const chunks = Array.from({ length: count }, (_, i) => payload.subarray(i * (CHUNK + TAG), (i + 1) * (CHUNK + TAG)));
  demand(merkleRoot(chunks).toString("hex") === root, "the payload's root is not the signed one");
  const plain = chunks.map((chunk, i) => {
    const nonce = concat(prefix, [0, 0, 0, 0, i === count - 1 ? 1 : 0]);
    nonce.writeUInt32BE(i, 7);
    return openAes(key, nonce, chunk, `chunk ${i}`);
  });
  return concat(...plain);
}

/** The files of a ustar archive of regular files: [path, content], and two to twenty blocks of zeros behind them. */
function* untar(archive) {
  const whole = archive.length % 512 === 0;
  demand(whole, "the archive is not made of blocks");
  const octal = (field) => {
    const found = /^([0-7]+)[ \0]+$/.exec(field.toString("latin1"));
    demand(found, "a number in the archive is not octal");
    return parseInt(found[1], 8);
  };
  const name = (field) => {
    const end = field.indexOf(0) < 0 ? field.length : field.indexOf(0);
    demand(field.subarray(end).every((byte) => byte === 0), "a name in the archive hides bytes");
    return utf8(field.subarray(0, end), "a name in the archive");
  };
  let at = 0;
  const zero = (from, to) => archive.subarray(from, to).every((byte) => byte === 0);
  while (at < archive.length && !zero(at, at + 512)) {
    const block = archive.subarray(at, at + 512);
    demand(block.toString("latin1", 257, 265) === "ustar\x0000", "the archive is not ustar");
    const sum = block.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 0x20 : byte), 0);
    demand(octal(block.subarray(148, 156)) === sum, "a checksum in the archive is wrong");
    demand(block[156] === 0x30 && block.subarray(157, 257).every((byte) => byte === 0), "not a regular file");
    const [prefix, base] = [name(block.subarray(345, 500)), name(block.subarray(0, 100))];
    demand(base !== "", "a file without a name");
    const length = octal(block.subarray(124, 136));
    const end = at + 512 + length;
    const next = at + 512 + Math.ceil(length / 512) * 512;
    demand(next <= archive.length && zero(end, next), "a file of the archive is cut off, or its padding is not zero");
    yield [prefix === "" ? base : `${prefix}/${base}`, archive.subarray(at + 512, end)];
    at = next;
  }
  const blocks = (archive.length - at) / 512;
  demand(blocks >= 2 && blocks <= 20 && zero(at, archive.length), "the archive does not end as it must");
}

/** The price in a part: its manifest binds it to tender, lot, bidder and part. */
function readBid(ctx, archive) {
  const files = [...untar(archive)];
  demand(files.length === 2 && files[0][0] === "manifest.json" && files[1][0] === "bid.json", "the part holds other files");
  const [[, manifestBytes], [, bidBytes]] = files;
  const manifest = Fields.ofBytes(manifestBytes, "manifest.json", CHUNK);
  manifest.is("v", VERSION);
  for (const name of ["tender", "lot", "bidder", "part"]) manifest.is(name, ctx[name]);
  const listed = manifest.objects("files");
  manifest.end();
  demand(listed.length === 1, "manifest.json lists other files");
  listed[0].is("path", "bid.json");
  const length = listed[0].integer("len", 64 * 1024);
  const digest = listed[0].digest("sha256");
  listed[0].end();
  demand(length === bidBytes.length && digest === sha256(bidBytes).toString("hex"), "bid.json is not the one that the manifest lists");
  const bid = Fields.ofBytes(bidBytes, "bid.json", 64 * 1024);
  const amount = bid.text("amount", /^(?=.{1,32}$)(0|[1-9][0-9]*)(\.[0-9]+)?$/);
  const currency = bid.text("currency", /^[A-Z]{3}$/);
  if (bid.has("validity_days")) bid.integer("validity_days", 0xffffffff);
  if (bid.has("note")) demand(Buffer.byteLength(bid.text("note")) <= 4000, "the note is too long");
  bid.end();
  return { amount, currency };
}

/** The price in an envelope, given its key sets and the point D of every slot. */
export function openPrice(envelope, sets, points, payload) {
  const { ctx } = envelope;
  demand(["price", "reserve"].includes(ctx.part), "there is no price in it");
  return readBid(ctx, openPayload(ctx, payloadKeys(envelope, sets, points), payload));
}
