// Bytes and texts: the encodings of the format, each with one spelling per value.
import { sha256 as digest } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js';

export const sha256 = digest;
export const hex = bytesToHex;
export const unhex = hexToBytes;
export const concat = concatBytes;

/** The UTF-8 bytes of a text. */
export const utf8 = (text) => new TextEncoder().encode(text);

/** The text of UTF-8 bytes; anything else is an error. */
export const text = (bytes) => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);

/** base64 with padding, for what other people's formats want. */
export const base64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));

/** base64url without padding. */
export const base64url = (bytes) => base64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

/** The bytes of base64 with padding. */
export const unbase64 = (encoded) => Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));

/** The bytes of base64url without padding, in its one spelling. */
export function unbase64url(encoded) {
  const bytes = /^[\w-]*$/.test(encoded) ? unbase64(encoded.replaceAll('-', '+').replaceAll('_', '/')) : null;
  if (bytes === null || base64url(bytes) !== encoded) throw new FormError('bad_base64');
  return bytes;
}

/** Compact JSON, as everything that is signed has it. */
export const json = (value) => JSON.stringify(value);

/** Random bytes of the system. */
export const random = (length) => crypto.getRandomValues(new Uint8Array(length));

/** Gives the memory of bytes back now, and not when the engine comes to it; they cannot be read any more. */
export const release = (bytes) => { structuredClone(null, { transfer: [bytes.buffer] }); };

/** Something is not of the form that it must have; `reason` is stable. */
export class FormError extends Error {
  constructor(reason, detail = '') {
    super(detail ? `${reason}: ${detail}` : reason);
    this.name = 'FormError';
    this.reason = reason;
  }
}

/**
 * Reads a signed JSON object that has one reading: exactly these fields, those marked `?` perhaps, in compact form. A field that
 * comes twice makes the text differ from what it reads as, and is refused with it.
 */
export function readObject(bytes, fields) {
  const source = text(bytes);
  let value;
  try {
    value = JSON.parse(source);
  } catch {
    throw new FormError('not_json');
  }
  if (json(value) !== source) throw new FormError('not_canonical');
  return checkFields(value, fields);
}

/** Checks that a value is an object of exactly these fields. */
export function checkFields(value, fields) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new FormError('not_an_object');
  const unknown = Object.keys(value).find((name) => !(name in fields) && !(`${name}?` in fields));
  if (unknown !== undefined) throw new FormError('unknown_field', unknown);
  for (const [name, check] of Object.entries(fields)) {
    const [plain, optional] = [name.replace('?', ''), name.endsWith('?')];
    if (!(plain in value)) {
      if (optional) continue;
      throw new FormError('missing_field', plain);
    }
    if (!check(value[plain])) throw new FormError('wrong_field', plain);
  }
  return value;
}

/** What a field may be. */
export const is = {
  text: (value) => typeof value === 'string',
  exactly: (expected) => (value) => value === expected,
  oneOf: (values) => (value) => values.includes(value),
  ident: (value) => typeof value === 'string' && /^[a-z0-9-]{1,64}$/.test(value),
  keyId: (value) => typeof value === 'string' && /^[0-9a-f]{32}$/.test(value),
  digest: (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value),
  time: (value) => typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value) && isDate(value),
  count: (value) => Number.isSafeInteger(value) && value > 0,
  list: (check) => (value) => Array.isArray(value) && value.every(check),
  object: (fields) => (value) => checkFields(value, fields) === value,
};

const isDate = (value) => !Number.isNaN(Date.parse(value)) && new Date(value).toISOString() === value;
