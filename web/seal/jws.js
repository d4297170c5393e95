// Reading signed objects: flattened JWS whose protected header is exactly {alg, kid, typ}.
import { FormError, checkFields, is, readObject, unbase64url, utf8 } from './bytes.js';
import { limits } from './format.js';
import { verify } from './keys.js';

/** Verifies that `key` signed an object of this type, and returns the signed bytes. */
export async function openJws(jws, typ, key) {
  checkFields(jws, { protected: is.text, payload: is.text, signature: is.text });
  if (JSON.stringify(jws).length > limits.jwsBytes) throw new FormError('too_large');
  const said = readObject(unbase64url(jws.protected), { alg: is.text, kid: is.keyId, typ: is.text });
  if (said.typ !== typ) throw new FormError('wrong_typ', said.typ);
  if (said.kid !== key.kid || said.alg !== key.alg) throw new FormError('other_key', said.kid);
  const signature = unbase64url(jws.signature);
  if (!(await verify(key, utf8(`${jws.protected}.${jws.payload}`), signature))) throw new FormError('bad_signature');
  return unbase64url(jws.payload);
}
