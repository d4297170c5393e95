// The ustar archive that the plaintext of a part is: regular files, constant owner, mode and time.
import { FormError, utf8 } from './bytes.js';

export const BLOCK = 512;
const NAME = 100;
const PREFIX = 155;

/** Zero bytes after a content of `length` bytes. */
export const padding = (length) => (BLOCK - (length % BLOCK)) % BLOCK;

function split(path) {
  const whole = utf8(path);
  if (whole.length <= NAME) return [new Uint8Array(), whole];
  for (let at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1)) {
    const [prefix, name] = [utf8(path.slice(0, at)), utf8(path.slice(at + 1))];
    if (prefix.length <= PREFIX && name.length >= 1 && name.length <= NAME) return [prefix, name];
  }
  throw new FormError('bad_path', path);
}

/** The header block of a regular file. */
export function header(path, length) {
  const [prefix, name] = split(path);
  const block = new Uint8Array(BLOCK);
  const put = (at, content) => block.set(typeof content === 'string' ? utf8(content) : content, at);
  put(0, name);
  put(100, '0000644\x000000000\x000000000\x00');
  put(124, `${length.toString(8).padStart(11, '0')}\x00`);
  put(136, '00000000000\x00');
  put(148, ' '.repeat(8));
  put(156, '0');
  put(257, 'ustar\x0000');
  put(345, prefix);
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(148, `${sum.toString(8).padStart(6, '0')}\x00 `);
  return block;
}

/**
 * The archive of these files as one Blob. A Blob only refers to the files it is put together from: nothing is copied, any stretch of
 * it can be read, and a file that was changed meanwhile cannot be read at all.
 */
export function archive(files) {
  const pieces = files.flatMap(({ path, blob }) => [header(path, blob.size), blob, new Uint8Array(padding(blob.size))]);
  return new Blob([...pieces, new Uint8Array(2 * BLOCK)]);
}
