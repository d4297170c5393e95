// Seals documents to the key sets that it is given, without a browser: the ciphertext into a file, the envelope as a line of JSON.
import { writeFileSync } from 'node:fs';
import { base64url, concat, unbase64url } from '../../web/seal/bytes.js';
import { documentsPart, makeHeader, newSigner, readKeySets, sealPayload, signHeader, verifyingKey } from '../../web/seal/index.js';

const given = JSON.parse(process.env.SEALBID_SCENE);
const keySets = await readKeySets(given.key_sets, verifyingKey(given.alg, unbase64url(given.public_key)));
const [{ tender, group }] = keySets;
const files = [
  { path: '图纸/a.bin', blob: new Blob([new Uint8Array(5 * 1024 * 1024 + 1).fill(1)]) },
  { path: `${'d'.repeat(90)}/${'f'.repeat(60)}`, blob: new Blob([]) },
];
const { plaintext } = await documentsPart({ tender, lot: group, bidder: 'org-1' }, files);
const payload = await sealPayload(plaintext, keySets.length);
const subject = { lot: group, part: 'documents', bidder: 'org-1', rev: 1, docRev: '0'.repeat(64), created: new Date().toISOString() };
const signing = await newSigner();
const envelope = await signHeader(await makeHeader(subject, payload, keySets), signing);
const chunks = [];
for (let n = 0; n < payload.chunks; n += 1) chunks.push(await payload.chunk(n));
writeFileSync(given.out, concat(...chunks));
console.log(JSON.stringify({ envelope, public_key: base64url(signing.publicKey) }));
