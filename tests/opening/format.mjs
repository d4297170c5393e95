// What all objects have in common: verdicts, strict JSON, small texts, signing keys, signed objects (docs/opening-format.md,
// "Encodings" and "Signed objects").

import { createHash, createPublicKey, verify } from "node:crypto";
import { N, Point, fromBytes } from "./p256.mjs";

export class Refuted extends Error {}
export class Undecided extends Error {}

/** Goes on where something holds. */
export function demand(holds, what) {
  if (!holds) throw new Refuted(what);
}

/** The value, which must be there. */
export function present(value, what) {
  demand(value !== undefined, what);
  return value;
}

export const sha256 = (...pieces) => pieces.reduce((hash, piece) => hash.update(piece), createHash("sha256")).digest();
export const concat = (...pieces) => Buffer.concat(pieces.map((piece) => Buffer.from(piece)));
export const VERSION = "sealbid/1";

/** Bytes of a signed object as JSON. */
const MAX_JWS = 16 * 1024;
export const MAX_PARTIALS_JWS = 256 * 1024;

/** base64url without padding, in the one text that stands for its bytes. */
export function base64url(text, what) {
  const bytes = Buffer.from(typeof text === "string" ? text : "", "base64url");
  demand(typeof text === "string" && bytes.toString("base64url") === text, `${what} is not base64url`);
  return bytes;
}

/** UTF-8, without tolerance. */
export function utf8(bytes, what) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Refuted(`${what} is not UTF-8`);
  }
}

/** A number that no field has: negative, with a fraction or an exponent, or too large to count with. */
class OtherNumber {}

// One token of RFC 8259: a sign, a string, a number or a word.
const TOKEN = /[ \t\n\r]*(?:([{}[\],:])|("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)|(true|false|null))/y;
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Reads JSON. JSON.parse takes the last of two fields of one name and turns 1.0 into 1; two readers that choose differently
 * would see two bids, so both are errors here.
 */
export function strictJson(text, what) {
  let at = 0;
  const refuse = (why) => { throw new Refuted(`${what} is not JSON as it must be: ${why} at ${at}`); };
  function token() {
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(text);
    if (!found) refuse("no value");
    at = TOKEN.lastIndex;
    return found;
  }
  function string(literal) {
    const value = JSON.parse(literal);
    if (LONE_SURROGATE.test(value)) refuse("half a character");
    return value;
  }
  /** The elements up to `end`, separated by commas. */
  function list(end, depth, element) {
    if (depth > 100) refuse("too deep");
    let next = token();
    if (next[1] === end) return;
    for (;;) {
      element(next, depth + 1);
      const separator = token()[1];
      if (separator === end) return;
      if (separator !== ",") refuse("no comma");
      next = token();
    }
  }
  function value([, sign, literal, number, word], depth) {
    if (literal !== undefined) return string(literal);
    if (word !== undefined) return JSON.parse(word);
    if (number !== undefined) return /^[0-9]+$/.test(number) && Number.isSafeInteger(Number(number)) ? Number(number) : new OtherNumber();
    if (sign === "[") {
      const elements = [];
      list("]", depth, (first, deeper) => elements.push(value(first, deeper)));
      return elements;
    }
    if (sign !== "{") refuse("no value");
    const fields = Object.create(null);
    list("}", depth, (first, deeper) => {
      if (first[2] === undefined) refuse("no name");
      const name = string(first[2]);
      if (name in fields) refuse(`${name} twice`);
      if (token()[1] !== ":") refuse("no colon");
      fields[name] = value(token(), deeper);
    });
    return fields;
  }
  const result = value(token(), 0);
  if (!/^[ \t\n\r]*$/.test(text.slice(at))) refuse("something behind it");
  return result;
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof OtherNumber);

/** An object whose fields are taken one by one, so that in the end none is left that nobody asked for. */
export class Fields {
  constructor(value, what) {
    demand(isObject(value), `${what} is not an object`);
    this.left = new Map(Object.entries(value));
    this.what = what;
  }

  static ofBytes(bytes, what, limit = MAX_JWS) {
    demand(bytes.length <= limit, `${what} is larger than ${limit} bytes`);
    return new Fields(strictJson(utf8(bytes, what), what), what);
  }

  has(name) {
    return this.left.has(name);
  }

  take(name, fits, kind) {
    const value = this.left.get(name);
    this.left.delete(name);
    demand(fits(value), `${this.what}: ${name} is not ${kind}`);
    return value;
  }

  text(name, pattern = /^/) {
    return this.take(name, (value) => typeof value === "string" && pattern.test(value), "the text that it must be");
  }

  is(name, expected) {
    demand(this.text(name) === expected, `${this.what}: ${name} is not ${expected}`);
  }

  integer(name, largest = 255) {
    return this.take(name, (value) => typeof value === "number" && value <= largest, `a number up to ${largest}`);
  }

  ident(name) {
    return this.text(name, /^[a-z0-9-]{1,64}$/);
  }

  kid(name) {
    return this.text(name, /^[0-9a-f]{32}$/);
  }

  /** 32 bytes in hex, kept as text: equal texts are equal digests. */
  digest(name) {
    return this.text(name, /^[0-9a-f]{64}$/);
  }

  /** RFC 3339 in UTC with milliseconds, a day that exists. */
  time(name) {
    const text = this.text(name, /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/);
    const date = new Date(text);
    demand(!Number.isNaN(date.getTime()) && date.toISOString() === text, `${this.what}: ${name} is not a time`);
    return text;
  }

  bytes(name, length) {
    const bytes = base64url(this.text(name), `${this.what}: ${name}`);
    demand(length === undefined || bytes.length === length, `${this.what}: ${name} has not ${length} bytes`);
    return bytes;
  }

  point(name) {
    return present(Point.fromCompressed(this.bytes(name, 33)), `${this.what}: ${name} is not a point`);
  }

  uncompressed(name) {
    return present(Point.fromUncompressed(this.bytes(name, 65)), `${this.what}: ${name} is not a point`);
  }

  /** Two scalars of 32 bytes: every proof but that of a polynomial. */
  scalars(name) {
    const bytes = this.bytes(name, 64);
    return [scalar(bytes.subarray(0, 32), name), scalar(bytes.subarray(32), name)];
  }

  list(name) {
    return this.take(name, Array.isArray, "a list");
  }

  object(name) {
    return new Fields(this.take(name, isObject, "an object"), `${this.what}: ${name}`);
  }

  objects(name) {
    return this.list(name).map((value) => new Fields(value, `${this.what}: ${name}`));
  }

  points(name) {
    const point = (text) => Point.fromCompressed(base64url(text, `${this.what}: ${name}`));
    return this.list(name).map((text) => present(point(text), `${this.what}: ${name} has what is not a point`));
  }

  end() {
    demand(this.left.size === 0, `${this.what}: ${[...this.left.keys()][0]} is not a field of it`);
  }
}

export function scalar(bytes, what) {
  const value = fromBytes(bytes);
  demand(value < N, `${what} is not a scalar`);
  return value;
}

// Ed25519 points of small order, by y: under them one signature fits many messages.
const SMALL_ORDER = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]);

/** A public signing key as bundles have it: `{kid, alg, public_key}` and perhaps more. */
export class SigningKey {
  constructor(value, what) {
    demand(isObject(value), `${what}: a key is missing`);
    this.alg = value.alg;
    this.bytes = base64url(value.public_key, `${what}: public_key`);
    let jwk;
    if (this.alg === "ES256") {
      demand(Point.fromUncompressed(this.bytes), `${what}: public_key is not a point`);
      const half = (from) => this.bytes.subarray(from, from + 32).toString("base64url");
      jwk = { kty: "EC", crv: "P-256", x: half(1), y: half(33) };
    } else {
      demand(this.alg === "EdDSA" && this.bytes.length === 32, `${what}: not a key of EdDSA or ES256`);
      const y = Buffer.from(this.bytes);
      y[31] &= 0x7f;
      demand(!SMALL_ORDER.has(y.toString("hex")), `${what}: a key of small order`);
      jwk = { kty: "OKP", crv: "Ed25519", x: value.public_key };
    }
    this.kid = sha256(this.alg, Buffer.from([0]), this.bytes).toString("hex", 0, 16);
    demand(value.kid === this.kid, `${what}: a kid is not that of its key`);
    this.key = createPublicKey({ key: jwk, format: "jwk" });
  }

  signed(message, signature) {
    // Ed25519 has its own digest; ECDSA signatures are r and s, as in RFC 7518 section 3.4.
    return this.alg === "EdDSA"
      ? verify(null, message, this.key, signature)
      : verify("sha256", message, { key: this.key, dsaEncoding: "ieee-p1363" }, signature);
  }
}

/** A signed object (RFC 7515 section 7.2.2) of one type: its payload, and the key that must have signed it. */
export class Jws {
  constructor(value, typ, limit = MAX_JWS) {
    const wire = new Fields(value, typ);
    demand(Buffer.byteLength(JSON.stringify(value)) <= limit, `${typ} is larger than ${limit} bytes`);
    [this.protected, this.body] = [wire.text("protected"), wire.text("payload")];
    this.signature = wire.bytes("signature", 64);
    wire.end();
    const header = Fields.ofBytes(base64url(this.protected, `${typ}: protected`), `${typ}: header`);
    [this.alg, this.kid] = [header.text("alg", /^(EdDSA|ES256)$/), header.kid("kid")];
    header.is("typ", typ);
    header.end();
    [this.typ, this.limit] = [typ, limit];
    this.payload = base64url(this.body, `${typ}: payload`);
  }

  /** The payload's fields, after the version that all of them begin with. */
  fields() {
    const fields = Fields.ofBytes(this.payload, this.typ, this.limit);
    if (this.typ !== "sealbid-envelope+jws") fields.is("v", VERSION);
    return fields;
  }

  verify(key) {
    const names = this.kid === key.kid && this.alg === key.alg;
    demand(names, `${this.typ} names another key than the one that must sign it`);
    demand(key.signed(`${this.protected}.${this.body}`, this.signature), `${this.typ}: the signature is not valid`);
    return this;
  }
}
