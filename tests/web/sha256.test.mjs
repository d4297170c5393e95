// SHA-256 in pieces against the platform's own, at every length around the ends of blocks and over several pieces.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { hex } from '../../web/seal/bytes.js';
import { digestOf } from '../../web/seal/part.js';
import { Sha256 } from '../../web/seal/sha256.js';

const bytes = new Uint8Array((24 << 20) + 5).map((_, at) => (at * 2_654_435_761) >>> 13);
const expected = (part) => createHash('sha256').update(part).digest('hex');

test('every length around the ends of blocks gives the same digest', () => {
  for (let length = 0; length <= 200; length += 1) {
    const hash = new Sha256();
    hash.update(bytes.subarray(3, 3 + length));
    assert.equal(hex(hash.digest()), expected(bytes.subarray(3, 3 + length)), `${length}`);
  }
});

test('a file of several pieces gives the same digest, and its bytes are told', async () => {
  for (const length of [0, 16 << 20, (16 << 20) + 1, 20 << 20, bytes.length]) {
    let told = 0;
    const part = bytes.subarray(0, length);
    assert.equal(await digestOf(new Blob([part]), (count) => { told += count; }), expected(part));
    assert.equal(told, length);
  }
});

test('a piece that is not whole blocks is the last', () => {
  const hash = new Sha256();
  hash.update(bytes.subarray(0, 65));
  assert.throws(() => hash.update(bytes.subarray(0, 1)));
});
