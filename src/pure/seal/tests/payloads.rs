//! STREAM, the key commitment, and the payload as a whole.

use super::{Sealed, platform_key, sealed_price};
use crate::kernel::secret::Secret;
use crate::seal::keyset::Profile;
use crate::seal::limits::CHUNK_BYTES;
use crate::seal::merkle::MerkleTree;
use crate::seal::sealing::{SealedPayload, SealingWriter, seal_payload};
use crate::seal::stream::{
    BadCommit, PayloadKeys, PayloadOpener, PayloadSealer, StreamError, TAG_LEN, chunk_count, ciphertext_len,
};
use crate::seal::unsealing::{OpenError, Outcome, open_payload};
use crate::seal::{kdf, unsealing};
use aead_stream::{NewStream, StreamBE32, StreamPrimitive};
use aes_gcm::Aes256Gcm;
use aes_gcm::aes::Aes256;
use aes_gcm::aes::cipher::{BlockCipherEncrypt, KeyInit};
use proptest::prelude::*;
use std::io::Write;

const SALT: [u8; 32] = [1; 32];

fn secrets(byte: u8) -> Vec<Secret<[u8; 32]>> {
    vec![Secret::new([byte; 32])]
}

fn keys() -> PayloadKeys {
    PayloadKeys::derive(&SALT, &secrets(2))
}

fn content(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i % 251) as u8).collect()
}

fn sealed(plaintext: &[u8]) -> (SealedPayload, Vec<u8>) {
    let mut writer = SealingWriter::with(Vec::new(), SALT, secrets(2));
    writer.write_all(plaintext).unwrap();
    writer.finish().unwrap()
}

fn opened(ciphertext: &[u8], len: u64) -> Result<Vec<u8>, StreamError> {
    let mut opener = PayloadOpener::new(keys(), len);
    let mut plain = Vec::new();
    for chunk in ciphertext.chunks(CHUNK_BYTES + TAG_LEN) {
        plain.extend_from_slice(opener.open_chunk(&mut chunk.to_vec())?);
    }
    opener.finish()?;
    Ok(plain)
}

const LENGTHS: [usize; 7] = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 2 * CHUNK_BYTES + 7];

#[test]
fn payloads_of_every_boundary_length_come_back_and_have_the_announced_size() {
    for len in LENGTHS {
        let plain = content(len);
        let (payload, ciphertext) = sealed(&plain);
        assert_eq!(payload.len, len as u64);
        assert_eq!(payload.size_bytes, ciphertext.len() as u64);
        assert_eq!(ciphertext_len(len as u64), ciphertext.len() as u64, "{len}");
        let mut tree = MerkleTree::new();
        ciphertext.chunks(CHUNK_BYTES + TAG_LEN).for_each(|chunk| tree.push_chunk(chunk));
        assert_eq!((tree.root(), tree.leaves()), (payload.root, chunk_count(len as u64)));
        assert!(opened(&ciphertext, len as u64) == Ok(plain), "{len}");
    }
}

#[test]
fn the_bytes_are_those_of_an_independent_stream_implementation() {
    let prk = PayloadKeys::prk(&SALT, &secrets(2));
    let key = kdf::expand::<32>(prk.expose(), &[b"sealbid/1 payload"]);
    let prefix = kdf::expand::<7>(prk.expose(), &[b"sealbid/1 nonce"]);
    let stream = StreamBE32::<Aes256Gcm>::new(key.expose().into(), prefix.expose().into());
    for len in LENGTHS {
        let plain = content(len);
        let mut pieces: Vec<&[u8]> = plain.chunks(CHUNK_BYTES).collect();
        if pieces.is_empty() {
            pieces.push(&[]);
        }
        let last = pieces.len() - 1;
        let expected: Vec<u8> = pieces
            .iter()
            .enumerate()
            .flat_map(|(i, piece)| {
                let mut buffer = piece.to_vec();
                stream.encrypt_in_place(i as u32, i == last, &[], &mut buffer).unwrap();
                buffer
            })
            .collect();
        assert!(sealed(&plain).1 == expected, "{len}");
    }
}

#[test]
fn writing_in_odd_pieces_gives_the_same_bytes() {
    let plain = content(2 * CHUNK_BYTES);
    let mut writer = SealingWriter::with(Vec::new(), SALT, secrets(2));
    for piece in plain.chunks(99_991) {
        writer.write_all(piece).unwrap();
        assert_eq!(writer.write(&[]).unwrap(), 0);
    }
    let (payload, ciphertext) = writer.finish().unwrap();
    let (expected, expected_bytes) = sealed(&plain);
    assert!(ciphertext == expected_bytes);
    assert_eq!(payload.root, expected.root);
}

#[test]
fn truncation_extension_and_exchange_of_chunks_are_detected() {
    let len = 3 * CHUNK_BYTES;
    let (_, ciphertext) = sealed(&content(len));
    let size = CHUNK_BYTES + TAG_LEN;
    let chunks: Vec<&[u8]> = ciphertext.chunks(size).collect();
    let fails = |order: &[usize], len: usize| {
        let bytes: Vec<u8> = order.iter().flat_map(|i| chunks[*i]).copied().collect();
        opened(&bytes, len as u64).unwrap_err()
    };
    assert_eq!(fails(&[0, 1], len), StreamError::Truncated);
    assert_eq!(fails(&[0, 1], 2 * CHUNK_BYTES), StreamError::NotAuthentic);
    assert_eq!(fails(&[1, 0, 2], len), StreamError::NotAuthentic);
    assert_eq!(fails(&[0, 2], 2 * CHUNK_BYTES), StreamError::NotAuthentic);
    assert_eq!(fails(&[0, 1, 2, 2], len), StreamError::AfterLast);
    assert_eq!(fails(&[0, 1, 2, 2], 4 * CHUNK_BYTES), StreamError::NotAuthentic);
    assert_eq!(fails(&[], 0), StreamError::Truncated);
    assert_eq!(opened(&ciphertext[..size - 1], len as u64), Err(StreamError::ChunkLength));
    assert_eq!(opened(&ciphertext[..2 * size + 16], len as u64 - 1), Err(StreamError::ChunkLength));
}

#[test]
fn a_middle_chunk_is_full_a_last_one_not_empty_and_nothing_follows_it() {
    let mut sealer = PayloadSealer::new(keys());
    assert_eq!(sealer.seal_chunk(&mut vec![0; 5], false), Err(StreamError::ChunkLength));
    assert_eq!(sealer.seal_chunk(&mut vec![0; CHUNK_BYTES + 1], true), Err(StreamError::ChunkLength));
    sealer.seal_chunk(&mut vec![0; CHUNK_BYTES], false).unwrap();
    assert_eq!(sealer.seal_chunk(&mut vec![], true), Err(StreamError::ChunkLength));
    sealer.seal_chunk(&mut vec![0; 5], true).unwrap();
    assert_eq!(sealer.seal_chunk(&mut vec![0; 5], true), Err(StreamError::AfterLast));
}

#[test]
fn the_commitment_depends_on_salt_and_every_secret_in_order() {
    let commitment = |salt: [u8; 32], bytes: &[u8]| {
        let secrets: Vec<_> = bytes.iter().map(|byte| Secret::new([*byte; 32])).collect();
        *PayloadKeys::derive(&salt, &secrets).commitment()
    };
    let all = [
        commitment(SALT, &[1, 2]),
        commitment(SALT, &[2, 1]),
        commitment(SALT, &[1]),
        commitment(SALT, &[1, 2, 3]),
        commitment([9; 32], &[1, 2]),
    ];
    for (i, a) in all.iter().enumerate() {
        assert!(all[..i].iter().all(|b| a != b));
    }
    assert!(PayloadKeys::committed(&SALT, &secrets(1), &commitment(SALT, &[1])).is_ok());
    for bit in 0..256 {
        let mut altered = commitment(SALT, &[1]);
        altered[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(PayloadKeys::committed(&SALT, &secrets(1), &altered).err(), Some(BadCommit));
    }
}

/// Multiplication in GHASH's field (NIST SP 800-38D section 6.3).
fn times(x: u128, y: u128) -> u128 {
    let (mut z, mut v) = (0, y);
    for i in (0..128).rev() {
        if x >> i & 1 == 1 {
            z ^= v;
        }
        v = if v & 1 == 1 { v >> 1 ^ 0xe1 << 120 } else { v >> 1 };
    }
    z
}

fn inverse(x: u128) -> u128 {
    // x^(2^128 - 2) by squaring.
    let (mut result, mut power) = (1 << 127, x);
    for _ in 1..128 {
        power = times(power, power);
        result = times(result, power);
    }
    result
}

/// H, the encrypted counter block, and nothing else of AES-GCM, for the only chunk of a payload.
fn ghash_inputs(byte: u8) -> (u128, u128) {
    let prk = PayloadKeys::prk(&SALT, &secrets(byte));
    let key = kdf::expand::<32>(prk.expose(), &[b"sealbid/1 payload"]);
    let prefix = kdf::expand::<7>(prk.expose(), &[b"sealbid/1 nonce"]);
    let aes = Aes256::new(key.expose().into());
    let encrypt = |block: [u8; 16]| {
        let mut block = block.into();
        aes.encrypt_block(&mut block);
        u128::from_be_bytes(block.into())
    };
    let mut counter = [0; 16];
    counter[..7].copy_from_slice(prefix.expose());
    counter[11] = 1;
    counter[15] = 1;
    (encrypt([0; 16]), encrypt(counter))
}

#[test]
fn a_ciphertext_made_for_two_keys_opens_under_both_and_is_stopped_by_the_commitment() {
    let ((h1, e1), (h2, e2)) = (ghash_inputs(2), ghash_inputs(3));
    let (first, lengths) = (0x1234_u128, 256_u128);
    let square = |h| times(h, h);
    // first * H^3 + free * H^2 + lengths * H + E must be the same tag under both keys.
    let right = times(first, times(h1, square(h1)) ^ times(h2, square(h2))) ^ times(lengths, h1 ^ h2) ^ e1 ^ e2;
    let free = times(right, inverse(square(h1) ^ square(h2)));
    let tag = times(first, times(h1, square(h1))) ^ times(free, square(h1)) ^ times(lengths, h1) ^ e1;
    let ciphertext = [first, free, tag].map(u128::to_be_bytes).concat();
    let open = |byte| {
        let mut opener = PayloadOpener::new(PayloadKeys::derive(&SALT, &secrets(byte)), 32);
        opener.open_chunk(&mut ciphertext.clone()).map(<[u8]>::to_vec)
    };
    let (one, two) = (open(2).unwrap(), open(3).unwrap());
    assert_ne!(one, two);
    let kc = *PayloadKeys::derive(&SALT, &secrets(2)).commitment();
    assert!(PayloadKeys::committed(&SALT, &secrets(2), &kc).is_ok());
    assert_eq!(PayloadKeys::committed(&SALT, &secrets(3), &kc).err(), Some(BadCommit));
}

fn outcome_of(result: Result<(), OpenError>) -> (Outcome, &'static str) {
    match result.unwrap_err() {
        OpenError::Failed { outcome, reason, .. } => (outcome, reason),
        OpenError::Io(error) => panic!("{error}"),
    }
}

fn read(sealed: &Sealed, ciphertext: &[u8]) -> Result<(), OpenError> {
    let keys = PayloadKeys::derive(&sealed.payload.salt, &sealed.payload.secrets);
    open_payload(&sealed.envelope, keys, ciphertext, |_| Ok(()))
}

#[test]
fn every_flipped_bit_of_a_sealed_price_is_detected() {
    let sealed = sealed_price("org-1", &[&platform_key(Profile::Strict)]);
    read(&sealed, &sealed.ciphertext).unwrap();
    for bit in 0..sealed.ciphertext.len() * 8 {
        let mut altered = sealed.ciphertext.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        let outcome = outcome_of(read(&sealed, &altered));
        assert_eq!(outcome, (Outcome::BadPayload, "chunk_not_authentic"), "bit {bit}");
    }
}

#[test]
fn a_shortened_or_lengthened_sealed_price_is_detected() {
    let sealed = sealed_price("org-1", &[&platform_key(Profile::Strict)]);
    for len in 0..sealed.ciphertext.len() {
        let outcome = outcome_of(read(&sealed, &sealed.ciphertext[..len]));
        assert_eq!(outcome, (Outcome::BadPayload, "payload_truncated"));
    }
    let longer = [&sealed.ciphertext[..], &[0]].concat();
    assert_eq!(outcome_of(read(&sealed, &longer)), (Outcome::BadPayload, "payload_too_long"));
}

#[test]
fn a_payload_under_another_root_is_detected_although_it_decrypts() {
    let key = platform_key(Profile::Strict);
    let mut sealed = sealed_price("org-1", &[&key]);
    sealed.payload.root = MerkleTree::new().root();
    let subject = super::subject("org-1");
    sealed.envelope =
        crate::seal::sealing::seal_header(&subject, &sealed.payload, &[key.key_set()], &sealed.key).unwrap();
    assert_eq!(outcome_of(read(&sealed, &sealed.ciphertext)), (Outcome::BadPayload, "wrong_root"));
}

#[test]
fn a_failing_reader_is_not_the_envelopes_fault() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("disk"))
        }
    }
    let sealed = sealed_price("org-1", &[&platform_key(Profile::Strict)]);
    let keys = PayloadKeys::derive(&sealed.payload.salt, &sealed.payload.secrets);
    let result = unsealing::open_part(&sealed.envelope, keys, Broken, &mut crate::seal::part_reader::Discard);
    assert!(matches!(result, Err(OpenError::Io(_))));
    assert!(seal_payload(Broken, std::io::sink(), 1).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_payload_comes_back(len in 0_usize..2 * CHUNK_BYTES + 100, seed in any::<u8>()) {
        let plain: Vec<u8> = content(len).into_iter().map(|byte| byte ^ seed).collect();
        let (payload, ciphertext) = sealed(&plain);
        prop_assert!(opened(&ciphertext, payload.len) == Ok(plain));
    }
}
