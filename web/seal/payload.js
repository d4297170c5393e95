// The payload: AES-256-GCM in chunks of 1 MiB, committed to its key, with the Merkle root over what is sent.
import { concat, hex, random, release, utf8 } from './bytes.js';
import { CHUNK, TAG } from './format.js';
import { leafHash, rootOf } from './merkle.js';

/** Chunks that are read at once (a browser reads few large pieces much faster than many small ones), and how often at one time. */
const READ = 4;
const AT_ONCE = 2;

/** The file is no longer what was sealed; nothing of it may be sent. */
export class Changed extends Error {}

/** The keys that follow from the salt and the secrets of all slots. */
export async function payloadKeys(salt, secrets) {
  const material = await crypto.subtle.importKey('raw', concat(...secrets), 'HKDF', false, ['deriveBits', 'deriveKey']);
  const hkdf = (label) => ({ name: 'HKDF', hash: 'SHA-256', salt, info: utf8(`sealbid/1 ${label}`) });
  const bytes = async (label, length) => new Uint8Array(await crypto.subtle.deriveBits(hkdf(label), material, length * 8));
  const key = await crypto.subtle.deriveKey(hkdf('payload'), material, { name: 'AES-GCM', length: 256 }, false, ['encrypt']);
  return { key, prefix: await bytes('nonce', 7), kc: await bytes('commit', 32) };
}

/** A sealed payload: what headers over it need, and its chunks, which are made again whenever they are asked for. */
export class SealedPayload {
  #plaintext;
  #keys;

  constructor(plaintext, salt, secrets, keys, leaves = []) {
    this.#plaintext = plaintext;
    this.#keys = keys;
    Object.assign(this, { salt, secrets, leaves, len: plaintext.size });
    this.chunks = Math.max(1, Math.ceil(plaintext.size / CHUNK));
    this.size = plaintext.size + this.chunks * TAG;
  }

  /** The commitment to the key. */
  get kc() {
    return this.#keys.kc;
  }

  /** The Merkle root, as hex. */
  get root() {
    return hex(rootOf(this.leaves));
  }

  /** The plaintext of `count` chunks from chunk n on. */
  async #read(n, count) {
    return new Uint8Array(await this.#plaintext.slice(n * CHUNK, (n + count) * CHUNK).arrayBuffer());
  }

  async #seal(n, plain) {
    const counter = new Uint8Array(5);
    new DataView(counter.buffer).setUint32(0, n);
    counter[4] = n === this.chunks - 1 ? 1 : 0;
    const iv = concat(this.#keys.prefix, counter);
    return new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, this.#keys.key, plain));
  }

  /** Seals everything once, to know the root; what comes out is thrown away. */
  async learn(progress) {
    let next = 0;
    const work = async () => {
      while (next < this.chunks) {
        const first = next;
        next += READ;
        const plain = await this.#read(first, READ);
        for (let n = first; n < Math.min(first + READ, this.chunks); n += 1) {
          const chunk = await this.#seal(n, plain.subarray((n - first) * CHUNK, (n - first + 1) * CHUNK));
          this.leaves[n] = await leafHash(chunk);
          progress(chunk.length - TAG);
          release(chunk);
        }
        release(plain);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  /**
   * Chunk n, as it is sent. It is compared with the leaf it gave when the payload was sealed: with other content under the same nonce
   * it would betray both, so it leaves this function only if it is the same. Whoever has sent it may release it.
   */
  async chunk(n) {
    const plain = await this.#read(n, 1);
    const chunk = await this.#seal(n, plain);
    release(plain);
    const leaf = await leafHash(chunk);
    if (!this.leaves[n] || hex(leaf) !== hex(this.leaves[n])) throw new Changed();
    return chunk;
  }

  /** What brings the payload back, together with the same plaintext: whoever has it can open the bid. */
  secretState() {
    return { salt: this.salt, secrets: this.secrets, leaves: this.leaves };
  }
}

/** Seals a Blob for envelopes of `slots` slots, in constant memory; `fixed` is for published vectors only. */
export async function sealPayload(plaintext, slots, progress = () => {}, fixed = null) {
  const { salt, secrets } = fixed ?? { salt: random(32), secrets: Array.from({ length: slots }, () => random(32)) };
  const payload = new SealedPayload(plaintext, salt, secrets, await payloadKeys(salt, secrets));
  await payload.learn(progress);
  return payload;
}

/** Brings back a payload that was sealed before, over the same plaintext. */
export async function restorePayload(plaintext, { salt, secrets, leaves }) {
  return new SealedPayload(plaintext, salt, secrets, await payloadKeys(salt, secrets), leaves);
}
