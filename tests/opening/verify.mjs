// Verifies the bundle of an opening with code that shares nothing with Sealbid. What it checks is in docs/opening-format.md.
//
//   node tests/opening/verify.mjs BUNDLE --vkey VERIFIER [--vkey VERIFIER]...
//
// Ends with 0 when everything holds, with 1 when something does not, and with 3 when nothing can be said: a version or a
// platform's key that is not known here, or a file without its end. Needs Node.js 20 and nothing else. The proof that the
// snapshot is in the public log is not checked: tests/log has a program for logs.

import { readFileSync } from "node:fs";
import { heldCeremony } from "./ceremony.mjs";
import { checkEphemeral, lineBytes, merkleRoot, openPrice, readEnvelope, readLine } from "./envelope.mjs";
import {
  Fields, Jws, MAX_PARTIALS_JWS, Refuted, SigningKey, Undecided, base64url, demand, present, sha256, strictJson, utf8,
} from "./format.mjs";
import { signedKeySet } from "./keyset.mjs";
import { interpolate } from "./p256.mjs";
import { shareHolds } from "./proofs.mjs";

const VERSION = "sealbid-opening/1";
const SLOTS = { platform: ["platform"], custodians: ["custodians"], bidder: ["bidder"], dual: ["custodians", "bidder"] };

/** The 32 bytes of an Ed25519 key in its published form, name+hash+base64(type || key): signed-note of c2sp.org. */
function verifierKey(text) {
  const [name, hash, ...rest] = text.split("+");
  const typed = Buffer.from(rest.join("+"), "base64");
  const id = sha256(name, "\n", typed).toString("hex", 0, 4);
  if (typed.length !== 33 || ![1, 4].includes(typed[0]) || id !== hash) throw new Undecided(`${text} is not a verifier key`);
  return typed.subarray(1);
}

const placeOf = (envelope, slot) => `${envelope}.${slot}`;

/** Runs a check, and says where where it fails. */
function at(place, check) {
  try {
    return check();
  } catch (error) {
    if (error instanceof Refuted || error instanceof Undecided) error.message = `${place}: ${error.message}`;
    throw error;
  }
}

class Bundle {
  sets = new Map();
  lists = [];
  lines = new Map();
  /** Shares that hold, by place: member to D. */
  given = new Map();
  envelopes = [];
  tally = { custodians: "0/0", shares: 0, opened: 0, failed: 0, prices: 0 };

  constructor(platformKeys) {
    this.platformKeys = platformKeys;
  }

  /** Takes a line; true at the end. */
  line(number, value) {
    demand(typeof value?.type === "string", "type is missing");
    if (number === 1 && value.type !== VERSION) throw new Undecided(`it is not of the version ${VERSION}`);
    if (value.type === "end") {
      demand(value.lines === number, "lines are missing, or there are too many");
      return true;
    }
    const readers = {
      [number === 1 ? VERSION : ""]: this.head,
      ceremony: this.ceremony,
      key_set: this.keySet,
      own_key: this.ownKey,
      snapshot: this.snapshot,
      partials: this.partials,
      envelope: this.envelope,
    };
    if (!Object.hasOwn(readers, value.type)) throw new Undecided(`a line of type ${value.type} is not known here`);
    readers[value.type].call(this, value, `line ${number}`);
    return false;
  }

  head({ platform, lot, tender, group, mode, escrow }) {
    this.platform = new SigningKey(platform, "the platform");
    const given = this.platform.alg === "EdDSA" && this.platformKeys.some((key) => key.equals(this.platform.bytes));
    if (!given) throw new Undecided("the platform's key is not the one that was given with --vkey");
    demand([lot, tender, group, mode].every((text) => typeof text === "string"), "lot, tender, group or mode is missing");
    if (!Object.hasOwn(SLOTS, mode)) throw new Undecided(`key mode ${mode} is not known here`);
    this.about = { lot, tender, group, mode, escrow: typeof escrow === "string" ? escrow : undefined };
  }

  ceremony(value) {
    this.held = value;
  }

  keySet(value) {
    const set = signedKeySet(value.key_set, this.platform, this.about);
    if (set.kind === "custodians") {
      demand(this.held, "the ceremony of this key set is missing");
      const made = heldCeremony(this.held);
      this.held = undefined;
      demand(made.some((other) => other.bytes === set.bytes), "the key set does not follow from its ceremony");
      this.tally.custodians = `${set.k}/${set.members.length}`;
    }
    this.sets.set(set.kid, set);
  }

  ownKey(value) {
    const set = signedKeySet(value.key_set, new SigningKey(value.signer, "the signer"), this.about);
    demand(set.kind === "bidder", "it is not a bidder's own key set");
    this.sets.set(set.kid, set);
  }

  snapshot(value) {
    demand(!this.shot, "there are two snapshots");
    this.shot = new Jws(value.snapshot, "sealbid-snapshot+jws");
  }

  /** A member's list: its signature now, its shares when all lines are there. */
  partials(value, place) {
    const jws = new Jws(value.partials, "sealbid-partials+jws", MAX_PARTIALS_JWS);
    const signer = new SigningKey(value.signer, "the signer");
    const fields = jws.verify(signer).fields();
    const list = {
      place, kid: fields.kid("kid"), member: fields.integer("member"), snapshot: fields.digest("snapshot"),
      partials: fields.objects("partials").map((one) => {
        const partial = { envelope: one.digest("envelope"), slot: one.integer("slot"), d: one.point("d"), proof: one.scalars("proof") };
        one.end();
        return partial;
      }),
    };
    fields.end();
    demand(list.partials.length >= 1 && list.partials.length <= 500, "a list has 1 to 500 partials");
    const set = present(this.sets.get(list.kid), "its key set is missing");
    const member = set.members.find(({ i }) => i === list.member);
    demand(!member || member.sign_kid === signer.kid, `member ${list.member} did not sign it`);
    // The platform signs shares that it made with a bidder's key out of escrow, and no others.
    list.escrow = value.escrow ?? undefined;
    const byPlatform = signer.kid === this.platform.kid;
    demand(byPlatform === (list.escrow !== undefined), "the platform signs shares of a key out of escrow, and no others");
    demand(!byPlatform || set.kind === "bidder", "a key out of escrow is a bidder's");
    this.lists.push(list);
  }

  envelope(value, place) {
    demand(Array.isArray(value.lines), "lines are missing");
    for (const one of value.lines) {
      const line = readLine(one);
      checkEphemeral(present(this.sets.get(line.kid), `key set ${line.kid} is missing`), line);
      const key = placeOf(line.envelope, line.slot);
      demand(line.envelope === value.envelope && !this.lines.has(key), "a line is of another envelope, or there twice");
      this.lines.set(key, line);
    }
    this.envelopes.push({ value, place });
  }

  /** What needs all lines. */
  conclude() {
    at("the snapshot", () => this.checkSnapshot());
    at("keys in escrow", () => this.checkEscrow());
    for (const list of this.lists) at(list.place, () => this.checkList(list));
    for (const { value, place } of this.envelopes) at(place, () => this.checkEnvelope(value));
  }

  /** What the platform signed as the box is what is in this file, and what every member of its key set answered. */
  checkSnapshot() {
    if (!this.shot) {
      // Of keys in escrow there may be none that anybody had to ask for.
      const asked = ({ kid, group }) => group !== this.about.escrow || [...this.lines.values()].some((line) => line.kid === kid);
      demand(![...this.sets.values()].some((set) => set.kind === "custodians" && asked(set)), "it is missing");
      return;
    }
    const fields = this.shot.verify(this.platform).fields();
    const kid = fields.kid("kid");
    const [lot, count, root] = [fields.ident("lot"), fields.integer("count", Number.MAX_SAFE_INTEGER), fields.digest("root")];
    fields.ident("tender");
    fields.ident("group");
    fields.end();
    const order = (a, b) => (a.envelope < b.envelope ? -1 : a.envelope > b.envelope ? 1 : a.slot - b.slot);
    const lines = [...this.lines.values()].filter((line) => line.kid === kid).sort(order);
    const same = count === lines.length && merkleRoot(lines.map(lineBytes)).toString("hex") === root;
    demand(same, "the envelopes in this file are not those of the box");
    demand(lot === this.about.lot && this.sets.get(kid)?.kind === "custodians", "it is of another lot, or not for custodians");
    const answers = this.lists.filter((list) => list.kid === kid);
    demand(answers.every((list) => list.snapshot === root), "a list answers another snapshot");
  }

  /** No key was asked for whose bidder had decrypted, and each that opened gave the shares of its own bid. */
  checkEscrow() {
    const bids = new Map();
    for (const { value } of this.envelopes) {
      demand([value.bid, value.part, value.outcome].every((text) => typeof text === "string"), "bid, part or outcome is missing");
      const bid = bids.get(value.bid) ?? { keys: [], others: new Set() };
      bids.set(value.bid, bid);
      if (value.part === "escrow") bid.keys.push(value);
      else bid.others.add(value.envelope);
    }
    const made = (from) => this.lists.filter(({ escrow }) => escrow === from).flatMap(({ partials }) => partials.map(({ envelope }) => envelope));
    const held = new Set(made(undefined));
    for (const { keys, others } of bids.values()) {
      demand(keys.length <= 1, "a bid has two keys in escrow");
      for (const { envelope, outcome } of keys) {
        demand([...others].some((other) => !held.has(other)), "a key was asked for though its bidder had decrypted");
        const shares = made(envelope);
        const right = (outcome === "opened") === (shares.length > 0) && shares.every((other) => others.has(other));
        demand(right, "the shares that were made with a key are not those of its bid");
      }
    }
    const known = new Set([...bids.values()].flatMap(({ keys }) => keys.map(({ envelope }) => envelope)));
    demand(this.lists.every(({ escrow }) => escrow === undefined || known.has(escrow)), "a key that a list names is not in the file");
  }

  checkList({ kid, member, partials }) {
    const set = this.sets.get(kid);
    for (const { envelope, slot, d, proof } of partials) {
      const key = placeOf(envelope, slot);
      const line = this.lines.get(key);
      demand(line?.kid === kid, "a share for something that is not in the box");
      demand(shareHolds(set, member, line, { d, proof }), `the share of member ${member} for envelope ${envelope} is wrong`);
      if (!this.given.has(key)) this.given.set(key, new Map());
      const others = this.given.get(key);
      demand(!others.has(member) || others.get(member).equals(d), "a member gave two different shares");
      others.set(member, d);
      this.tally.shares += 1;
    }
  }

  /** The shares that an outcome names are enough, and its price comes out of the envelope with nothing but them. */
  checkEnvelope(value) {
    const envelope = new Fields({ envelope: value.envelope }, "the line").digest("envelope");
    if (value.outcome !== "opened") {
      this.tally.failed += 1;
      return;
    }
    demand(Array.isArray(value.shares), "shares are missing");
    const lines = [...this.lines.values()].filter((line) => line.envelope === envelope).sort((a, b) => a.slot - b.slot);
    const kinds = lines.map((line) => this.sets.get(line.kid).kind).join();
    const isKey = value.part === "escrow";
    const forEscrow = ({ kid }) => this.about.escrow !== undefined && this.sets.get(kid).group === this.about.escrow;
    demand(lines.every((line) => forEscrow(line) === isKey), "a key in escrow, and nothing else, is sealed for the escrow");
    demand(kinds === (isKey ? "custodians" : SLOTS[this.about.mode].join()), "an envelope is sealed to others than the key mode says");
    const used = value.shares.map((share) => this.usedShare(envelope, share));
    const points = lines.map(({ kid, slot }) => {
      const shares = used.filter((share) => share.slot === slot).map(({ member, d }) => [member, d]);
      const d = interpolate(this.sets.get(kid).k, shares, 0);
      return present(d, `the shares for slot ${slot} are not enough, or do not belong together`);
    });
    this.tally.opened += 1;
    const shown = value.header !== undefined && value.header !== null;
    demand(shown || value.part !== "price", "the price of an opened envelope is missing");
    if (shown) this.checkPrice(value, lines, points);
  }

  /** A share that an outcome names: one of a list, or the platform's own, which is in no list. */
  usedShare(envelope, value) {
    const fields = new Fields(value, "a share");
    const share = { slot: fields.integer("slot"), member: fields.integer("member"), d: fields.point("d"), proof: fields.scalars("proof") };
    const key = placeOf(envelope, share.slot);
    if (this.given.get(key)?.get(share.member)?.equals(share.d)) return share;
    const line = present(this.lines.get(key), "a share of no slot");
    const set = this.sets.get(line.kid);
    demand(set.kind === "platform", `a share of member ${share.member} that it never gave`);
    demand(shareHolds(set, share.member, line, share), `the share for slot ${share.slot} is not what it must be`);
    this.tally.shares += 1;
    return share;
  }

  checkPrice(value, lines, points) {
    const envelope = readEnvelope(value.header, new SigningKey(value.signer, "the signer"));
    demand(envelope.id === value.envelope, "the signed header is that of another envelope");
    demand(envelope.ctx.part === value.part && envelope.ctx.lot === this.about.lot, "the signed header is of another part or lot");
    demand(envelope.slots.length === lines.length, "the signed header has another number of slots");
    const sets = envelope.slots.map((slot, i) => {
      const set = present(this.sets.get(slot.kid), "a key set is missing");
      const same = slot.kid === lines[i].kid && lineBytes({ ...slot, envelope: envelope.id }).equals(lineBytes(lines[i]));
      demand(same, "a line is not that of the signed header");
      demand(envelope.ctx.tender === set.tender && envelope.ctx.group === set.group, "the envelope is for another lot");
      checkEphemeral(set, slot);
      return set;
    });
    const bid = openPrice(envelope, sets, points, base64url(value.payload, "payload"));
    const said = value.price;
    demand(said?.amount === bid.amount && said?.currency === bid.currency, "the price that was read out is not the one in the envelope");
    this.tally.prices += 1;
  }
}

function verify(path, platformKeys) {
  const file = readFileSync(path);
  const bundle = new Bundle(platformKeys);
  let [number, ended, from] = [0, false, 0];
  while (from < file.length) {
    number += 1;
    const end = file.indexOf(10, from);
    at(`line ${number}`, () => {
      demand(end >= 0, "it has no end: the file is cut");
      demand(!ended, "there is something behind the last line");
      ended = bundle.line(number, strictJson(utf8(file.subarray(from, end), "it"), "it"));
    });
    from = end + 1;
  }
  if (!ended) throw new Undecided("the file is cut off: its last line is missing");
  bundle.conclude();
  return bundle;
}

function main(words) {
  const [paths, keys] = [[], []];
  for (let i = 0; i < words.length; i += 1) (words[i] === "--vkey" ? keys.push(words[(i += 1)] ?? "") : paths.push(words[i]));
  if (paths.length !== 1 || keys.length === 0) {
    console.error("usage: verify.mjs BUNDLE --vkey VERIFIER [--vkey VERIFIER]...");
    return 2;
  }
  try {
    const { about, tally } = verify(paths[0], keys.map(verifierKey));
    const rows = {
      lot: about.lot, tender: about.tender, "key mode": about.mode, "custodians (k of n)": tally.custodians,
      "shares verified": tally.shares, "envelopes opened": tally.opened, "envelopes not opened": tally.failed,
      "prices decrypted again": tally.prices, "log proof": "not checked",
    };
    for (const [name, value] of Object.entries(rows)) console.log(`${name.padEnd(24)}${value}`);
    console.log("holds: every share is right, and every price that was read out comes out of its sealed envelope");
    return 0;
  } catch (error) {
    if (error instanceof Refuted) console.log(`refuted: ${error.message}`);
    else if (error instanceof Undecided || error.code === "ENOENT") console.log(`undecided: ${error.message}`);
    else throw error;
    return error instanceof Refuted ? 1 : 3;
  }
}

process.exitCode = main(process.argv.slice(2));
