// Changes a bundle that holds, in one way after another, and demands that verify.mjs refuses every copy.
//
//   node tests/opening/damage.mjs BUNDLE --vkey VERIFIER
//
// Numbers of lines are put right after a change, so that it is the change that is found. Ends with 1 when a copy is taken.

import { spawnSync } from "node:child_process";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const verifier = fileURLToPath(new URL("verify.mjs", import.meta.url));
const [path, ...vkey] = process.argv.slice(2);
const good = readFileSync(path, "utf8").trimEnd().split("\n");

/** The text of bytes in which one is another; at 0, that of a compressed point becomes its negative. */
function flipped(text, at = 0.5) {
  const bytes = Buffer.from(text, "base64url");
  bytes[Math.floor(bytes.length * at)] ^= 1;
  return bytes.toString("base64url");
}

/** A payload with other content under the old signature. */
function rewritten(jws, change) {
  const payload = JSON.parse(Buffer.from(jws.payload, "base64url"));
  change(payload);
  jws.payload = Buffer.from(JSON.stringify(payload)).toString("base64url");
}

// What is changed, the lines that it needs, the change of the lines of these kinds (each kind a list of places), and the
// code that it must end with.
const CHANGES = [
  ["a price", "envelope", (l, [e]) => { l[e].price.amount = `1${l[e].price.amount}`; }],
  ["a currency", "envelope", (l, [e]) => { l[e].price.currency = "EUR"; }],
  ["a price taken out", "envelope", (l, [e]) => { l[e].price = null; }],
  ["the share of another envelope", "envelope", (l, [e, f]) => { l[e].shares[0].d = l[f].shares[0].d; }],
  ["a share for another slot", "envelope", (l, [e]) => { l[e].shares[0].slot = 3; }],
  ["a share of another member", "envelope", (l, [e]) => { l[e].shares[0].member = 4; }],
  ["too few shares", "envelope", (l, [e]) => { l[e].shares.pop(); }],
  ["a share twice", "envelope", (l, [e]) => { l[e].shares.push(l[e].shares[0]); }],
  ["a share that is no point", "envelope", (l, [e]) => { l[e].shares[0].d = l[e].shares[0].proof; }],
  ["a byte of a payload", "envelope", (l, [e]) => { l[e].payload = flipped(l[e].payload); }],
  ["a payload cut off", "envelope", (l, [e]) => { l[e].payload = l[e].payload.slice(0, 400); }],
  ["the payload of another", "envelope", (l, [e, f]) => { l[e].payload = l[f].payload; }],
  ["the header of another", "envelope", (l, [e, f]) => { l[e].header = l[f].header; }],
  ["the signature of a header", "envelope", (l, [e]) => { l[e].header.signature = flipped(l[e].header.signature); }],
  ["the commitment in a header", "envelope", (l, [e]) => { rewritten(l[e].header, (header) => { header.kc = flipped(header.kc); }); }],
  ["another bidder's key", "envelope", (l, [e, f]) => { l[e].signer = l[f].signer; }],
  ["the ephemeral key of another", "envelope", (l, [e, f]) => { l[e].lines[0].enc = l[f].lines[0].enc; }],
  ["a proof of an ephemeral key", "envelope", (l, [e]) => { l[e].lines[0].pok = flipped(l[e].lines[0].pok); }],
  ["no proof of an ephemeral key", "envelope", (l, [e]) => { delete l[e].lines[0].pok; }],
  ["the digest of a sealed secret", "envelope", (l, [e, f]) => { l[e].lines[0].ct = l[f].lines[0].ct; }],
  ["an envelope twice", "envelope", (l, [e]) => { l.splice(e, 0, l[e]); }],
  ["another lot", "key_set", (l) => { l[0].lot += "0"; }],
  ["another key mode", "key_set", (l) => { l[0].mode = l[0].mode === "dual" ? "custodians" : "dual"; }],
  ["the key set taken out", "key_set", (l, [k]) => { l.splice(k, 1); }],
  ["the signature of the key set", "key_set", (l, [k]) => { l[k].key_set.signature = flipped(l[k].key_set.signature); }],
  ["a proof of a platform's share", "key_set", (l, _, { envelope: [e] }) => { l[e].shares[0].proof = flipped(l[e].shares[0].proof); }, 1, "platform"],
  ["the ceremony taken out", "ceremony", (l, [c]) => { l.splice(c, 1); }],
  ["the signature of the draft", "ceremony", (l, [c]) => { l[c].draft.signature = flipped(l[c].draft.signature); }],
  ["the salt of the draft", "ceremony", (l, [c]) => { rewritten(l[c].draft, (draft) => { draft.salt = flipped(draft.salt); }); }],
  ["a member's key", "ceremony", (l, [c]) => { l[c].members[0] = l[c].members[1]; }],
  ["a commit taken out", "ceremony", (l, [c]) => { l[c].messages.commit.pop(); }],
  ["a message of round 1 of another", "ceremony", (l, [c]) => { const { round1 } = l[c].messages; round1[0] = round1[1]; }],
  ["a polynomial", "ceremony", (l, [c]) => { rewritten(l[c].messages.round1[0], (said) => { said.groups[0].commitments.reverse(); }); }],
  ["a package of round 2", "ceremony", (l, [c]) => { rewritten(l[c].messages.round2[0], (said) => { said.packages[0].ct = flipped(said.packages[0].ct); }); }],
  ["an acceptance taken out", "ceremony", (l, [c]) => { l[c].messages.accept.pop(); }],
  ["acceptances in another order", "ceremony", (l, [c]) => { l[c].messages.accept.reverse(); }],
  ["the snapshot taken out", "snapshot", (l, [s]) => { l.splice(s, 1); }],
  ["two snapshots", "snapshot", (l, [s]) => { l.splice(s, 0, l[s]); }],
  ["the root of the snapshot", "snapshot", (l, [s]) => { rewritten(l[s].snapshot, (shot) => { shot.root = "0".repeat(64); }); }],
  ["an envelope taken out", "snapshot", (l, _, { envelope: [e] }) => { l.splice(e, 1); }],
  ["a list taken out", "partials", (l, [p]) => { l.splice(p, 1); }],
  ["a proof in a list", "partials", (l, [p]) => { rewritten(l[p].partials, (list) => { list.partials[0].proof = flipped(list.partials[0].proof); }); }],
  ["the list of another member", "partials", (l, [p, q]) => { l[p].signer = l[q].signer; }],
  ["a list that claims a key in escrow", "partials", (l, [p], { envelope: [e] }) => { l[p].escrow = l[e].envelope; }],
  ["an envelope that claims to be an escrow", "envelope", (l, [e]) => { l[e].part = "escrow"; }],
  ["an own key taken out", "own_key", (l, [o]) => { l.splice(o, 1); }],
  ["the last line taken out", "end", (l) => { l.pop(); }, 3],
  ["another version", "end", (l) => { l[0].type = "sealbid-opening/2"; }, 3],
  ["a line of an unknown type", "end", (l) => { l.splice(1, 0, { type: "note" }); }, 3],
  ["another platform's key", "end", (l) => { l[0].platform = l.find(({ type }) => type === "envelope").signer; }, 3],
];
// Changes of what a platform that lies would sign anew, to come behind its signatures: the change of a payload.
const LIES = [
  ["the key set: another kid", "key_set", (set) => { set.kid = "0".repeat(32); }],
  ["the key set: another key", "key_set", (set) => { set.X = flipped(set.X, 0); }],
  ["the key set: other shares", "key_set", (set) => { set.shares.push(flipped(set.shares.pop(), 0)); }],
  ["the key set: fewer needed", "key_set", (set) => { set.k -= 1; }],
  ["the key set: another shape", "key_set", (set) => { set.kind = set.kind === "platform" ? "custodians" : "platform"; }],
  ["the key set: a later opening", "key_set", (set) => { set.opens_not_before = set.opens_not_before.replace("20", "21"); }],
  ["the key set: no such day", "key_set", (set) => { set.opens_not_before = "2026-02-30T00:00:00.000Z"; }],
  ["the key set: one field more", "key_set", (set) => { set.more = 1; }],
  ["the key set: another ceremony", "snapshot", null, (set) => { set.ceremony = "0".repeat(64); }],
  ["the key set: other people", "snapshot", null, (set) => { set.members[0].org += "0"; }],
  ["the snapshot: another root", "snapshot", (shot) => { shot.root = "0".repeat(64); }],
  ["the snapshot: another count", "snapshot", (shot) => { shot.count += 1; }],
  ["the snapshot: another lot", "snapshot", (shot) => { shot.lot += "0"; }],
  ["the snapshot: another key set", "snapshot", (shot) => { shot.kid = "0".repeat(32); }],
];
// Changes of the text itself.
const TEXT_CHANGES = [
  ["the last line feed taken out", (text) => text.slice(0, -1)],
  ["something behind the last line", (text) => `${text}{}\n`],
  ["the number of lines", (text) => text.replace(/"lines":(\d+)/, (_, n) => `"lines":${Number(n) + 1}`)],
  ["a price twice", (text) => text.replace('"price":', '"price":{"amount":"1.00","currency":"CNY"},"price":')],
];

const liar = generateKeyPairSync("ed25519");
const liarKey = Buffer.from(liar.publicKey.export({ format: "jwk" }).x, "base64url");
const hex = (length, ...pieces) => pieces.reduce((hash, piece) => hash.update(piece), createHash("sha256")).digest("hex").slice(0, length);
const liarKid = hex(32, "EdDSA\0", liarKey);
const liarTyped = Buffer.concat([Buffer.from([1]), liarKey]);
const liarVkey = ["--vkey", `liar+${hex(8, "liar\n", liarTyped)}+${liarTyped.toString("base64")}`];

/** Signs an object anew, perhaps changed. */
function signedAnew(jws, change) {
  if (change) rewritten(jws, change);
  const { typ } = JSON.parse(Buffer.from(jws.protected, "base64url"));
  jws.protected = Buffer.from(JSON.stringify({ alg: "EdDSA", kid: liarKid, typ })).toString("base64url");
  jws.signature = sign(null, Buffer.from(`${jws.protected}.${jws.payload}`), liar.privateKey).toString("base64url");
}

/** The whole bundle under the key of a platform that lies: `changes` by the type of the line. */
function lied(changes) {
  const lines = good.map((line) => JSON.parse(line));
  lines[0].platform = { alg: "EdDSA", kid: liarKid, public_key: liarKey.toString("base64url") };
  for (const line of lines) if (["key_set", "snapshot"].includes(line.type)) signedAnew(line[line.type], changes[line.type]);
  return written(lines);
}

const written = (lines) => lines.map((line) => `${JSON.stringify(line)}\n`).join("");

function* copies() {
  for (const [what, kind, change, code = 1, mode] of CHANGES) {
    const lines = good.map((line) => JSON.parse(line));
    const places = (type) => lines.flatMap((line, at) => (line.type === type ? [at] : []));
    if (places(kind).length === 0 || (mode && lines[0].mode !== mode)) continue;
    change(lines, places(kind), { envelope: places("envelope") });
    const end = lines.at(-1);
    if (end.type === "end") end.lines = lines.length;
    yield [what, written(lines), code, vkey];
  }
  for (const [what, kind, change, ofKeySet] of LIES) {
    if (!good.some((line) => JSON.parse(line).type === kind)) continue;
    const changes = ofKeySet ? { key_set: ofKeySet } : { [kind]: change };
    yield [what, lied(changes), 1, liarVkey];
  }
  for (const [what, change] of TEXT_CHANGES) yield [what, change(`${good.join("\n")}\n`), 1, vkey];
}

const scratch = mkdtempSync(join(tmpdir(), "opening-"));
const copy = join(scratch, "copy.ndjson");
const run = (text, keys) => {
  writeFileSync(copy, text);
  return spawnSync(process.execPath, [verifier, copy, ...keys], { encoding: "utf8" });
};
try {
  let refused = 0;
  let taken = 0;
  // Written or signed anew as it is, it must hold: otherwise no refusal says anything.
  for (const [text, keys] of [[written(good.map((line) => JSON.parse(line))), vkey], [lied({}), liarVkey]]) {
    const { status, stdout, stderr } = run(text, keys);
    if (status !== 0) throw new Error(`the unchanged bundle does not hold\n${stdout}${stderr}`);
  }
  for (const [what, text, code, keys] of copies()) {
    const { status, stdout, stderr } = run(text, keys);
    const verdict = status === 1 ? "refuted: " : "undecided: ";
    if (status === code && stdout.startsWith(verdict)) refused += 1;
    else {
      taken += 1;
      console.error(`${what}: ended with ${status} instead of ${code}\n${stdout}${stderr}`);
    }
    if (process.env.VERBOSE) console.log(`${what.padEnd(36)}${stdout.trimEnd()}`);
  }
  console.log(`refused: ${refused} changed copies`);
  process.exitCode = taken === 0 && refused >= 15 ? 0 : 1;
} finally {
  rmSync(scratch, { recursive: true });
}
