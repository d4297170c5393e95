// The names and bounds of the format, as the server has them.

export const VERSION = 'sealbid/1';

export const TYP = {
  envelope: 'sealbid-envelope+jws',
  keySet: 'sealbid-keyset+jws',
  keyProof: 'sealbid-key-proof+jws',
};

/** Plaintext bytes of a chunk, and what sealing adds to each. */
export const CHUNK = 1 << 20;
export const TAG = 16;

export const limits = {
  jwsBytes: 16 * 1024,
  slots: 4,
  members: 64,
  documentsBytes: 4 * 1024 ** 3,
  priceBytes: 128 * 1024,
  manifestBytes: 1024 * 1024,
  files: 2000,
  pathBytes: 255,
  pathDepth: 8,
  amountChars: 32,
  noteBytes: 4000,
};
