//! Publishing.

use serde_json::json;

use super::model::NoticeRow;
use crate::features::lots::model::Lot;
use crate::features::lots::ops::Act;
use crate::kernel::canonical;
use crate::kernel::digest::sha256;
use crate::kernel::id::NoticeId;
use crate::ledger::{Error, Record, Result, Tx};

/// Publishes a notice of `kind` about what was just done with a lot.
///
/// # Errors
/// The database's.
pub fn publish(tx: &mut Tx<'_>, lot: &Lot, kind: &str, act: &Act) -> Result<()> {
    let extra = match kind {
        "passed" | "candidates" | "result" => crate::features::evaluation::queries::published(tx.conn(), lot, kind)?,
        "opening_record" => json!({ "record": format!("/v1/lots/{}/opening-record", lot.row.id) }),
        _ => json!({}),
    };
    publish_with(tx, lot, kind, act, &extra)
}

fn publish_with(tx: &mut Tx<'_>, lot: &Lot, kind: &str, act: &Act, extra: &serde_json::Value) -> Result<()> {
    let (terms, schedule) = (&lot.body.terms, &lot.body.schedule);
    let content = json!({
        "lot": lot.row.id,
        "project": lot.row.project_id,
        "title": lot.row.title,
        "edition": lot.row.edition,
        "terms": terms,
        "schedule": schedule,
        "document_revision": lot.body.document_revision,
        "rule_of_time": {
            "zh": "投标以平台时钟为准,完整请求在截止时间之前(不含该时刻)收到方为有效。",
            "en": "A bid is in time when its last byte is received, by the platform's clock, strictly before the deadline.",
        },
        "lines": act.lines,
        "reason": act.request.reason,
        "cause": act.request.cause,
        "details": extra,
    });
    let body = canonical::to_string(&content).map_err(|error| Error::internal(format!("notice: {error}")))?;
    let row = NoticeRow {
        id: NoticeId::ordered(tx.now()).into_string(),
        version: 0,
        lot_id: lot.row.id.clone(),
        kind: kind.to_owned(),
        published_at: tx.now().millis(),
        content_sha256: sha256(body.as_bytes()).to_string(),
        body,
    };
    let record = Record::new("notice.published")
        .lot(lot.row.id.clone())
        .project(lot.row.project_id.clone())
        .org(lot.row.org_id.clone())
        .public("notice_kind", kind)
        .public("content_sha256", &row.content_sha256);
    tx.insert(row, record)?;
    Ok(())
}
