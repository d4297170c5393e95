// Sending a sealed payload in chunks, in any order, from wherever the line broke.
import { base64 } from './bytes.js';

/** Requests under way at the same time. */
const AT_ONCE = 3;

async function contentDigest(chunk) {
  return `sha-256=:${base64(new Uint8Array(await crypto.subtle.digest('SHA-256', chunk)))}:`;
}

/**
 * Uploads a payload, or what is missing of it, and completes it; returns the upload's id. `api` sends a request until it is answered
 * (see page/api.js); `key` finds the same upload again; `progress` is told how many bytes are there.
 */
export async function uploadPayload(api, lot, payload, key, progress = () => {}) {
  const body = { purpose: 'bid', size_bytes: payload.size, root: payload.root };
  const { id } = await api.post(`/v1/lots/${lot}/uploads`, body, key);
  for (;;) {
    // The answer to a repeated request is the first one: what is missing now must be asked for.
    const status = await api.get(`/v1/uploads/${id}`);
    const missing = status.missing.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, at) => first + at));
    const lengthOf = (n) => Math.min(status.chunk_bytes, payload.size - n * status.chunk_bytes);
    let there = payload.size - missing.reduce((sum, n) => sum + lengthOf(n), 0);
    progress(there);
    const work = async () => {
      for (let n = missing.shift(); n !== undefined; n = missing.shift()) {
        const chunk = await payload.chunk(n);
        await api.put(`/v1/uploads/${id}/chunks/${n}`, chunk, { 'Content-Digest': await contentDigest(chunk) });
        progress(there += chunk.length);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    try {
      await api.post(`/v1/uploads/${id}/actions/complete`, undefined, crypto.randomUUID());
      return id;
    } catch (problem) {
      if (problem.code !== 'upload-incomplete') throw problem;
    }
  }
}
