//! Step 4: a member's signature under what came out.

use super::super::error::FormError;
use super::super::strict_json::Object;
use super::message::{Head, Message, bytes_of};
use crate::kernel::digest::{Digest, sha256};
use crate::seal::keyset::KeySet;
use serde::Serialize;

/// `{v, ceremony, member, transcript, key_sets}`: the transcript's digest, and the SHA-256 of the bytes of every key set
/// that follows, in the order of the draft's groups. It is the member's countersignature of these key sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Accept {
    /// Who speaks.
    #[serde(flatten)]
    pub head: Head,
    /// The transcript that the member has seen.
    pub transcript: Digest,
    /// The key sets that follow from it.
    pub key_sets: Vec<Digest>,
}

impl Accept {
    /// What a member says who has seen `transcript`.
    pub fn new(head: Head, transcript: Digest, key_sets: &[KeySet]) -> Self {
        Self { head, transcript, key_sets: key_sets.iter().map(|set| sha256(&set.to_bytes())).collect() }
    }
}

impl Message for Accept {
    const TYP: &'static str = "sealbid-dkg-accept+jws";

    fn head(&self) -> Head {
        self.head
    }

    fn to_bytes(&self) -> Vec<u8> {
        bytes_of(self)
    }

    fn read(head: Head, object: &mut Object) -> Result<Self, FormError> {
        let digest = |text: &String| text.parse().map_err(|_| FormError::Hex("key_sets"));
        Ok(Self {
            head,
            transcript: object.digest("transcript")?,
            key_sets: object.texts("key_sets")?.iter().map(digest).collect::<Result<_, _>>()?,
        })
    }
}
