//! Signed notes (C2SP signed-note): a text, and lines `— name base64(key id || signature)`.
//!
//! Two types of signatures are known here: plain Ed25519 (0x01) over the text, and the Ed25519 cosignature of a witness
//! (0x04), whose bytes are a time and a signature over another message (see [`super::cosignature`]). Lines of keys that nobody
//! asked for are passed over, as the specification demands, so that others may sign too.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, UnparsedPublicKey};

use super::cosignature;
use crate::kernel::digest::Hasher;

/// Bytes of an Ed25519 public key.
const ED25519_KEY_LEN: usize = 32;
/// Signature lines that a note may carry: the specification demands that sixteen be accepted.
pub const SIGNATURES_MAX: usize = 64;
/// What a signature line begins with: an em dash and a space.
const LINE_START: &str = "\u{2014} ";

/// What a key signs, as its type byte says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The text itself, Ed25519 (RFC 8032): type 0x01.
    Text,
    /// A witness's statement about a checkpoint with the time of it: type 0x04.
    Cosignature,
}

impl Kind {
    const fn byte(self) -> u8 {
        match self {
            Self::Text => 0x01,
            Self::Cosignature => 0x04,
        }
    }
}

/// A public key with the name it signs under.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Verifier {
    name: String,
    kind: Kind,
    id: [u8; 4],
    key: [u8; ED25519_KEY_LEN],
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The verifier key in its published form: `name+hex(key id)+base64(type || public key)`.
impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut typed = vec![self.kind.byte()];
        typed.extend_from_slice(&self.key);
        write!(f, "{}+{}+{}", self.name, crate::kernel::encoding::hex(&self.id), STANDARD.encode(typed))
    }
}

/// Why a text is no verifier key that can be used here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not `name+id+key`, or the id is not that of the name and the key.
    #[error("not a verifier key (name+id+key)")]
    Malformed,
    /// A type of key that this program does not know.
    #[error("a verifier key of a type that this program does not know")]
    Unsupported,
}

/// The four bytes that tell keys of one name apart: `SHA-256(name || 0x0A || type || public key)[..4]`.
fn key_id(name: &str, kind: u8, public_key: &[u8]) -> [u8; 4] {
    let mut hasher = Hasher::new();
    hasher.update(name.as_bytes());
    hasher.update(b"\n");
    hasher.update(&[kind]);
    hasher.update(public_key);
    let digest = hasher.finish();
    let bytes = digest.as_bytes();
    [bytes[0], bytes[1], bytes[2], bytes[3]]
}

/// Whether a key may have this name: not empty, without spaces, control characters or a plus sign.
pub fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

impl Verifier {
    /// The verifier of a public key.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] when `name` cannot be a key's name or the key has not 32 bytes.
    pub fn new(name: &str, kind: Kind, public_key: &[u8]) -> Result<Self, KeyError> {
        let key: [u8; ED25519_KEY_LEN] = public_key.try_into().map_err(|_| KeyError::Malformed)?;
        if !is_key_name(name) {
            return Err(KeyError::Malformed);
        }
        Ok(Self { name: name.to_owned(), kind, id: key_id(name, kind.byte(), &key), key })
    }

    /// Reads the published form.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let (name, rest) = text.split_once('+').ok_or(KeyError::Malformed)?;
        let (id, key) = rest.split_once('+').ok_or(KeyError::Malformed)?;
        let typed = STANDARD.decode(key).map_err(|_| KeyError::Malformed)?;
        let (kind, public_key) = typed.split_first().ok_or(KeyError::Malformed)?;
        if crate::kernel::encoding::hex(&key_id(name, *kind, public_key)) != id {
            return Err(KeyError::Malformed);
        }
        let kind = match kind {
            0x01 => Kind::Text,
            0x04 => Kind::Cosignature,
            _ => return Err(KeyError::Unsupported),
        };
        Self::new(name, kind, public_key)
    }

    /// The name it signs under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it signs.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The 32 bytes of the public key.
    pub fn public_key(&self) -> &[u8; ED25519_KEY_LEN] {
        &self.key
    }

    /// The signature line, with its line feed, around signature bytes that the key made.
    pub fn line(&self, signature: &[u8]) -> String {
        let mut bytes = self.id.to_vec();
        bytes.extend_from_slice(signature);
        format!("{LINE_START}{} {}\n", self.name, STANDARD.encode(bytes))
    }
}

/// One signature line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature<'a> {
    /// The key's name.
    pub name: &'a str,
    id: [u8; 4],
    bytes: Vec<u8>,
    line: &'a str,
}

impl<'a> Signature<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (name, value) = line.strip_suffix('\n')?.strip_prefix(LINE_START)?.split_once(' ')?;
        let decoded = STANDARD.decode(value).ok()?;
        let (id, bytes) = decoded.split_first_chunk::<4>()?;
        (is_key_name(name) && !bytes.is_empty()).then(|| Self { name, id: *id, bytes: bytes.to_vec(), line })
    }

    /// The whole line, with its line feed.
    pub fn line(&self) -> &'a str {
        self.line
    }

    /// Whether the line names this key.
    pub fn is_of(&self, verifier: &Verifier) -> bool {
        self.name == verifier.name && self.id == verifier.id
    }
}

/// A note, read but not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note<'a> {
    text: &'a str,
    signatures: Vec<Signature<'a>>,
}

/// Why a note was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not a note, or not a verifier key.
    #[error("the text is not a signed note, or the key is not a verifier key")]
    Malformed,
    /// No signature of this key.
    #[error("the note carries no signature of this key")]
    NotSigned,
    /// A signature of this key that does not fit the text.
    #[error("the signature does not fit the text")]
    BadSignature,
}

/// What a signature that fits says beside its being there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed {
    /// When a witness saw the checkpoint, seconds since 1970; absent for other signatures.
    pub witnessed_at: Option<u64>,
}

impl<'a> Note<'a> {
    /// Takes a note apart.
    ///
    /// # Errors
    /// [`NoteError::Malformed`]: control characters, a last line without its end, no blank line, no signature, or lines after
    /// it that are none.
    pub fn parse(note: &'a str) -> Result<Self, NoteError> {
        if !note.ends_with('\n') || note.chars().any(|c| c != '\n' && c < ' ') {
            return Err(NoteError::Malformed);
        }
        let split = note.rfind("\n\n").ok_or(NoteError::Malformed)?;
        let (text, lines) = (&note[..=split], &note[split + 2..]);
        let signatures = read_lines(lines)?;
        if signatures.is_empty() {
            return Err(NoteError::Malformed);
        }
        Ok(Self { text, signatures })
    }

    /// The signed text, with its last line feed.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The signature lines.
    pub fn signatures(&self) -> &[Signature<'a>] {
        &self.signatures
    }

    /// Checks the signature of this key.
    ///
    /// # Errors
    /// [`NoteError::NotSigned`] or [`NoteError::BadSignature`]; several lines of one key must all fit.
    pub fn verify(&self, verifier: &Verifier) -> Result<Signed, NoteError> {
        let mut found = Err(NoteError::NotSigned);
        for signature in self.signatures.iter().filter(|signature| signature.is_of(verifier)) {
            let signed = check(self.text, verifier, &signature.bytes).ok_or(NoteError::BadSignature)?;
            found = found.or(Ok(signed));
        }
        found
    }
}

/// Reads signature lines, as they end a note or are the answer of a witness.
///
/// # Errors
/// [`NoteError::Malformed`] when one is none, or there are more than [`SIGNATURES_MAX`].
pub fn read_lines(lines: &str) -> Result<Vec<Signature<'_>>, NoteError> {
    if lines.split_inclusive('\n').count() > SIGNATURES_MAX {
        return Err(NoteError::Malformed);
    }
    lines.split_inclusive('\n').map(|line| Signature::parse(line).ok_or(NoteError::Malformed)).collect()
}

fn check(text: &str, verifier: &Verifier, signature: &[u8]) -> Option<Signed> {
    let key = UnparsedPublicKey::new(&ED25519, &verifier.key);
    match verifier.kind {
        Kind::Text => key.verify(text.as_bytes(), signature).ok().map(|()| Signed { witnessed_at: None }),
        Kind::Cosignature => {
            let (time, signature) = cosignature::split(signature)?;
            key.verify(cosignature::message(time, text).as_bytes(), signature).ok()?;
            Some(Signed { witnessed_at: Some(time) })
        }
    }
}

/// The verifier key of a name that signs texts, in its published form.
pub fn verifier_key(name: &str, public_key: &[u8]) -> String {
    let mut typed = vec![Kind::Text.byte()];
    typed.extend_from_slice(public_key);
    let id = key_id(name, Kind::Text.byte(), public_key);
    format!("{name}+{}+{}", crate::kernel::encoding::hex(&id), STANDARD.encode(typed))
}

/// Signs `text`, which must end with a line feed, as `name`, whose Ed25519 public key is `public_key`.
pub fn sign(text: &str, name: &str, public_key: &[u8], sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    debug_assert!(text.ends_with('\n'), "a note's text ends with a line feed");
    let mut signature = key_id(name, Kind::Text.byte(), public_key).to_vec();
    signature.append(&mut sign(text.as_bytes()));
    format!("{text}\n{LINE_START}{name} {}\n", STANDARD.encode(signature))
}

/// Checks the signature of the key `verifier`, in its published form, and returns the signed text.
///
/// # Errors
/// See [`NoteError`].
pub fn verify<'a>(note: &'a str, verifier: &str) -> Result<&'a str, NoteError> {
    let verifier = Verifier::parse(verifier).map_err(|_| NoteError::Malformed)?;
    let note = Note::parse(note)?;
    note.verify(&verifier).map(|_| note.text)
}

/// The Ed25519 public key in a verifier key; `None` when it is not one.
pub fn public_key(verifier: &str) -> Option<Vec<u8>> {
    Verifier::parse(verifier).ok().map(|verifier| verifier.key.to_vec())
}

#[cfg(test)]
mod tests;
