//! Mandates and matter numbers: as stored, and as the API shows them.

use std::collections::BTreeSet;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::schema::mandates;
use crate::kernel::id::{LotId, MandateId, UserId};
use crate::kernel::time::Timestamp;
use crate::ledger::{Error, Result};
use crate::limits;
use crate::refusals;

/// A mandate that was not ended; whether it is in force is a question of the moment.
pub const ACTIVE: &str = "active";
/// A mandate that somebody ended before its time.
pub const ENDED: &str = "ended";

/// The number of the case file for which somebody looks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Matter(String);

impl Matter {
    /// Reads a matter number: 1 to 64 characters, in whatever script, without controls.
    ///
    /// # Errors
    /// 400 `matter-number-missing`.
    pub fn read(text: Option<&str>) -> Result<Self> {
        let text = text.unwrap_or_default().trim();
        if text.is_empty() || text.chars().count() > limits::MATTER_LEN || text.chars().any(char::is_control) {
            return Err(refusals::matter_number_missing().into());
        }
        Ok(Self(text.to_owned()))
    }

    /// The number as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How far a mandate reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Every lot, and what belongs to no lot.
    All,
    /// The lots that it names.
    Lots,
}

/// A row of `mandates`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = mandates, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct MandateRow {
    /// The mandate.
    pub id: String,
    /// Version.
    pub version: i64,
    /// `active`, `ended`.
    pub state: String,
    /// The inspector.
    pub user_id: String,
    /// The matter number.
    pub matter: String,
    /// In force from this instant, epoch milliseconds.
    pub from_at: i64,
    /// In force before this instant, epoch milliseconds.
    pub until_at: i64,
    /// [`MandateBody`].
    pub body: String,
}

/// What else is stored of a mandate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MandateBody {
    /// How far it reaches.
    pub reach: Reach,
    /// The lots, where it names some.
    pub lots: BTreeSet<LotId>,
    /// Why it was granted.
    pub reason: String,
    /// Who granted it; none where the platform did.
    pub granted_by: Option<UserId>,
    /// Why it was ended before its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_reason: Option<String>,
}

/// A mandate to be granted.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMandate {
    /// The inspector.
    pub user_id: UserId,
    /// `all` for every lot and what belongs to no lot, `lots` for those in `lots`.
    pub reach: Reach,
    /// The lots, 1 to 20, where `reach` is `lots`.
    #[serde(default)]
    pub lots: BTreeSet<LotId>,
    /// The matter number, 1 to 64 characters: every look under this mandate names it.
    #[schema(max_length = 64, pattern = r"^[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$")]
    pub matter: String,
    /// In force from this instant; from now on where nothing is said.
    #[serde(default)]
    pub from: Option<Timestamp>,
    /// In force before this instant; at most 366 days after its beginning.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
}

/// A mandate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MandateView {
    /// The mandate.
    pub id: MandateId,
    /// `active`, `ended`; an active one is in force between `from` and `until`.
    pub state: String,
    /// The inspector.
    pub user_id: UserId,
    /// How far it reaches.
    pub reach: Reach,
    /// The lots, where it names some.
    pub lots: BTreeSet<LotId>,
    /// The matter number.
    pub matter: String,
    /// In force from this instant.
    pub from: Timestamp,
    /// In force before this instant.
    pub until: Timestamp,
    /// Why it was granted.
    pub reason: String,
    /// Who granted it; none where the platform did.
    pub granted_by: Option<UserId>,
    /// Why it was ended before its time.
    pub end_reason: Option<String>,
}

/// What all mandates of an inspector in one matter allow at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Nothing at all.
    Nothing,
    /// Entries of these lots.
    Lots(BTreeSet<String>),
    /// Everything that is not sealed.
    Everything,
}

impl Scope {
    /// The scope of mandates together.
    pub fn of(bodies: impl IntoIterator<Item = MandateBody>) -> Self {
        let mut lots = BTreeSet::new();
        for body in bodies {
            match body.reach {
                Reach::All => return Self::Everything,
                Reach::Lots => lots.extend(body.lots.into_iter().map(LotId::into_string)),
            }
        }
        if lots.is_empty() { Self::Nothing } else { Self::Lots(lots) }
    }

    /// Whether entries of a lot, or of none, may be seen.
    pub fn covers(&self, lot_id: Option<&str>) -> bool {
        match self {
            Self::Nothing => false,
            Self::Lots(lots) => lot_id.is_some_and(|lot| lots.contains(lot)),
            Self::Everything => true,
        }
    }
}

/// A row's body, read.
///
/// # Errors
/// When what is stored does not have the form it was written in.
pub fn body(row: &MandateRow) -> Result<MandateBody> {
    serde_json::from_str(&row.body).map_err(|error| Error::damaged(format!("mandate {}: {error}", row.id)))
}

/// A row as the API shows it.
///
/// # Errors
/// When what is stored does not have the form it was written in.
pub fn view(row: &MandateRow) -> Result<MandateView> {
    let damaged = |error: crate::kernel::id::InvalidId| Error::damaged(format!("mandate {}: {error}", row.id));
    let body = body(row)?;
    Ok(MandateView {
        id: MandateId::parse(&row.id).map_err(damaged)?,
        state: row.state.clone(),
        user_id: UserId::parse(&row.user_id).map_err(damaged)?,
        reach: body.reach,
        lots: body.lots,
        matter: row.matter.clone(),
        from: Timestamp::from_millis(row.from_at),
        until: Timestamp::from_millis(row.until_at),
        reason: body.reason,
        granted_by: body.granted_by,
        end_reason: body.end_reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mandate(reach: Reach, lots: &[&LotId]) -> MandateBody {
        let lots = lots.iter().map(|lot| (*lot).clone()).collect();
        MandateBody { reach, lots, reason: "x".into(), granted_by: None, end_reason: None }
    }

    #[test]
    fn mandates_together_reach_as_far_as_the_farthest() {
        let at = Timestamp::from_millis(0);
        let (a, b, c) = (LotId::ordered(at), LotId::ordered(at), LotId::ordered(at));
        assert_eq!(Scope::of([]), Scope::Nothing);
        let two = Scope::of([mandate(Reach::Lots, &[&a]), mandate(Reach::Lots, &[&b])]);
        assert!(two.covers(Some(a.as_str())) && two.covers(Some(b.as_str())));
        assert!(!two.covers(Some(c.as_str())) && !two.covers(None), "neither another lot nor what belongs to none");
        let all = Scope::of([mandate(Reach::Lots, &[&a]), mandate(Reach::All, &[])]);
        assert!(all.covers(Some(c.as_str())) && all.covers(None));
        assert!(!Scope::Nothing.covers(Some(a.as_str())) && !Scope::Nothing.covers(None));
    }

    #[test]
    fn a_matter_number_has_one_to_sixty_four_characters_of_any_script() {
        for good in ["1", "监督〔2026〕12号", &"案".repeat(limits::MATTER_LEN)] {
            assert_eq!(Matter::read(Some(good)).expect("a number").as_str(), good);
        }
        for bad in [None, Some(""), Some("  "), Some("a\nb"), Some("案".repeat(limits::MATTER_LEN + 1).as_str())] {
            assert_eq!(Matter::read(bad).expect_err("none").as_refusal().code, "matter-number-missing");
        }
    }
}
