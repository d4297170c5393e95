//! HPKE base mode (RFC 9180), suite DHKEM(P-256, HKDF-SHA256) 0x0010, HKDF-SHA256 0x0001, AES-256-GCM 0x0002.
//!
//! Promise: [`seal`] and [`open`] agree byte for byte with every other implementation of the RFC for one message with an
//! empty aad. Two things differ from a library, and are why this is here: the sender brings its ephemeral key, so that
//! it can prove knowledge of it, and the receiver brings the Diffie-Hellman point, so that the private key may be
//! elsewhere or in shares.
//!
//! Deliberately absent: the modes with a pre-shared or sender key, exports, and more than one message per context
//! outside of tests.

use super::kdf;
use super::points::{Point, PrivateScalar};
use crate::kernel::secret::Secret;
use ring::aead::{AES_256_GCM, Aad, Algorithm, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

const KEM_SUITE: &[u8] = b"KEM\x00\x10";
const VERSION_LABEL: &[u8] = b"HPKE-v1";

/// The sealed message does not open: wrong key, wrong info or altered bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sealed message does not open")]
pub struct OpenFailed;

/// The registered number of an AEAD (RFC 9180 section 7.3) and its implementation.
#[derive(Clone, Copy)]
struct Aead {
    id: u16,
    algorithm: &'static Algorithm,
}

const AES_256: Aead = Aead { id: 2, algorithm: &AES_256_GCM };
const AES_256_KEY_LEN: usize = 32;

/// Seals one message to `recipient` under a fresh `ephemeral` key, which must never be used again. The encapsulated key
/// is the ephemeral's public point.
pub fn seal(ephemeral: &PrivateScalar, recipient: &Point, info: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let dh = ephemeral.times(recipient);
    let shared = shared_secret(&dh, &ephemeral.public(), recipient);
    Context::new::<AES_256_KEY_LEN>(AES_256, &shared, info).seal(&[], plaintext)
}

/// Opens one message, given the Diffie-Hellman point: the recipient's private key times `enc`.
///
/// # Errors
/// [`OpenFailed`] if anything differs from what was sealed.
pub fn open(
    dh: &Point,
    enc: &Point,
    recipient: &Point,
    info: &[u8],
    ciphertext: &[u8],
) -> Result<Secret<Vec<u8>>, OpenFailed> {
    let shared = shared_secret(dh, enc, recipient);
    Context::new::<AES_256_KEY_LEN>(AES_256, &shared, info).open(&[], ciphertext)
}

/// ExtractAndExpand of RFC 9180 section 4.1.
pub(super) fn shared_secret(dh: &Point, enc: &Point, recipient: &Point) -> Secret<[u8; 32]> {
    let dh = Secret::new(dh.x());
    let prk = labeled_extract(KEM_SUITE, &[], b"eae_prk", dh.expose());
    let kem_context = [enc.to_uncompressed(), recipient.to_uncompressed()].concat();
    labeled_expand(KEM_SUITE, prk.expose(), b"shared_secret", &kem_context)
}

fn labeled_extract(suite: &[u8], salt: &[u8], label: &[u8], ikm: &[u8]) -> Secret<[u8; 32]> {
    kdf::extract(salt, &[VERSION_LABEL, suite, label, ikm])
}

fn labeled_expand<const N: usize>(suite: &[u8], prk: &[u8; 32], label: &[u8], info: &[u8]) -> Secret<[u8; N]> {
    kdf::expand(prk, &[&(N as u16).to_be_bytes(), VERSION_LABEL, suite, label, info])
}

/// An encryption context (RFC 9180 section 5.2): key, base nonce and sequence number.
struct Context {
    key: LessSafeKey,
    base_nonce: Secret<[u8; NONCE_LEN]>,
    sequence: u64,
}

impl Context {
    /// KeySchedule of RFC 9180 section 5.1 in mode base; `KEY` is the AEAD's key length.
    fn new<const KEY: usize>(aead: Aead, shared: &Secret<[u8; 32]>, info: &[u8]) -> Self {
        let suite = [&b"HPKE\x00\x10\x00\x01"[..], &aead.id.to_be_bytes()].concat();
        let psk_id_hash = labeled_extract(&suite, &[], b"psk_id_hash", &[]);
        let info_hash = labeled_extract(&suite, &[], b"info_hash", info);
        let schedule = [&[0][..], psk_id_hash.expose(), info_hash.expose()].concat();
        let secret = labeled_extract(&suite, shared.expose(), b"secret", &[]);
        let key = labeled_expand::<KEY>(&suite, secret.expose(), b"key", &schedule);
        let key = UnboundKey::new(aead.algorithm, key.expose()).expect("KEY is the key length of the algorithm");
        Self {
            key: LessSafeKey::new(key),
            base_nonce: labeled_expand::<NONCE_LEN>(&suite, secret.expose(), b"base_nonce", &schedule),
            sequence: 0,
        }
    }

    fn next_nonce(&mut self) -> Nonce {
        let mut nonce = *self.base_nonce.expose();
        for (byte, counter) in nonce[NONCE_LEN - 8..].iter_mut().zip(self.sequence.to_be_bytes()) {
            *byte ^= counter;
        }
        self.sequence += 1;
        Nonce::assume_unique_for_key(nonce)
    }

    fn seal(&mut self, aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let mut buffer = Vec::with_capacity(plaintext.len() + self.key.algorithm().tag_len());
        buffer.extend_from_slice(plaintext);
        let nonce = self.next_nonce();
        self.key
            .seal_in_place_append_tag(nonce, Aad::from(aad), &mut buffer)
            .expect("a slot's secret is far below the AEAD's limit");
        buffer
    }

    fn open(&mut self, aad: &[u8], ciphertext: &[u8]) -> Result<Secret<Vec<u8>>, OpenFailed> {
        let mut buffer = ciphertext.to_vec();
        let nonce = self.next_nonce();
        let opened = self.key.open_in_place(nonce, Aad::from(aad), &mut buffer);
        let len = opened.map_err(|_| OpenFailed)?.len();
        buffer.truncate(len);
        Ok(Secret::new(buffer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::encoding::{from_hex, hex};
    use ::hpke::{Deserializable, Kem as _, OpModeR, OpModeS, Serializable, aead::AesGcm256, kdf::HkdfSha256};
    use ::hpke::{kem::DhP256HkdfSha256 as Kem, single_shot_open, single_shot_seal};
    use ring::aead::{AES_128_GCM, CHACHA20_POLY1305};
    use serde_json::Value;

    fn bytes(value: &Value) -> Vec<u8> {
        from_hex(value.as_str().unwrap()).unwrap()
    }

    fn context(id: u64, shared: &Secret<[u8; 32]>, info: &[u8]) -> Context {
        match id {
            1 => Context::new::<16>(Aead { id: 1, algorithm: &AES_128_GCM }, shared, info),
            2 => Context::new::<32>(AES_256, shared, info),
            3 => Context::new::<32>(Aead { id: 3, algorithm: &CHACHA20_POLY1305 }, shared, info),
            _ => panic!("unknown AEAD {id}"),
        }
    }

    #[test]
    fn rfc_9180_vectors_are_reproduced_with_all_three_aeads_and_every_sequence_number() {
        let file: Value = serde_json::from_str(include_str!("../../../tests/vectors/rfc9180-p256-base.json")).unwrap();
        let mut messages = 0;
        for vector in file.as_array().unwrap() {
            let private = |name: &str| PrivateScalar::from_bytes(&bytes(&vector[name]).try_into().unwrap()).unwrap();
            let (ephemeral, recipient) = (private("skEm"), private("skRm"));
            assert_eq!(ephemeral.public().to_uncompressed().to_vec(), bytes(&vector["enc"]));
            assert_eq!(recipient.public().to_uncompressed().to_vec(), bytes(&vector["pkRm"]));
            let enc = Point::from_uncompressed(&bytes(&vector["enc"])).unwrap();
            let shared = shared_secret(&recipient.times(&enc), &enc, &recipient.public());
            assert_eq!(shared.expose().to_vec(), bytes(&vector["shared_secret"]));
            let id = vector["aead_id"].as_u64().unwrap();
            let (mut sender, mut receiver) =
                (context(id, &shared, &bytes(&vector["info"])), context(id, &shared, &bytes(&vector["info"])));
            assert_eq!(sender.base_nonce.expose().to_vec(), bytes(&vector["base_nonce"]));
            for message in vector["encryptions"].as_array().unwrap() {
                let (aad, pt, ct) = (bytes(&message["aad"]), bytes(&message["pt"]), bytes(&message["ct"]));
                assert_eq!(hex(&sender.seal(&aad, &pt)), hex(&ct));
                assert_eq!(receiver.open(&aad, &ct).unwrap().expose(), &pt);
                messages += 1;
            }
        }
        assert_eq!(messages, 3 * 257);
    }

    #[test]
    fn another_implementation_opens_what_we_seal() {
        let (secret, public) = Kem::gen_keypair();
        let recipient = Point::from_uncompressed(&public.to_bytes()).unwrap();
        let ephemeral = PrivateScalar::generate().unwrap();
        let ct = seal(&ephemeral, &recipient, b"info", b"message");
        let enc = <Kem as ::hpke::Kem>::EncappedKey::from_bytes(&ephemeral.public().to_uncompressed()).unwrap();
        let opened =
            single_shot_open::<AesGcm256, HkdfSha256, Kem>(&OpModeR::Base, &secret, &enc, b"info", &ct, b"").unwrap();
        assert_eq!(opened, b"message");
    }

    #[test]
    fn we_open_what_another_implementation_seals() {
        let key = PrivateScalar::generate().unwrap();
        let public = <Kem as ::hpke::Kem>::PublicKey::from_bytes(&key.public().to_uncompressed()).unwrap();
        let (enc, ct) =
            single_shot_seal::<AesGcm256, HkdfSha256, Kem>(&OpModeS::Base, &public, b"info", b"message", b"").unwrap();
        let enc = Point::from_uncompressed(&enc.to_bytes()).unwrap();
        let opened = open(&key.times(&enc), &enc, &key.public(), b"info", &ct).unwrap();
        assert_eq!(opened.expose(), b"message");
    }

    #[test]
    fn wrong_info_key_point_or_bytes_do_not_open() {
        let key = PrivateScalar::generate().unwrap();
        let ephemeral = PrivateScalar::generate().unwrap();
        let (enc, recipient) = (ephemeral.public(), key.public());
        let ct = seal(&ephemeral, &recipient, b"info", b"message");
        let dh = key.times(&enc);
        assert!(open(&dh, &enc, &recipient, b"info", &ct).is_ok());
        assert_eq!(open(&dh, &enc, &recipient, b"infp", &ct).unwrap_err(), OpenFailed);
        assert_eq!(open(&recipient, &enc, &recipient, b"info", &ct).unwrap_err(), OpenFailed);
        assert_eq!(open(&dh, &recipient, &recipient, b"info", &ct).unwrap_err(), OpenFailed);
        assert_eq!(open(&dh, &enc, &enc, b"info", &ct).unwrap_err(), OpenFailed);
        for len in 0..ct.len() {
            assert_eq!(open(&dh, &enc, &recipient, b"info", &ct[..len]).unwrap_err(), OpenFailed);
        }
        for bit in 0..ct.len() * 8 {
            let mut altered = ct.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(&dh, &enc, &recipient, b"info", &altered).unwrap_err(), OpenFailed);
        }
    }
}
