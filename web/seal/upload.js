// Sending a sealed payload in chunks, in any order, from wherever the line broke.
import { base64, concat, release } from './bytes.js';
import { CHUNK, TAG } from './format.js';

/** Requests under way at the same time. */
const AT_ONCE = 3;
/** How often what is missing is asked for before one gives up: a server that goes on losing it is broken. */
const ROUNDS = 20;

async function contentDigest(chunk) {
  return `sha-256=:${base64(new Uint8Array(await crypto.subtle.digest('SHA-256', chunk)))}:`;
}

const numbers = (ranges) => ranges.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, at) => first + at));

/** The upload as it is now. The answer to a repeated announcement is the first one, so this must be asked for. */
async function announce(api, lot, payload, key) {
  const body = { purpose: 'bid', size_bytes: payload.size, root: payload.root };
  const { id } = await api.post(`/v1/lots/${lot}/uploads`, body, key);
  const status = await api.get(`/v1/uploads/${id}`);
  if (status.chunk_bytes !== CHUNK + TAG) throw new Error(`chunks of ${status.chunk_bytes} bytes`);
  return status;
}

async function complete(api, id) {
  try {
    await api.post(`/v1/uploads/${id}/actions/complete`, undefined, crypto.randomUUID());
    return true;
  } catch (problem) {
    if (problem.code !== 'upload-incomplete') throw problem;
    return false;
  }
}

/**
 * Uploads a payload, or what is missing of it, or what the server has lost of it since, and completes it; returns the upload's id.
 * `api` sends a request until it is answered; `key` finds the same upload again; `progress` is told how many bytes are there.
 */
export async function uploadPayload(api, lot, payload, key, progress = () => {}) {
  let status = await announce(api, lot, payload, key).catch((problem) => {
    // It was swept away: it had not been used.
    if (problem.code !== 'not-found') throw problem;
    return announce(api, lot, payload, crypto.randomUUID());
  });
  const path = `/v1/uploads/${status.id}`;
  const lengthOf = (n) => Math.min(status.chunk_bytes, payload.size - n * status.chunk_bytes);
  for (let round = 0; round < ROUNDS; round += 1) {
    const lost = status.needs_restoration;
    // Which chunks are needed is told after the leaf hashes.
    if (lost?.leaves) await api.put(`${path}/leaves`, concat(...payload.leaves));
    const wanted = [...numbers(status.missing), ...numbers(lost?.chunks ?? [])];
    let there = payload.size - wanted.reduce((sum, n) => sum + lengthOf(n), 0);
    progress(there);
    const work = async () => {
      for (let n = wanted.shift(); n !== undefined; n = wanted.shift()) {
        const chunk = await payload.chunk(n);
        await api.put(`${path}/chunks/${n}`, chunk, { 'Content-Digest': await contentDigest(chunk) });
        progress(there += chunk.length);
        release(chunk);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    if (lost) status = await api.get(path);
    if (!status.needs_restoration && await complete(api, status.id)) return status.id;
    status = await api.get(path);
  }
  throw new Error('the server goes on losing what it is sent');
}
