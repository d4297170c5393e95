// The Merkle tree hash of RFC 9162 over the chunks of a payload, as they are sent.
import { concat, release, sha256 } from './bytes.js';

const node = (left, right) => sha256(concat(Uint8Array.of(1), left, right));

/** The hash of a chunk as a leaf, by the browser's own SHA-256. */
export async function leafHash(chunk) {
  const leaf = new Uint8Array(chunk.length + 1);
  leaf.set(chunk, 1);
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', leaf));
  release(leaf);
  return hash;
}

/** The root over leaf hashes. */
export function rootOf(leaves) {
  if (leaves.length === 0) return sha256(new Uint8Array());
  if (leaves.length === 1) return leaves[0];
  let half = 1;
  while (half * 2 < leaves.length) half *= 2;
  return node(rootOf(leaves.slice(0, half)), rootOf(leaves.slice(half)));
}
