//! The draft of a ceremony: what the keys will be for and who makes them. JWS type `sealbid-ceremony+jws`, signed by
//! whoever holds the tender.
//!
//! `{v, tender, lot, groups: [{group, opens_not_before}], profile, k, members, salt}`, members as in
//! [`super::super::keyset`], salt 32 bytes of which at least one ceremony's id is made unlike every other. The ceremony's
//! id is the SHA-256 of these bytes.

use super::super::VERSION;
use super::super::error::{FormError, RandomFailed};
use super::super::ids::{Ident, UtcMillis};
use super::super::jws::Jws;
use super::super::keys::{SigningKey, VerifyingKey};
use super::super::keyset::{KeySetSubject, Member, Profile, members};
use super::super::limits::{MAX_GROUPS, MAX_JWS_BYTES};
use super::super::random;
use super::super::strict_json::Object;
use crate::kernel::digest::{Digest, sha256};
use crate::kernel::encoding;
use serde::Serialize;

/// The JWS type of a draft.
pub const DRAFT_TYP: &str = "sealbid-ceremony+jws";

/// Envelopes that open at one moment, under one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Its id.
    pub group: Ident,
    /// The moment before which no custodian uses its share.
    pub opens_not_before: UtcMillis,
}

/// What a ceremony is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The project.
    pub tender: Ident,
    /// The lot.
    pub lot: Ident,
    /// The opening groups; each gets a key of its own.
    pub groups: Vec<Group>,
    /// Whether slots must carry a proof of knowledge.
    pub profile: Profile,
    /// How many members are needed to open.
    pub k: u8,
    /// Who makes and keeps the shares.
    pub members: Vec<Member>,
    salt: [u8; 32],
}

#[derive(Serialize)]
struct Wire<'a> {
    v: &'a str,
    tender: &'a Ident,
    lot: &'a Ident,
    groups: &'a [Group],
    profile: Profile,
    k: u8,
    members: &'a [Member],
    #[serde(with = "encoding::serde_base64url")]
    salt: [u8; 32],
}

impl Draft {
    /// A new draft, unlike every other.
    ///
    /// # Errors
    /// If the system's random source fails.
    pub fn new(
        tender: Ident,
        lot: Ident,
        groups: Vec<Group>,
        profile: Profile,
        k: u8,
        members: Vec<Member>,
    ) -> Result<Self, RandomFailed> {
        Ok(Self { tender, lot, groups, profile, k, members, salt: random::bytes()? })
    }

    /// The bytes to be signed.
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { tender, lot, groups, profile, k, members, salt } = self;
        let wire = Wire { v: VERSION, tender, lot, groups, profile: *profile, k: *k, members, salt: *salt };
        serde_json::to_vec(&wire).expect("strings and small numbers serialise")
    }

    /// Reads the signed bytes.
    ///
    /// # Errors
    /// Every way in which the form may be wrong, see [`FormError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FormError> {
        let mut object = Object::parse(bytes, MAX_JWS_BYTES)?;
        if object.text("v")? != VERSION {
            return Err(FormError::Version);
        }
        let k = object.integer("k")?;
        let draft = Self {
            tender: Ident::parse(object.text("tender")?, "tender")?,
            lot: Ident::parse(object.text("lot")?, "lot")?,
            groups: groups(object.objects("groups")?)?,
            profile: Profile::parse(&object.text("profile")?)?,
            k,
            members: members(object.objects("members")?, k)?,
            salt: object.array("salt")?,
        };
        object.end()?;
        Ok(draft)
    }

    /// The ceremony's id.
    pub fn id(&self) -> Digest {
        sha256(&self.to_bytes())
    }

    /// A member.
    pub fn member(&self, index: u8) -> Option<&Member> {
        usize::from(index).checked_sub(1).and_then(|index| self.members.get(index))
    }

    /// Every member's index.
    pub fn indices(&self) -> impl Iterator<Item = u8> + use<> {
        (1..).take(self.members.len())
    }

    /// What the key set of a group is about.
    pub(super) fn subject(&self, group: &Group) -> KeySetSubject {
        KeySetSubject {
            tender: self.tender.clone(),
            group: group.group.clone(),
            opens_not_before: group.opens_not_before.clone(),
            profile: self.profile,
        }
    }

    /// Signs the draft.
    ///
    /// # Errors
    /// If the system's random source fails (ES256).
    pub fn sign(self, key: &SigningKey) -> Result<SignedDraft, RandomFailed> {
        let jws = Jws::sign(key, DRAFT_TYP, &self.to_bytes())?;
        Ok(SignedDraft { id: sha256(jws.payload()), jws, draft: self })
    }
}

fn groups(objects: Vec<Object>) -> Result<Vec<Group>, FormError> {
    let mut groups: Vec<Group> = Vec::new();
    for mut object in objects {
        let group = Group {
            group: Ident::parse(object.text("group")?, "group")?,
            opens_not_before: UtcMillis::parse(object.text("opens_not_before")?, "opens_not_before")?,
        };
        object.end()?;
        if groups.iter().any(|other| other.group == group.group) {
            return Err(FormError::OutOfRange("groups"));
        }
        groups.push(group);
    }
    if groups.is_empty() || groups.len() > MAX_GROUPS {
        return Err(FormError::OutOfRange("groups"));
    }
    Ok(groups)
}

/// A draft with the signature of whoever holds the tender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedDraft {
    jws: Jws,
    id: Digest,
    draft: Draft,
}

impl SignedDraft {
    /// Reads a draft that is a value inside a JSON document; the signature is not yet verified.
    ///
    /// # Errors
    /// See [`FormError`].
    pub fn from_value(value: &serde_json::Value) -> Result<Self, FormError> {
        let jws = Jws::from_value(value, DRAFT_TYP)?;
        let draft = Draft::from_bytes(jws.payload())?;
        // The id follows from the bytes that were signed, which must be the ones that we would write.
        if draft.to_bytes() != jws.payload() {
            return Err(FormError::NotCanonical);
        }
        Ok(Self { id: sha256(jws.payload()), jws, draft })
    }

    /// Verifies that `key` signed, and gives the draft.
    ///
    /// # Errors
    /// `OtherKey` or `Signature`.
    pub fn verify(&self, key: &VerifyingKey) -> Result<&Draft, FormError> {
        self.jws.verify(key)?;
        Ok(&self.draft)
    }

    /// The draft, whoever signed it.
    pub const fn draft(&self) -> &Draft {
        &self.draft
    }

    /// The ceremony's id.
    pub const fn id(&self) -> Digest {
        self.id
    }

    /// The signed object.
    pub const fn jws(&self) -> &Jws {
        &self.jws
    }
}
