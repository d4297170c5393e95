//! Full batches: how fast waiting entries come into the tree and are published, and how many bytes an entry takes.

use std::path::Path;
use std::time::Instant;

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::super::ground::Ground;
use super::super::measure::{Figures, rate};
use super::super::{Backend, BenchError, Result, Run};
use super::{head, tick};
use crate::db::Conn;
use crate::features::inspection::search::ops as search;
use crate::kernel::id;
use crate::ledger::{Context, Record, Tx};
use crate::limits;
use crate::log::model;
use crate::log::publisher::Ticked;

/// Batches of a measurement.
const BATCHES: usize = 3;
/// Entries that one use case writes.
const TOGETHER: usize = 1_024;

/// Lets the log grow by full batches of committed entries. A batch is measured from the look at the queue to the published
/// checkpoint in the database: tree, transaction, tiles on the disk and read again, signature.
pub fn measure(run: &Run, backend: Backend, figures: &mut Figures) -> Result<()> {
    let ground = Ground::lay(backend.fresh()?, 1, 1)?;
    let app = ground.app();
    let entries = run.many(usize::try_from(limits::LOG_BATCH).map_err(BenchError::of)?);
    let name = backend.name;
    let (before, mut parts) = (private_bytes(&ground)?, 0);
    for _ in 0..BATCHES {
        parts += fill(&ground, entries)?;
        let size = head(&app)?.size;
        let began = Instant::now();
        let ticked = tick(&app)?;
        let wall = began.elapsed();
        let grown = usize::try_from(head(&app)?.size - size).map_err(BenchError::of)?;
        if !matches!(ticked, Ticked::Published(_)) || grown < entries {
            return Err(BenchError(format!("{grown} of {entries} leaves: {ticked:?}")));
        }
        figures.add(format!("log.growth.{name}.batch_of_{grown}"), wall.as_secs_f64() * 1000.0, "ms");
        figures.add(format!("log.growth.{name}.leaves"), rate(grown, wall), "1/s");
    }
    while ground.wait(search::move_some(&app)).map_err(BenchError::of)? {}
    let grown = private_bytes(&ground)? - before;
    figures.add(format!("log.private.{name}.beside_parts"), (grown - parts as f64) / (BATCHES * entries) as f64, "B");
    let leaves = model::size(head(&app)?.size) as f64;
    let public = bytes_below(app.log.directory().path()).map_err(BenchError::of)? as f64;
    figures.add(format!("log.public.{name}.per_leaf"), public / leaves, "B");
    ground.clear();
    Ok(())
}

/// Puts entries on record as users' acts leave them, until so many wait for the log; returns how many bytes their parts have.
fn fill(ground: &Ground, count: usize) -> Result<usize> {
    let (app, bidder, lot) = (ground.app(), &ground.bidders[0], ground.lots[0].id.clone());
    let waiting = app.reader.read_blocking(|conn| crate::log::queries::waiting(conn, limits::LOG_BATCH));
    let waiting = usize::try_from(waiting.map_err(BenchError::of)?).map_err(BenchError::of)?;
    let mut left = count.saturating_sub(waiting);
    while left > 0 {
        let some = left.min(TOGETHER);
        let context = Context {
            actor_id: Some(bidder.user.to_string()),
            org_id: Some(bidder.org.to_string()),
            role: crate::kernel::role::Role::Bidder.name(),
            ip: Some("203.0.113.7".into()),
            ..Context::system(ground.platform.now(), &id::random("req"))
        };
        let lot = lot.clone();
        let many = move |tx: &mut Tx<'_>| {
            (0..some).try_for_each(|_| {
                let record = Record::new("document.fetched").lot(lot.clone()).public("name", "road.txt");
                tx.note(&id::random("ftc"), record).map(drop)
            })
        };
        app.ledger.commit_blocking(context, many).map_err(BenchError::of)?;
        left -= some;
    }
    let parts = app.reader.read_blocking(|conn| {
        sum(
            conn,
            "SELECT CAST(sum(length(part_p) + length(part_c) + length(part_i)) AS BIGINT) AS bytes \
             FROM audit_pending JOIN audit_entry USING (entry_id) JOIN audit_personal USING (entry_id)",
        )
    });
    usize::try_from(parts.map_err(BenchError::of)?).map_err(BenchError::of)
}

#[derive(QueryableByName)]
struct Bytes {
    #[diesel(sql_type = BigInt)]
    bytes: i64,
}

#[expect(
    clippy::disallowed_methods,
    reason = "what a table takes on the disk, only the database itself can say, each in its words"
)]
fn sum(conn: &mut Conn, sql: &str) -> std::result::Result<i64, crate::ledger::Error> {
    let found: Bytes = crate::on!(conn, c => diesel::sql_query(sql).get_result(c))?;
    Ok(found.bytes)
}

/// The bytes of the tables and indexes of the record. The two queues, which are empty again, are none of it: SQLite keeps
/// their pages for others, and PostgreSQL for what waits next.
fn private_bytes(ground: &Ground) -> Result<f64> {
    let bytes = ground.app().reader.read_blocking(|conn| {
        let sql = match conn {
            Conn::Sqlite(_) => {
                "SELECT (page_count - freelist_count) * page_size AS bytes \
                 FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
            }
            Conn::Pg(_) => {
                "SELECT sum(pg_total_relation_size(oid))::bigint AS bytes FROM pg_class WHERE relkind = 'r' \
                 AND relname IN ('audit_entry', 'audit_personal', 'audit_leaf', 'audit_batch', 'audit_name', 'audit_search')"
            }
        };
        sum(conn, sql)
    });
    bytes.map(|bytes| bytes as f64).map_err(BenchError::of)
}

/// The bytes of all files below a directory.
fn bytes_below(dir: &Path) -> std::io::Result<u64> {
    std::fs::read_dir(dir)?.try_fold(0, |sum, entry| {
        let entry = entry?;
        let is_dir = entry.file_type()?.is_dir();
        Ok(sum + if is_dir { bytes_below(&entry.path())? } else { entry.metadata()?.len() })
    })
}
