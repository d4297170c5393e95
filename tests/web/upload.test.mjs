// Uploading against a server that forgets: what is missing, lost or swept away is sent again, and nothing else is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sealPayload, uploadPayload } from '../../web/seal/index.js';
import { leafHash, rootOf } from '../../web/seal/merkle.js';
import { concat, hex } from '../../web/seal/bytes.js';

const CHUNK = (1 << 20) + 16;
const payload = await sealPayload(new Blob([new Uint8Array(5 << 20).map((_, at) => at % 249)]), 1);

/** A server in memory that takes chunks as they come. `keys` are the uploads that it knows. */
function server({ has = [], lost = null, swept = false, forgets = 0 } = {}) {
  const chunks = new Map(has.map((n) => [n, null]));
  const count = Math.ceil(payload.size / CHUNK);
  const sent = [];
  let damage = lost;
  let gone = swept;
  const problem = (code) => Object.assign(new Error(code), { code });
  return {
    sent,
    chunks,
    async post(path, body) {
      if (path === '/v1/lots/lot-1/uploads') {
        assert.deepEqual(body, { purpose: 'bid', size_bytes: payload.size, root: payload.root });
        return { id: 'upl-1' };
      }
      assert.equal(path, '/v1/uploads/upl-1/actions/complete');
      if (forgets-- > 0) chunks.delete(3);
      if (chunks.size < count) throw problem('upload-incomplete');
      return {};
    },
    async get(path) {
      assert.equal(path, '/v1/uploads/upl-1');
      if (gone) {
        gone = false;
        throw problem('not-found');
      }
      const missing = Array.from({ length: count }, (_, n) => n).filter((n) => !chunks.has(n)).map((n) => ({ first: n, last: n }));
      return { id: 'upl-1', chunk_bytes: CHUNK, missing, needs_restoration: damage };
    },
    async put(path, bytes, headers) {
      if (path.endsWith('/leaves')) {
        assert.deepEqual(bytes, concat(...payload.leaves));
        damage = { leaves: false, chunks: [{ first: 1, last: 2 }] };
        return;
      }
      const n = Number(path.split('/').at(-1));
      assert.match(headers['Content-Digest'], /^sha-256=:[A-Za-z0-9+/]{43}=:$/);
      sent.push(n);
      // A network has its own copy.
      chunks.set(n, bytes.slice());
      if (damage && n === 2) damage = null;
    },
  };
}

test('a whole payload arrives, and its chunks have the root that was announced', async () => {
  const api = server();
  const told = [];
  assert.equal(await uploadPayload(api, 'lot-1', payload, 'key', (there) => told.push(there)), 'upl-1');
  assert.deepEqual(api.sent.toSorted(), [0, 1, 2, 3, 4]);
  assert.equal(told.at(-1), payload.size);
  const leaves = [];
  for (let n = 0; n < 5; n += 1) leaves.push(await leafHash(api.chunks.get(n)));
  assert.equal(hex(rootOf(leaves)), payload.root);
});

test('only what is missing is sent', async () => {
  const api = server({ has: [0, 2, 3] });
  await uploadPayload(api, 'lot-1', payload, 'key');
  assert.deepEqual(api.sent.toSorted(), [1, 4]);
});

test('what a server forgets before it completes is sent again', async () => {
  const api = server({ forgets: 1 });
  await uploadPayload(api, 'lot-1', payload, 'key');
  assert.deepEqual(api.sent.filter((n) => n === 3).length, 2);
});

test('what a server has lost of a complete upload is sent again, after the leaf hashes', async () => {
  const api = server({ has: [0, 1, 2, 3, 4], lost: { leaves: true, chunks: [] } });
  await uploadPayload(api, 'lot-1', payload, 'key');
  assert.deepEqual(api.sent.toSorted(), [1, 2]);
});

test('an upload that was swept away is made anew, and a server that only forgets is given up', async () => {
  await uploadPayload(server({ swept: true }), 'lot-1', payload, 'key');
  await assert.rejects(uploadPayload(server({ forgets: 1000 }), 'lot-1', payload, 'key'), /goes on losing/);
});
