//! Identifiers: one type per kind, `<prefix>-<uuid>` in lowercase, text everywhere.
//!
//! Promise: an id of one kind can not be used for another, and no two kinds share a value, because the prefix is part
//! of it. Invariant: the text is at most [`MAX_ID_CHARS`] of `[a-z0-9-]`.
//! Ids are ordered by time (UUID version 7), so that indexes stay compact, except where the moment itself is a secret
//! before the opening: those kinds are random (UUID version 4), because a version 7 would tell when a bid was made.
//! Deliberately not here: whether a thing of that id exists.

use crate::kernel::digest::sha256;
use crate::kernel::time::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use utoipa::ToSchema;
use uuid::{NoContext, Uuid};

/// Longest identifier in characters: what every table's text column and every signed header is checked against.
pub const MAX_ID_CHARS: usize = 64;

/// A text is not an identifier of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier of the form {prefix}-<uuid>")]
pub struct InvalidId {
    /// The prefix of the kind that was wanted.
    pub prefix: &'static str,
}

/// A new identifier that sorts by its moment of creation (UUID version 7).
pub fn ordered(prefix: &str, at: Timestamp) -> String {
    let millis = u64::try_from(at.millis()).unwrap_or(0);
    let stamp = uuid::Timestamp::from_unix(NoContext, millis / 1_000, (millis % 1_000) as u32 * 1_000_000);
    format!("{prefix}-{}", Uuid::new_v7(stamp))
}

/// A new identifier that tells nothing about its moment of creation (UUID version 4).
pub fn random(prefix: &str) -> String {
    format!("{prefix}-{}", Uuid::new_v4())
}

/// The name of a stream that gathers what happens to `what`: the same every time, and telling nothing of it.
pub fn gathering(prefix: &str, what: &[&str]) -> String {
    format!("{prefix}-{}", &sha256(what.join("\n").as_bytes()).to_string()[..32])
}

/// Whether `text` is `<prefix>-<uuid>` in lowercase, hyphenated form.
pub fn is_well_formed(prefix: &str, text: &str) -> bool {
    let Some(rest) = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('-')) else {
        return false;
    };
    text.len() <= MAX_ID_CHARS
        && rest.len() == 36
        && rest.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

macro_rules! made {
    (ordered) => {
        /// A new id that sorts by `at`.
        pub fn ordered(at: Timestamp) -> Self {
            Self(ordered(Self::PREFIX, at))
        }
    };
    (random) => {
        /// A new id that does not tell its moment.
        pub fn random() -> Self {
            Self(random(Self::PREFIX))
        }
    };
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal, $made:ident;)*) => {
        /// Every prefix, for the test that no two kinds share one and for the reference page.
        pub const PREFIXES: &[(&str, &str)] = &[$((stringify!($name), $prefix)),*];

        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
            #[serde(transparent)]
            #[schema(value_type = String, example = json!(concat!($prefix, "-0192f0c1-7a3b-7c4d-8e5f-0123456789ab")))]
            pub struct $name(String);

            impl $name {
                /// The kind's prefix, without the hyphen.
                pub const PREFIX: &'static str = $prefix;

                made!($made);

                /// Reads an id of this kind; anything else is refused.
                pub fn parse(text: &str) -> Result<Self, InvalidId> {
                    if is_well_formed($prefix, text) {
                        Ok(Self(text.to_owned()))
                    } else {
                        Err(InvalidId { prefix: $prefix })
                    }
                }

                /// The id as text.
                pub fn as_str(&self) -> &str {
                    &self.0
                }

                /// The id as owned text.
                pub fn into_string(self) -> String {
                    self.0
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(&self.0)
                }
            }

            impl AsRef<str> for $name {
                fn as_ref(&self) -> &str {
                    &self.0
                }
            }

            impl std::str::FromStr for $name {
                type Err = InvalidId;
                fn from_str(text: &str) -> Result<Self, InvalidId> {
                    Self::parse(text)
                }
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let text = String::deserialize(deserializer)?;
                    Self::parse(&text).map_err(serde::de::Error::custom)
                }
            }
        )*
    };
}

ids! {
    /// An organisation: an initiator, a bidder, the centre, an inspectorate.
    OrgId = "org", ordered;
    /// A person who signs in.
    UserId = "usr", ordered;
    /// Software of an organisation that signs in by itself.
    ClientId = "cli", ordered;
    /// A signed-in session.
    SessionId = "ses", ordered;
    /// A password reset.
    ResetId = "rst", ordered;
    /// A public key that an organisation signs with.
    KeyId = "key", ordered;
    /// A project, which groups lots.
    ProjectId = "prj", ordered;
    /// A lot: what is traded.
    LotId = "lot", ordered;
    /// A solicitation document.
    DocumentId = "doc", ordered;
    /// A question about the documents.
    QuestionId = "qst", ordered;
    /// A clarification or addendum.
    ClarificationId = "clr", ordered;
    /// A key set that bids are sealed to.
    KeySetId = "kst", ordered;
    /// A bid: one per bidder and lot. Random: who bid when is secret before the opening.
    BidId = "bid", random;
    /// A recorded refusal of a bid. Random, as the bid's.
    RefusalId = "rfl", random;
    /// An upload. Random, as the bid's.
    UploadId = "upl", random;
    /// A fetch of documents. Random: who obtained documents is secret before the deadline.
    FetchId = "fet", random;
    /// An entry of the audit trail. Random: it would otherwise date what it covers.
    EntryId = "ent", random;
    /// An opening session.
    OpeningId = "opn", ordered;
    /// The unsealing of one envelope.
    UnsealingId = "uns", ordered;
    /// An objection.
    ObjectionId = "obj", ordered;
    /// The evaluation of one bid.
    EvaluationId = "evl", ordered;
    /// An evaluation report.
    ReportId = "rpt", ordered;
    /// A published notice.
    NoticeId = "ntc", ordered;
    /// An imported calendar year.
    CalendarYearId = "cal", ordered;
    /// A mandate of an inspector.
    MandateId = "mdt", ordered;
    /// A look before the opening, by two persons.
    BreakGlassId = "bgl", ordered;
    /// An erasure of personal parts.
    ErasureId = "ers", ordered;
    /// A custodian: somebody who keeps a share of keys.
    CustodianId = "cus", ordered;
    /// A ceremony in which custodians make a key.
    CeremonyId = "cer", ordered;
    /// What lies in a box when it is opened.
    SnapshotId = "snp", ordered;
    /// A list of partial decryptions.
    PartialListId = "ptl", ordered;
    /// An inspector's look at the record.
    LookId = "loo", ordered;
    /// Something that the platform says of itself: a start, a stop, an outage.
    PlatformNoteId = "pfn", ordered;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_prefix() {
        let mut prefixes: Vec<&str> = PREFIXES.iter().map(|(_, prefix)| *prefix).collect();
        prefixes.sort_unstable();
        prefixes.dedup();
        assert_eq!(prefixes.len(), PREFIXES.len());
    }

    #[test]
    fn an_id_reads_back_as_itself() {
        let lot = LotId::ordered(Timestamp::from_millis(1_790_000_000_000));
        assert_eq!(LotId::parse(lot.as_str()), Ok(lot.clone()));
        let json = serde_json::to_string(&lot).expect("an id is text");
        assert_eq!(serde_json::from_str::<LotId>(&json).expect("reads back"), lot);
        assert!(lot.as_str().len() <= MAX_ID_CHARS);
    }

    #[test]
    fn an_id_of_another_kind_or_form_is_refused() {
        let bid = BidId::random();
        assert_eq!(LotId::parse(bid.as_str()), Err(InvalidId { prefix: "lot" }));
        for text in
            ["", "lot-", "lot-1", "lot_0192f0c1-7a3b-7c4d-8e5f-0123456789ab", "0192f0c1-7a3b-7c4d-8e5f-0123456789ab"]
        {
            assert!(LotId::parse(text).is_err(), "{text}");
        }
        assert!(LotId::parse("lot-0192F0C1-7a3b-7c4d-8e5f-0123456789ab").is_err());
        assert!(LotId::parse("lot-0192f0c1-7a3b-7c4d-8e5f-0123456789ab ").is_err());
        assert!(LotId::parse("lot-0192f0c1-7a3b-7c4d-8e5f-0123456789ab").is_ok());
    }

    #[test]
    fn ordered_ids_sort_by_time_and_secret_kinds_do_not_tell_it() {
        let early = LotId::ordered(Timestamp::from_millis(1_790_000_000_000));
        let late = LotId::ordered(Timestamp::from_millis(1_790_000_000_001));
        assert!(early < late);
        let version = |id: &str| id.as_bytes()[4 + 14];
        assert_eq!(version(early.as_str()), b'7');
        for id in [BidId::random().into_string(), UploadId::random().into_string(), EntryId::random().into_string()] {
            assert_eq!(version(&id), b'4', "{id}");
        }
    }
}
