// Key sets and their members (docs/opening-format.md, "Key set").

import { Jws, VERSION, demand, sha256 } from "./format.mjs";
import { interpolate } from "./p256.mjs";

/** Members of whom k open: 3 to 15, numbered from 1, nobody twice, at least two of them needed. */
export function members(objects, k) {
  const all = objects.map((fields) => {
    const member = {
      i: fields.integer("i"),
      custodian: fields.ident("custodian"),
      org: fields.ident("org"),
      sign_kid: fields.kid("sign_kid"),
      kem: fields.point("kem").compressed().toString("base64url"),
    };
    fields.end();
    return member;
  });
  const distinct = (name) => new Set(all.map((member) => member[name])).size === all.length;
  const fits = all.length >= 3 && all.length <= 15 && k >= 2 && k <= all.length && all.every((member, at) => member.i === at + 1);
  demand(fits && distinct("custodian") && distinct("sign_kid") && distinct("kem"), "members are not as they must be");
  return all;
}

/** Whether the shares lie on one polynomial of degree k - 1, and of no lower one, that is X at 0: k open and fewer do not. */
function consistent(k, X, shares) {
  const points = shares.map((share, at) => [at + 1, share]);
  return X.equals(interpolate(k, points, 0))
    && (k === 1 || !X.equals(interpolate(k - 1, points, 0)))
    && points.slice(k).every(([index, share]) => share.equals(interpolate(k, points, index)));
}

/** A key set with its id and its bytes; two sets are the same when their bytes are. */
export function keySet({ tender, group, kind, k, X, shares, opens_not_before, profile, members: people, ceremony }) {
  if (kind === "custodians") {
    demand(people.length === shares.length && ceremony !== undefined, "a custodians' key set has members and a ceremony");
    demand(consistent(k, X, shares), "the shares of a key set do not belong to its key");
  } else {
    const alone = k === 1 && shares.length === 1 && X.equals(shares[0]) && people.length === 0 && ceremony === undefined;
    demand(alone, "a key set of one member has the shape of another");
  }
  const kid = sha256("sealbid/1 kid", X.compressed(), opens_not_before, group).toString("hex", 0, 16);
  const text = (point) => point.compressed().toString("base64url");
  const wire = {
    v: VERSION, kid, tender, group, kind, k, n: shares.length, X: text(X), shares: shares.map(text), opens_not_before, profile,
    ...(people.length > 0 && { members: people }),
    ...(ceremony !== undefined && { ceremony }),
  };
  return { kid, tender, group, kind, k, X, shares, profile, members: people, bytes: JSON.stringify(wire) };
}

/** A key set that `key` signed, for this opening group, or custodians' for the group of keys in escrow. */
export function signedKeySet(value, key, { group, tender, escrow }) {
  const jws = new Jws(value, "sealbid-keyset+jws").verify(key);
  const fields = jws.fields();
  const kid = fields.kid("kid");
  const kind = fields.text("kind", /^(platform|custodians|bidder)$/);
  const subject = {
    tender: fields.ident("tender"),
    group: fields.ident("group"),
    opens_not_before: fields.time("opens_not_before"),
    profile: fields.text("profile", /^(strict|open)$/),
  };
  const [X, k, n, shares] = [fields.point("X"), fields.integer("k"), fields.integer("n"), fields.points("shares")];
  const people = fields.has("members") ? fields.objects("members") : [];
  const ceremony = fields.has("ceremony") ? fields.digest("ceremony") : undefined;
  fields.end();
  demand(n === shares.length, "a key set has another number of shares than it says");
  demand(kind === "custodians" || people.length === 0, "a key set of one member has members");
  const set = keySet({ ...subject, kind, k, X, shares, members: kind === "custodians" ? members(people, k) : [], ceremony });
  demand(set.kid === kid, "a key set's kid does not follow from it");
  const here = set.group === group || (set.kind === "custodians" && set.group === escrow);
  demand(here && set.tender === tender, "a key set is for another lot");
  return set;
}
