//! Key sets as stored and as the API shows them.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::groups::round_of;
use crate::db::schema::key_sets;
use crate::rules::envelopes::{Envelopes, Round};
use crate::rules::facts::{Escrow, KeyMode};
use crate::seal::envelope::Part;
use crate::seal::keyset::KeySet;

/// May be sealed to and, once the lot opens, opened with.
pub const ACTIVE: &str = "active";
/// The private half is gone for good.
pub const ERASED: &str = "erased";
/// The lot ended without opening: its custodians erase their shares.
pub const RETIRED: &str = "retired";

/// A row of `key_sets`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = key_sets, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct KeySetRow {
    /// The key set.
    pub id: String,
    /// Version.
    pub version: i64,
    /// `active`, `erased`, `retired`.
    pub state: String,
    /// Key id, derived from the key and what it is for.
    pub kid: String,
    /// Its lot.
    pub lot_id: String,
    /// The round of openings that it is made for.
    pub round: i64,
    /// The signed key set, as a flattened JWS.
    pub body: String,
}

/// What bids of a lot are sealed to, in the order of an envelope's slots.
#[derive(Clone, Debug)]
pub struct Seals {
    /// The key mode.
    pub mode: KeyMode,
    /// The project.
    pub tender: String,
    /// The lot.
    pub lot: String,
    /// One envelope or two.
    pub envelopes: Envelopes,
    /// The key sets of the platform or of custodians, one for each round.
    pub shared: Vec<(Round, KeySet)>,
}

impl Seals {
    /// Whether a bid deposits its bidder's own key.
    pub fn has_escrow(&self) -> bool {
        self.shared(Round::Escrow).is_some()
    }

    /// The opening group that a part belongs to.
    pub fn group(&self, part: Part) -> String {
        round_of(self.envelopes, part).group(&self.lot)
    }

    /// The key set of a round.
    pub fn shared(&self, round: Round) -> Option<&KeySet> {
        self.shared.iter().find(|(of, _)| *of == round).map(|(_, set)| set)
    }

    /// The round that a bidder's own key set is made for, if it is one of this lot in which something opens under such a key.
    pub fn own_round(&self, own: &KeySet) -> Option<Round> {
        let mut rounds = self.envelopes.rounds().iter().copied().filter(|_| self.mode.needs_bidder());
        rounds.find(|round| own.group.as_str() == round.group(&self.lot))
    }

    /// The key sets of a part's slots, with that of the bidder's `own` which is made for the part's round; `None` where one is
    /// missing or one is too many.
    pub fn of<'a>(&'a self, part: Part, own: &'a [KeySet]) -> Option<Vec<&'a KeySet>> {
        if own.is_empty() == self.mode.needs_bidder() {
            return None;
        }
        let round = round_of(self.envelopes, part);
        let shared = self.shared(round);
        if part == Part::Escrow {
            // To custodians alone: it is there for whoever does not come.
            return shared.map(|set| vec![set]);
        }
        let own = own.iter().find(|own| self.own_round(own) == Some(round));
        let needed = (self.mode != KeyMode::Bidder, self.mode.needs_bidder());
        ((shared.is_some(), own.is_some()) == needed).then(|| shared.into_iter().chain(own).collect())
    }
}

/// A key set, as the API shows it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct KeySetView {
    /// Key id; none where every bidder seals to a key of its own alone.
    pub kid: Option<String>,
    /// `active`; `erased` or `retired` when the lot ended and nothing sealed to it can be opened any more.
    pub state: String,
    /// A JWS of typ `sealbid-keyset+jws` by the platform's promise key: the first slot is sealed to it.
    #[schema(value_type = Object)]
    pub key_set: Option<serde_json::Value>,
    /// Key mode: `platform`, `custodians`, `bidder`, `dual`. In the last two a bid brings a key set of its own (kind
    /// `bidder`) for each round, to which the last slot is sealed.
    pub mode: KeyMode,
    /// Whether each bidder deposits its own key with custodians: then `round=escrow` shows the key set to which that is sealed.
    pub escrow: Escrow,
    /// How many minutes bidders who hold a key have to decrypt, once the opening began.
    pub decryption_minutes: u32,
    /// What this mode protects against, and what not.
    pub protects: crate::kernel::text::Bilingual,
    /// Whether a bid has one envelope or two.
    pub envelopes: Envelopes,
    /// The round of openings in which what is sealed to this key set opens.
    pub round: Round,
    /// The parts of a bid that are sealed to it.
    pub parts: Vec<String>,
}
