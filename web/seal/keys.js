// Keys that sign: the bidder's, which the browser keeps and never shows, and the checking of the platform's.
import { ed25519 } from '@noble/curves/ed25519.js';
import { FormError, base64url, concat, hex, json, sha256, unbase64, unbase64url, utf8 } from './bytes.js';
import { TYP, VERSION } from './format.js';

const ES256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const ED25519 = { name: 'Ed25519' };

/** The id of a key: it names algorithm and key at once. */
export const keyId = (alg, publicKey) => hex(sha256(concat(utf8(alg), Uint8Array.of(0), publicKey))).slice(0, 32);

const VERIFY = {
  EdDSA: (key, message, signature) => ed25519.verify(signature, message, key, { zip215: false }),
  ES256: async (key, message, signature) => {
    const imported = await crypto.subtle.importKey('raw', key, ES256, false, ['verify']);
    return crypto.subtle.verify(ES256, imported, signature, message);
  },
};

/** A public key: {alg, publicKey, kid}. */
export const verifyingKey = (alg, publicKey) => ({ alg, publicKey, kid: keyId(alg, publicKey) });

/** Whether a signature of this key is over this message. */
export async function verify({ alg, publicKey }, message, signature) {
  try {
    return await VERIFY[alg](publicKey, message, signature);
  } catch {
    return false;
  }
}

/** A key that signs: {alg, publicKey, kid, key}. The private half is a CryptoKey that cannot be taken out of the browser. */
const signer = (alg, publicKey, key) => ({ ...verifyingKey(alg, publicKey), key });

/** Makes a signing key. Keep it in IndexedDB, which stores such keys without showing them. */
export async function newSigner() {
  const pair = await crypto.subtle.generateKey(ES256, false, ['sign', 'verify']);
  return signer('ES256', new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey)), pair.privateKey);
}

const fromJwk = {
  ES256: ({ x, y }) => concat(Uint8Array.of(4), unbase64url(x), unbase64url(y)),
  EdDSA: ({ x }) => unbase64url(x),
};

/** Reads a PKCS#8 private key in PEM: P-256, or Ed25519 where the browser has it. */
export async function signerFromPem(pem) {
  const body = /^-----BEGIN PRIVATE KEY-----([\s\S]+)-----END PRIVATE KEY-----$/.exec(pem.trim());
  if (!body) throw new FormError('not_a_key');
  let der;
  try {
    der = unbase64(body[1].replace(/\s/g, ''));
  } catch {
    throw new FormError('not_a_key');
  }
  for (const [alg, algorithm] of [['ES256', ES256], ['EdDSA', ED25519]]) {
    try {
      // Once in a form that shows the public half, and then in one that shows nothing.
      const open = await crypto.subtle.importKey('pkcs8', der, algorithm, true, ['sign']);
      const publicKey = fromJwk[alg](await crypto.subtle.exportKey('jwk', open));
      return signer(alg, publicKey, await crypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']));
    } catch {
      // The other algorithm, perhaps.
    }
  }
  throw new FormError('not_a_key');
}

/** A flattened JWS over exactly these bytes. */
export async function sign(signing, typ, payload) {
  const protectedText = base64url(utf8(json({ alg: signing.alg, kid: signing.kid, typ })));
  const payloadText = base64url(payload);
  const algorithm = signing.alg === 'ES256' ? ES256 : ED25519;
  const signature = await crypto.subtle.sign(algorithm, signing.key, utf8(`${protectedText}.${payloadText}`));
  return { protected: protectedText, payload: payloadText, signature: base64url(new Uint8Array(signature)) };
}

/** The proof with which a user registers a key: made with the key, for this user. */
export function keyProof(signing, user) {
  const said = { v: VERSION, user, alg: signing.alg, public_key: base64url(signing.publicKey) };
  return sign(signing, TYP.keyProof, utf8(json(said)));
}
