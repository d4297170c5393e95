// Sealing of format `sealbid/1` for browsers and whatever else has WebCrypto. Nothing here draws, asks a server or keeps anything.
export { FormError } from './bytes.js';
export { makeHeader, signHeader } from './envelope.js';
export { keyProof, newSigner, signerFromPem, verifyingKey } from './keys.js';
export { parseKeySet, readKeySets } from './keyset.js';
export { bidPart, documentsPart, objection } from './part.js';
export { Changed, restorePayload, sealPayload } from './payload.js';
export { checkReceipt, parseVerifier } from './receipt.js';
export { uploadPayload } from './upload.js';
