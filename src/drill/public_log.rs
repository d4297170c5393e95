//! What must be true of the public log when the servers have been killed often enough: every entry is a leaf, once; the files
//! lead to the signed root; every act that somebody was told of is proven.

use std::sync::Arc;

use actix_web::web;
use diesel::prelude::*;

use super::check::Verdict;
use super::clock::ShiftedClock;
use super::play::Stage;
use super::{Result, broken};
use crate::app::App;
use crate::clock::SystemClock;
use crate::db::schema::{audit_entry, audit_leaf, audit_pending};
use crate::features::public_log::disclosure;
use crate::keys::Keys;
use crate::ledger::Error;
use crate::log::publisher::{Means, Ticked};
use crate::log::queries;
use crate::verify::report::Failure;
use crate::verify::source::Directory;
use crate::verify::trust::Trust;
use crate::verify::{receipt, tiles};

/// Looks, once no server is left.
///
/// # Errors
/// When the log cannot be read at all.
pub fn look(stage: &Stage, verdict: &mut Verdict) -> Result<()> {
    let config = stage.ground.site().config(0);
    let keys = Keys::load(&config.keys.dir).map_err(broken)?;
    let clock = Arc::new(ShiftedClock::new(stage.fleet.ahead()));
    let app = web::Data::new(App::open(config, clock, keys).map_err(broken)?);
    let found = grow_and_read(&app, stage, verdict);
    app.ledger.stop();
    found.map_err(broken)
}

fn grow_and_read(app: &App, stage: &Stage, verdict: &mut Verdict) -> std::result::Result<(), Error> {
    let means = Means { ledger: &app.ledger, reader: &app.reader, faults: &app.faults, clock: &SystemClock };
    // The servers that are gone still hold the log for a moment.
    while !matches!(app.log.tick(&means)?, Ticked::Published(_) | Ticked::Idle)
        || app.reader.read_blocking(|conn| queries::waiting(conn, 1))? > 0
    {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let (waiting, entries, leaves): (i64, i64, i64) = app.reader.read_blocking(|conn| {
        Ok((
            audit_pending::table.count().get_result(conn)?,
            audit_entry::table.count().get_result(conn)?,
            audit_leaf::table.count().get_result(conn)?,
        ))
    })?;
    if waiting != 0 || entries != leaves {
        verdict.wrong.push(format!("the log: {entries} entries, {leaves} of them leaves, {waiting} wait"));
    }
    let trust = Trust::new(Some(app.log.policy().clone()), Vec::new());
    let Some((_, note)) = app.log.directory().checkpoint()? else {
        verdict.wrong.push("the log: no checkpoint is published".into());
        return Ok(());
    };
    let files = Directory(app.log.directory().path().to_owned());
    let checked = tiles::check(&trust, &files, ("checkpoint", &note), None);
    verdict.leaves = trust.head("checkpoint", &note).map_or(0, |head| head.checkpoint().size);
    verdict.wrong.extend(checked.err().map(|failure| said("the log", &failure)));
    for act in &stage.journal.told().acts {
        let entry = act.said("entry_id");
        let (log, id) = (app.log.clone(), entry.to_owned());
        let proof = app.reader.read_blocking(move |conn| disclosure::receipt(conn, &log, &id))?;
        match proof.map(|text| receipt::included(&trust, entry, &text)) {
            Some(Ok(_)) => verdict.proven += 1,
            Some(Err(failure)) => verdict.wrong.push(said(entry, &failure)),
            None => verdict.wrong.push(format!("{entry} is in no checkpoint")),
        }
    }
    Ok(())
}

fn said(of: &str, failure: &Failure) -> String {
    let finding = failure.finding();
    format!("{of}: {}: {}", finding.place, finding.what.en)
}
