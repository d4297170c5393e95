//! What the platform says when a rule does not allow an act.
//!
//! Promise: the code never changes with the language, the detail says what is and what is needed, the hint what would
//! make it possible, and `retry` whether a program should try again.
//! Deliberately not here: HTTP status codes.

use crate::kernel::text::{Bilingual, Phrase};
use crate::kernel::time::Timestamp;
use crate::rules::catalogue::RuleId;
use crate::rules::names::named;
use serde::Serialize;
use utoipa::ToSchema;

named! {
    /// Whether the same request can succeed later.
    pub enum Retry {
        /// The same request can succeed later, unchanged.
        SameRequest = "same_request", "稍后可原样重试", "the same request can succeed later";
        /// It can succeed after something named in the hint was changed.
        AfterChange = "after_change", "按提示修改后可重试", "after the change named in the hint";
        /// It can never succeed.
        Never = "never", "不可重试", "never";
    }
}

named! {
    /// What kind of obstacle a refusal is; the web layer derives the status from it.
    pub enum Obstacle {
        /// Somebody else has to do it.
        Authority = "authority", "权限", "not this person's act";
        /// The state, a hold or the time forbids it now.
        State = "state", "状态或时间", "state or time";
        /// What was filed or asked for breaks a rule.
        Content = "content", "内容", "content";
    }
}

/// A refusal by a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Refusal {
    /// Stable kebab-case code.
    pub code: &'static str,
    /// The kind of obstacle.
    pub obstacle: Obstacle,
    /// The rule that refuses.
    pub rule: Option<RuleId>,
    /// What is, and what is needed.
    pub detail: Bilingual,
    /// What would make it possible.
    pub hint: Bilingual,
    /// The earliest moment at which it can become possible, where time alone decides.
    pub possible_at: Option<Timestamp>,
    /// Whether to try again.
    pub retry: Retry,
}

/// What a guard found wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is, and what is needed.
    pub detail: Bilingual,
    /// What would make it possible.
    pub hint: Bilingual,
    /// The earliest moment at which it can become possible, where time alone decides.
    pub possible_at: Option<Timestamp>,
}

impl Finding {
    /// A finding: what is and what is needed, then what would make the act possible, each in Chinese and English.
    pub fn new(detail: Bilingual, hint: Bilingual) -> Self {
        Self { detail, hint, possible_at: None }
    }

    /// A finding whose texts hold no values.
    pub fn fixed(detail: Phrase, hint: Phrase) -> Self {
        Self::new(detail.into(), hint.into())
    }

    /// The same finding, becoming possible at `at`.
    pub fn possible_from(self, at: Timestamp) -> Self {
        Self { possible_at: Some(at), ..self }
    }

    /// The refusal that this finding makes.
    pub fn refuse(self, code: &'static str, obstacle: Obstacle, rule: RuleId, retry: Retry) -> Refusal {
        let Self { detail, hint, possible_at } = self;
        Refusal { code, obstacle, rule: Some(rule), detail, hint, possible_at, retry }
    }
}
