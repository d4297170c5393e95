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
use crate::kernel::digest::Digest;
use crate::keys::Keys;
use crate::ledger::Error;
use crate::log::directory::Directory;
use crate::log::publisher::{Means, Ticked};
use crate::log::queries;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::entry::leaf_hash;
use crate::tlog::policy::Policy;
use crate::tlog::proof::Proof;
use crate::tlog::receipt::Opening;
use crate::tlog::tiles::{self, Content, Tile};
use crate::tlog::tree::{Frontier, root_of_inclusion};

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
    let policy = app.log.policy();
    let Some((_, note)) = app.log.directory().checkpoint().map_err(|error| Error::damaged(error.to_string()))? else {
        verdict.wrong.push("the log: no checkpoint is published".into());
        return Ok(());
    };
    match policy.check(&note) {
        Ok(accepted) => {
            verdict.leaves = accepted.checkpoint.size;
            verdict.wrong.extend(tree(app.log.directory(), &accepted.checkpoint).err());
        }
        Err(refused) => verdict.wrong.push(format!("the log: {refused}")),
    }
    for act in &stage.journal.told().acts {
        let entry = act.said("entry_id");
        let log = app.log.clone();
        let id = entry.to_owned();
        let proof = app.reader.read_blocking(move |conn| disclosure::receipt(conn, &log, &id))?;
        match proof.as_deref().map(|text| proven(policy, text)) {
            Some(Ok(())) => verdict.proven += 1,
            Some(Err(why)) => verdict.wrong.push(format!("{entry}: {why}")),
            None => verdict.wrong.push(format!("{entry} is in no checkpoint")),
        }
    }
    Ok(())
}

/// Rebuilds the tree from its entries and compares it with its tiles and its root.
fn tree(directory: &Directory, head: &Checkpoint) -> std::result::Result<(), String> {
    let mut frontier = Frontier::empty();
    for n in 0..head.size.div_ceil(tiles::WIDTH) {
        let width = tiles::width_in(head.size, 0, n);
        let read = |content| {
            let tile = Tile { content, n, width };
            directory.tile(&tile).map_err(|error| format!("the log: {error}"))
        };
        let commitments = tiles::commitments(&read(Content::Entries)?).map_err(|error| format!("the log: {error}"))?;
        let leaves: Vec<Digest> = commitments.iter().map(leaf_hash).collect();
        if tiles::hashes(&read(Content::Hashes(0))?).as_ref() != Some(&leaves) {
            return Err(format!("the log: entries and hashes differ in tile {n}"));
        }
        leaves.into_iter().for_each(|leaf| frontier.append(leaf));
    }
    let edge = directory.edge(head.size, &head.root).map_err(|error| format!("the log: {error}"))?;
    if frontier.root() == head.root && edge.frontier() == frontier {
        Ok(())
    } else {
        Err("the log: its entries do not lead to its root".into())
    }
}

fn proven(policy: &Policy, text: &str) -> std::result::Result<(), String> {
    let proof = Proof::parse(text).map_err(|error| error.to_string())?;
    let head = policy.check(&proof.checkpoint).map_err(|error| error.to_string())?.checkpoint;
    let opening: Opening =
        serde_json::from_slice(proof.extra.as_deref().unwrap_or_default()).map_err(|error| error.to_string())?;
    let leaf = leaf_hash(&opening.commitment());
    match root_of_inclusion(proof.index, head.size, &leaf, &proof.hashes) {
        Some(root) if root == head.root => Ok(()),
        _ => Err("its proof does not lead to the signed root".into()),
    }
}
