// What is done, without drawing it: reading a lot, getting a key ready, sealing, and submitting.
import {
  bidPart, checkReceipt, documentsPart, FormError, keyProof, makeHeader, newSigner, parseVerifier, readKeySets, restorePayload,
  sealPayload, signerFromPem, signHeader, uploadPayload, verifyingKey,
} from '../seal/index.js';
import { unbase64url } from '../seal/bytes.js';
import { keys, payloads } from './store.js';

/** How long a broken line is waited for. */
const PATIENCE_MS = 15 * 60_000;

/** Reads a lot, its deadline, and the key sets that its bids are sealed to, which must be the platform's and for this lot. */
export async function readLot(api, id) {
  const path = `/v1/lots/${encodeURIComponent(id)}`;
  const [lot, said, platform, time] = await Promise.all([
    api.get(path), api.get(`${path}/key-set`), api.get('/v1/platform-key'), api.time(id),
  ]);
  // A key of the bidder's own would have to outlive this page until the opening: `sealbid seal` keeps one.
  if (said.mode === 'bidder' || said.mode === 'dual') throw new FormError('own_key_needed');
  const platformKey = verifyingKey(platform.alg, unbase64url(platform.public_key));
  const opens = lot.schedule.opens_at ?? lot.schedule.deadline_at;
  const read = async ({ key_set: signed }, expected) => {
    const sets = await readKeySets([signed], platformKey);
    const fits = ({ tender, group, opens_not_before }) => tender === lot.project_id && group === expected && opens_not_before <= opens;
    if (!sets.every(fits)) throw new FormError('other_lot');
    return sets;
  };
  const documents = await read(said, lot.id);
  // Of two envelopes the price opens in a round of its own, under a key of its own.
  const two = lot.terms.envelopes === 'two';
  const price = two ? await read(await api.get(`${path}/key-set?round=second`), `${lot.id}-price`) : documents;
  const keySets = { price, documents };
  return { lot, keySets, protects: said.protects, verifier: parseVerifier(platform.verifier), time };
}

/** One's own bid on a lot, where there is one. */
export async function ownBid(api, lot) {
  try {
    const mine = await api.get(`/v1/lots/${lot}/bids/mine`);
    return mine.bid_id ? mine : null;
  } catch (problem) {
    if (problem.status === 404) return null;
    throw problem;
  }
}

/** The key that this browser keeps for a user, if it is registered and in force. */
export async function knownKey(api, user) {
  const [kept, registered] = await Promise.all([keys.get(user.id).catch(() => null), api.get('/v1/signing-keys')]);
  const active = registered.items.filter(({ state }) => state === 'active').map(({ kid }) => kid);
  return { kept: kept && active.includes(kept.kid) ? kept : null, active };
}

async function register(api, signing, user) {
  await api.post('/v1/signing-keys', { proof: await keyProof(signing, user.id) }, crypto.randomUUID());
  return signing;
}

/** Makes a key, keeps it in this browser and registers it. */
export async function makeKey(api, user) {
  const signing = await newSigner();
  await keys.put(user.id, signing);
  await navigator.storage?.persist?.();
  return register(api, signing, user);
}

/** Reads a key from a file, and registers it where it is not. */
export async function keyFromFile(api, user, file, active) {
  const signing = await signerFromPem(await file.text());
  return active.includes(signing.kid) ? signing : register(api, signing, user);
}

/** Seals a part, or brings back what this browser sealed of the very same content before. */
async function sealedOnce(plain, place, slots, progress) {
  const kept = await payloads.get(place).catch(() => null);
  if (kept?.digest === plain.digest && kept.state.secrets.length === slots) {
    return { payload: await restorePayload(plain.plaintext, kept.state), key: kept.key };
  }
  const payload = await sealPayload(plain.plaintext, slots, progress);
  const sealed = { payload, key: crypto.randomUUID() };
  // Where the browser keeps nothing, a page that is closed begins anew; that is all.
  await payloads.put(place, { digest: plain.digest, state: payload.secretState(), key: sealed.key }).catch(() => {});
  return sealed;
}

/**
 * Seals a bid: {parts, rev}, each part with the header that is to be signed. Files are read twice, for their digests and to be
 * sealed; `progress` is told which share is done. A part that is the same as before is the same payload again, which is what lets
 * a price change without its documents, and a bid be confirmed.
 */
export async function seal({ lot, keySets, user, mine }, { amount, note, files }, signing, progress) {
  const bidder = user.org_id;
  const binding = { tender: lot.project_id, lot: lot.id, bidder };
  const total = 2 * files.reduce((sum, { blob }) => sum + blob.size, 0) || 1;
  let done = 0;
  const step = (bytes) => progress(Math.min(1, (done += bytes) / total));
  const price = { amount, currency: lot.terms.currency, note: note || undefined };
  const plain = { price: await bidPart({ ...binding, part: 'price' }, price) };
  if (files.length > 0) plain.documents = await documentsPart(binding, files, step);
  const rev = (mine?.rev ?? 0) + 1;
  const subject = { lot: lot.id, bidder, rev, docRev: lot.document_revision, created: new Date().toISOString() };
  const parts = [];
  for (const [part, content] of Object.entries(plain)) {
    const sealed = await sealedOnce(content, `${lot.id} ${bidder} ${part}`, keySets[part].length, step);
    const header = await makeHeader({ ...subject, part }, sealed.payload, keySets[part]);
    parts.push({ part, inside: content.files, header, ...sealed });
  }
  return { parts, rev, signing, key: crypto.randomUUID() };
}

/**
 * Signs exactly what was shown, uploads, has the bid checked and submits it; returns the answer with its receipt, which has been
 * verified. It may be called again after whatever happened: signatures and keys are made once, so there is one bid and one receipt.
 */
export async function submit(api, { lot, verifier }, bid, tell) {
  const patient = api.patient(PATIENCE_MS);
  bid.envelopes ??= await Promise.all(bid.parts.map(({ header }) => signHeader(header, bid.signing)));
  const total = bid.parts.reduce((sum, { payload }) => sum + payload.size, 0);
  let before = 0;
  for (const { payload, key } of bid.parts) {
    await uploadPayload(patient, lot.id, payload, key, (there) => tell('uploading', (before + there) / total));
    before += payload.size;
  }
  tell('checking', 1);
  const body = { envelopes: bid.envelopes };
  await patient.post(`/v1/lots/${lot.id}/bids/check`, body);
  tell('submitting', 1);
  const answer = await patient.post(`/v1/lots/${lot.id}/bids`, body, bid.key);
  await checkReceipt(answer.receipt, verifier, bid.parts.map(({ header }) => header.id));
  return answer;
}
