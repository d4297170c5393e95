// What the plaintext of a part contains: manifest.json, then bid.json (price) or the documents.
import { FormError, hex, json, release, sha256, utf8 } from './bytes.js';
import { VERSION, limits } from './format.js';
import { Sha256 } from './sha256.js';
import { archive, header } from './tar.js';

/** Bytes read at once: a browser reads few large pieces much faster than many small ones. */
const PIECE = 4 << 20;
/** Bytes up to which a file is hashed in one go, by the browser's own SHA-256. */
const ONE_GO = 16 << 20;
// Controls, and characters that turn the direction of reading and make a name look like another.
const STRANGE = /[\u0000-\u001f\u007f-\u009f\\:\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

/** Whether the platform would take a path: relative, plain, without surprise when it is unpacked. */
export function isPlainPath(path) {
  const parts = path.split('/');
  return utf8(path).length <= limits.pathBytes && !STRANGE.test(path) && path.isWellFormed()
    && parts.length <= limits.pathDepth && parts.every((part) => !['', '.', '..'].includes(part));
}

/** What forbids these files, as a stable reason with the path, or null. */
export function objection(files) {
  if (files.length === 0 || files.length > limits.files) return { reason: 'wrong_file_count', path: '' };
  const [paths, directories] = [new Set(['manifest.json']), new Set()];
  for (const { path } of files) {
    if (!isPlainPath(path)) return { reason: 'bad_path', path };
    try {
      header(path, 0);
    } catch {
      return { reason: 'bad_path', path };
    }
    // Some file systems do not tell cases apart.
    const folded = path.toLowerCase();
    if (paths.has(folded)) return { reason: 'path_collision', path };
    paths.add(folded);
    folded.split('/').slice(0, -1).reduce((above, part) => {
      const directory = above ? `${above}/${part}` : part;
      directories.add(directory);
      return directory;
    }, '');
  }
  const clash = [...paths].find((path) => directories.has(path));
  if (clash !== undefined) return { reason: 'path_collision', path: clash };
  const total = files.reduce((sum, { blob }) => sum + blob.size, 0);
  return total > limits.documentsBytes ? { reason: 'files_too_large', path: '' } : null;
}

/** SHA-256 of a file of any size, in pieces; `progress` is told how many bytes each piece had. */
export async function digestOf(blob, progress = () => {}) {
  if (blob.size <= ONE_GO) {
    const digest = await crypto.subtle.digest('SHA-256', await blob.arrayBuffer());
    progress(blob.size);
    return hex(new Uint8Array(digest));
  }
  const hash = new Sha256();
  const read = (at) => blob.slice(at, at + PIECE).arrayBuffer();
  // One piece is read while the one before is hashed.
  for (let at = 0, next = read(0); at < blob.size; at += PIECE) {
    const piece = new Uint8Array(await next);
    next = read(at + PIECE);
    hash.update(piece);
    progress(piece.length);
    release(piece);
  }
  return hex(hash.digest());
}

async function part(binding, files, progress) {
  const entries = [];
  for (const { path, blob } of files) entries.push({ path, len: blob.size, sha256: await digestOf(blob, progress) });
  const { tender, lot, bidder, part: name } = binding;
  const manifest = utf8(json({ v: VERSION, tender, lot, bidder, part: name, files: entries }));
  if (manifest.length > limits.manifestBytes) throw new FormError('manifest_too_large');
  const plaintext = archive([{ path: 'manifest.json', blob: new Blob([manifest]) }, ...files]);
  if (plaintext.size > (name === 'documents' ? limits.documentsBytes : limits.priceBytes)) throw new FormError('files_too_large');
  // The manifest holds the digest of everything else: its own is that of the whole part.
  return { plaintext, files: entries, digest: hex(sha256(manifest)) };
}

/** The plaintext of part `documents`; `files` is [{path, blob}]. */
export function documentsPart(binding, files, progress) {
  const wrong = objection(files);
  if (wrong) throw new FormError(wrong.reason, wrong.path);
  return part({ ...binding, part: 'documents' }, files, progress);
}

/** The plaintext of part `price` (or `reserve`): amount and currency as texts, perhaps validity_days and note. */
export function bidPart(binding, { amount, currency, validity_days, note }) {
  if (!/^(0|[1-9]\d*)(\.\d+)?$/.test(amount) || amount.length > limits.amountChars) throw new FormError('bad_amount');
  if (!/^[A-Z]{3}$/.test(currency)) throw new FormError('bad_currency');
  if (note !== undefined && utf8(note).length > limits.noteBytes) throw new FormError('note_too_long');
  // A field that is undefined is not written.
  const bid = new Blob([utf8(json({ amount, currency, validity_days, note }))]);
  return part(binding, [{ path: 'bid.json', blob: bid }]);
}
