// Receipts: the platform's signed promise that exactly these envelopes are on record.
import { FormError, base64, concat, hex, sha256, text, unbase64, unbase64url, unhex, utf8 } from './bytes.js';
import { verify, verifyingKey } from './keys.js';

const PROMISE = 'sealbid/audit/promise/v1';
const ED25519 = 1;

/** The platform's key as a verifier of signed notes: name+id+base64. */
export function parseVerifier(verifier) {
  const [name, id, ...rest] = verifier.split('+');
  const bytes = unbase64(rest.join('+'));
  if (bytes[0] !== ED25519 || bytes.length !== 33) throw new FormError('bad_verifier');
  return { name, id, ...verifyingKey('EdDSA', bytes.slice(1)) };
}

/** The lines of a signed note, if `verifier` signed it. */
async function openNote(note, verifier) {
  const end = note.lastIndexOf('\n\n');
  const said = note.slice(0, end + 1);
  for (const line of note.slice(end + 2).split('\n')) {
    const [, name, value] = line.split(' ');
    if (name !== verifier.name) continue;
    const bytes = unbase64(value);
    if (hex(bytes.slice(0, 4)) === verifier.id && await verify(verifier, utf8(said), bytes.slice(4))) return said.split('\n');
  }
  throw new FormError('receipt', 'not signed by the platform');
}

/** Checks a receipt against the platform's key and the ids of the envelopes; returns what it says. */
export async function checkReceipt(receipt, verifier, envelopeIds) {
  const p = unbase64url(receipt.p);
  const part = sha256(concat(utf8('sealbid/audit/part/v1/p\n'), unbase64url(receipt.s_p), p));
  const commitment = sha256(concat(utf8('sealbid/audit/leaf/v1\n'), part, unhex(receipt.h_c), unhex(receipt.h_i)));
  const [kind, , promised] = await openNote(receipt.promise, verifier);
  if (hex(commitment) !== receipt.c || kind !== PROMISE || promised !== base64(commitment)) throw new FormError('receipt', 'commitment');
  const said = JSON.parse(text(p));
  const named = [...(said.data?.envelope_ids ?? [])].sort();
  if (JSON.stringify(named) !== JSON.stringify([...envelopeIds].sort())) throw new FormError('receipt', 'other envelopes');
  return said;
}
