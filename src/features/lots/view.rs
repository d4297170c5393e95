//! A lot as the API shows it. Nothing here changes when somebody bids.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::model::{Award, HoldInForce, Lot, LotTerms, Schedule};
use crate::kernel::digest::Digest;
use crate::kernel::id::{LotId, OrgId, ProjectId};
use crate::kernel::text::Bilingual;
use crate::kernel::time::Timestamp;
use crate::rules::editions::Category;
use crate::rules::facts::FailureCause;
use crate::rules::machine::State;

/// A lot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LotView {
    /// The lot.
    pub id: LotId,
    /// Its project.
    pub project_id: ProjectId,
    /// The initiator.
    pub initiator_id: OrgId,
    /// What is traded.
    pub category: Category,
    /// The edition of the rules, kept for life.
    pub edition: String,
    /// Title.
    pub title: String,
    /// Where it stands.
    pub state: State,
    /// The state for people.
    pub state_title: Bilingual,
    /// Holds in force.
    pub holds: Vec<HoldInForce>,
    /// What the initiator states.
    pub terms: LotTerms,
    /// When things happen.
    pub schedule: Schedule,
    /// The deadline in China.
    pub deadline_at_local: Option<String>,
    /// The opening in China.
    pub opens_at_local: Option<String>,
    /// The revision of the documents that a bid must name.
    #[schema(value_type = Option<String>)]
    pub document_revision: Option<Digest>,
    /// What the centre asks to be mended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deficiencies: Vec<String>,
    /// The notice was published.
    pub notice_at: Option<Timestamp>,
    /// Bids received, once the opening began.
    pub received_bids: Option<u32>,
    /// The publicity of candidates ends.
    pub publicity_ends_at: Option<Timestamp>,
    /// The same in China.
    pub publicity_ends_at_local: Option<String>,
    /// The award.
    pub award: Option<Award>,
    /// The notice of the result ends.
    pub result_notice_ends_at: Option<Timestamp>,
    /// Why it ended without a result.
    pub cause: Option<FailureCause>,
    /// A period rests on a year whose holidays are not announced yet; it will be counted again.
    pub provisional: bool,
    /// The lot that this one repeats.
    pub previous_lot_id: Option<String>,
}

/// A lot for whoever may see it.
pub fn view(lot: &Lot) -> LotView {
    let body = &lot.body;
    let local = |at: Option<Timestamp>| at.map(Timestamp::local);
    let counted =
        matches!(lot.state, State::Opening | State::Opened | State::Evaluated | State::Publicity | State::Awardable)
            || matches!(lot.state, State::Awarded | State::Published | State::Concluded);
    LotView {
        id: lot.id.clone(),
        project_id: lot.project.clone(),
        initiator_id: lot.initiator.clone(),
        category: lot.edition.category,
        edition: lot.row.edition.clone(),
        title: lot.row.title.clone(),
        state: lot.state,
        state_title: lot.state.title().into(),
        holds: body.holds.clone(),
        terms: body.terms.clone(),
        schedule: body.schedule,
        deadline_at_local: local(body.schedule.deadline_at),
        opens_at_local: local(body.schedule.opens_at),
        document_revision: body.document_revision,
        deficiencies: body.deficiencies.clone(),
        notice_at: body.notice_at,
        received_bids: body.received_bids.filter(|_| counted),
        publicity_ends_at: body.publicity_ends_at,
        publicity_ends_at_local: local(body.publicity_ends_at),
        award: body.award.clone(),
        result_notice_ends_at: body.result_notice_ends_at,
        cause: body.cause,
        provisional: body.provisional,
        previous_lot_id: lot.row.previous_lot_id.clone(),
    }
}
