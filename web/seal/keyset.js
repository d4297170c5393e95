// Key sets: to whom the envelopes of one opening group are sealed. Whoever holds the key (the platform, k of n custodians, the
// bidder), a slot is sealed to X; so one code seals to all of them.
import { FormError, concat, hex, is, readObject, sha256, unbase64url, utf8 } from './bytes.js';
import { TYP, VERSION, limits } from './format.js';
import { openJws } from './jws.js';
import { compressed, pointFromCompressed } from './points.js';

const MEMBER = { i: is.count, org: is.text, role: is.text, sign_kid: is.keyId, kem_pk: is.text };
const FIELDS = {
  v: is.exactly(VERSION),
  kid: is.keyId,
  tender: is.ident,
  group: is.ident,
  kind: is.oneOf(['platform', 'custodians', 'bidder']),
  k: is.count,
  n: is.count,
  X: is.text,
  shares: is.list(is.text),
  'members?': is.list(is.object(MEMBER)),
  opens_not_before: is.time,
  profile: is.oneOf(['strict', 'open']),
  'ceremony?': is.digest,
};

/** Who may hold a key, by kind: one holder without a ceremony, or n of whom k open together. */
const SHAPE = {
  platform: (set) => isSingle(set),
  bidder: (set) => isSingle(set),
  custodians: ({ k, n, shares, members, ceremony }) =>
    k <= n && n <= limits.members && shares.length === n && ceremony !== undefined && members?.length === n
    && members.every((member, at) => member.i === at + 1),
};

const isSingle = ({ k, n, X, shares, members, ceremony }) =>
  k === 1 && n === 1 && shares.length === 1 && shares[0] === X && (members ?? []).length === 0 && ceremony === undefined;

/** The id that follows from a key set's content. */
const idOf = (point, opens, group) => hex(sha256(concat(utf8('sealbid/1 kid'), compressed(point), utf8(opens + group)))).slice(0, 32);

/** Reads the signed bytes of a key set. */
export function parseKeySet(bytes) {
  const set = readObject(bytes, FIELDS);
  if (!SHAPE[set.kind](set)) throw new FormError('key_set_shape', set.kind);
  const point = pointFromCompressed(unbase64url(set.X));
  set.shares.forEach((share) => pointFromCompressed(unbase64url(share)));
  if (idOf(point, set.opens_not_before, set.group) !== set.kid) throw new FormError('key_set_id');
  return { ...set, point };
}

/**
 * Reads a list of signed key sets, one for each slot of an envelope, and checks that all were signed with `key` and are for one
 * project and one opening group.
 */
export async function readKeySets(signed, key) {
  if (signed.length === 0 || signed.length > limits.slots) throw new FormError('key_set_count');
  const sets = [];
  for (const jws of signed) sets.push(parseKeySet(await openJws(jws, TYP.keySet, key)));
  if (sets.some(({ tender, group }) => tender !== sets[0].tender || group !== sets[0].group)) throw new FormError('other_group');
  return sets;
}
