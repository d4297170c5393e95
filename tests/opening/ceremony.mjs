// The ceremony in which custodians made a key that none of them holds (docs/opening-format.md, "Ceremony").

import { Jws, SigningKey, VERSION, concat, demand, present, scalar, sha256 } from "./format.mjs";
import { keySet, members } from "./keyset.mjs";
import { Point, sum } from "./p256.mjs";
import { knows, knowsPolynomial } from "./proofs.mjs";

function readDraft(value, key) {
  const jws = new Jws(value, "sealbid-ceremony+jws").verify(key);
  const fields = jws.fields();
  const [tender, lot] = [fields.ident("tender"), fields.ident("lot")];
  const groups = fields.objects("groups").map((group) => {
    const read = { group: group.ident("group"), opens_not_before: group.time("opens_not_before") };
    group.end();
    return read;
  });
  const distinct = new Set(groups.map(({ group }) => group)).size === groups.length;
  demand(groups.length >= 1 && groups.length <= 2 && distinct, "a draft has one or two groups");
  const profile = fields.text("profile", /^(strict|open)$/);
  const k = fields.integer("k");
  const people = members(fields.objects("members"), k);
  const salt = fields.bytes("salt", 32).toString("base64url");
  fields.end();
  // The id is the digest of these bytes; one content must not have two ids.
  const canonical = JSON.stringify({ v: VERSION, tender, lot, groups, profile, k, members: people, salt });
  demand(jws.payload.equals(Buffer.from(canonical)), "a draft is not in its canonical form");
  return { id: sha256(jws.payload), tender, groups, profile, k, members: people };
}

// What each message holds behind {v, ceremony, member}, and whether it fits what was said before it.
const STEPS = {
  commit: {
    read: (fields) => ({ round1: fields.digest("round1"), key: fields.point("key"), pok: fields.scalars("pok") }),
    check({ draft }, member, { key, pok }) {
      const bound = { group: "ceremony-key", ctx: draft.id.toString("hex"), slot: member, ct: sha256("") };
      demand(knows(key, bound, pok), `member ${member} does not prove that it knows its key of the ceremony`);
    },
  },
  round1: {
    read: (fields) => ({
      groups: fields.objects("groups").map((group) => {
        const [commitments, proof] = [group.points("commitments"), group.bytes("proof", 65)];
        group.end();
        return { commitments, proof };
      }),
    }),
    check({ draft, commit }, member, { groups }, digest) {
      const promised = present(commit.get(member), `member ${member} did not commit`).message.round1;
      demand(promised === digest.toString("hex"), `member ${member} said something else than it committed to`);
      const fits = groups.length === draft.groups.length && groups.every(({ commitments }) => commitments.length === draft.k);
      demand(fits, `round 1 of member ${member} has another shape`);
      for (const { commitments, proof } of groups) {
        const r = Point.fromCompressed(proof.subarray(0, 33));
        const z = scalar(proof.subarray(33), "the proof of a polynomial");
        const proven = r !== undefined && knowsPolynomial(member, commitments[0], r, z);
        demand(proven, `member ${member} does not prove that it knows its polynomial`);
      }
    },
  },
  round2: {
    read: (fields) => ({
      packages: fields.objects("packages").map((one) => {
        const [to, group, enc] = [one.integer("to"), one.integer("group"), one.uncompressed("enc")];
        const [ct, pok] = [one.bytes("ct", 48), one.scalars("pok")];
        one.end();
        return { to, group, enc, ct, pok };
      }),
    }),
    check({ draft }, member, { packages }) {
      const others = draft.members.map(({ i }) => i).filter((to) => to !== member);
      const expected = others.flatMap((to) => draft.groups.map((_, group) => `${to}.${group}`));
      const said = packages.map(({ to, group }) => `${to}.${group}`);
      demand(String(said) === String(expected), `round 2 of member ${member} has another shape`);
      for (const { to, group, enc, ct, pok } of packages) {
        const info = concat("sealbid/1 dkg2\0", draft.id, [0, member, 0, to]);
        const bound = { group: "ceremony-package", ctx: sha256(info).toString("hex"), slot: group, ct: sha256(ct) };
        demand(knows(enc, bound, pok), `a package of member ${member} does not prove that its key is known`);
      }
    },
  },
  accept: {
    read: (fields) => ({ transcript: fields.digest("transcript"), key_sets: fields.list("key_sets") }),
    check({ transcript, sets }, member, accept) {
      const same = accept.transcript === transcript.toString("hex")
        && String(accept.key_sets) === String(sets.map((set) => sha256(set.bytes).toString("hex")))
        && accept.key_sets.every((digest) => typeof digest === "string");
      demand(same, `member ${member} accepted another ceremony`);
    },
  },
};

/** The messages of a step by member, each signed by its member for this ceremony, and checked. */
function step(name, line, keys, so_far) {
  const { draft } = so_far;
  const messages = line.messages?.[name];
  const said = new Map();
  for (const value of Array.isArray(messages) ? messages : []) {
    const jws = new Jws(value, `sealbid-dkg-${name}+jws`);
    const fields = jws.fields();
    demand(fields.digest("ceremony") === draft.id.toString("hex"), "a message is of another ceremony");
    const member = fields.integer("member");
    const message = STEPS[name].read(fields);
    fields.end();
    const key = present(keys[member - 1], "a message of nobody");
    demand(draft.members[member - 1]?.sign_kid === key.kid, `the key of member ${member} is not the draft's`);
    jws.verify(key);
    STEPS[name].check(so_far, member, message, sha256(jws.payload));
    said.set(member, { message, digest: sha256(jws.payload) });
  }
  for (const { i } of draft.members) demand(said.has(i), `member ${i} said nothing at step ${name}`);
  return said;
}

/** The key sets that follow: every public key is a sum of the members' committed polynomials, at 0 or at a member's index. */
function keySets({ draft, round1, transcript }) {
  const indices = draft.members.map(({ i }) => i);
  return draft.groups.map(({ group, opens_not_before }, index) => {
    const at = (x) => {
      const terms = indices.flatMap((i) =>
        round1.get(i).message.groups[index].commitments.map((point, m) => [BigInt(x) ** BigInt(m), point]));
      return present(sum(terms), "a ceremony leads to no key");
    };
    return keySet({
      tender: draft.tender, group, opens_not_before, profile: draft.profile, kind: "custodians", k: draft.k, X: at(0),
      shares: indices.map(at), members: draft.members, ceremony: transcript.toString("hex"),
    });
  });
}

/** The key sets of a ceremony in which all members signed one transcript. */
export function heldCeremony(line) {
  const draft = readDraft(line.draft, new SigningKey(line.tenderer, "the tenderer"));
  demand(Array.isArray(line.members), "members are missing");
  const keys = line.members.map((member) => new SigningKey(member, "a member"));
  const ceremony = { draft };
  for (const name of ["commit", "round1", "round2"]) ceremony[name] = step(name, line, keys, ceremony);
  const digests = ["commit", "round1", "round2"].flatMap((name) => draft.members.map(({ i }) => ceremony[name].get(i).digest));
  ceremony.transcript = sha256("sealbid/1 transcript", draft.id, ...digests);
  ceremony.sets = keySets(ceremony);
  const accepted = [...step("accept", line, keys, ceremony).keys()];
  const in_order = line.messages.accept.length === accepted.length && accepted.every((member, i) => member === i + 1);
  demand(in_order, "acceptances are not one of every member, in their order");
  return ceremony.sets;
}
