//! The start of a server whose log is long.

use std::time::Instant;

use super::super::measure::Figures;
use super::super::server::{self, Server};
use super::super::{Backend, BenchError, Result, Run, ground};
use super::{head, tick};
use crate::app::App;
use crate::clock::{Clock, SystemClock};
use crate::limits;
use crate::log::Log;
use crate::log::model;
use crate::log::publisher::{Means, Ticked};
use crate::log::signer::file::FileSigner;
use crate::stage::Platform;

/// Leaves unless said.
const LEAVES: usize = 10_000_000;
/// How often the log is opened.
const OPENED: usize = 5;

/// Lets a log grow to its length, opens it again, and starts a server on it.
pub fn measure(run: &Run, backend: Backend, figures: &mut Figures) -> Result<()> {
    let leaves = run.leaves.unwrap_or_else(|| run.many(LEAVES)) as u64;
    let database = backend.fresh()?;
    let platform = Platform::start_at(SystemClock.now(), |config| {
        ground::on(config, database);
        // It grows by padding, a full batch each time: what is looked at does not tell padding from entries.
        config.audit.padding = limits::LOG_BATCH as u32;
    })
    .map_err(BenchError::of)?;
    let app = platform.app().clone();
    while model::size(head(&app)?.size) < leaves {
        tick(&app)?;
    }
    let leaves = model::size(head(&app)?.size);
    let name = format!("log.start.{leaves}.{}", backend.name);
    for _ in 0..OPENED {
        figures.add(format!("{name}.self_check"), self_check(&app)?, "ms");
    }
    let began = Instant::now();
    app.log.recheck(&app.ledger).map_err(BenchError::of)?;
    figures.add(format!("{name}.every_tile"), began.elapsed().as_secs_f64(), "s");

    let config = server::write_config(&app.config, platform.directory())?;
    let url = platform.url().to_owned();
    drop(app);
    let _kept = platform.leave();
    let ready = Server::start(&config)?.wait(&url)?;
    figures.add(format!("{name}.ready"), ready.as_secs_f64() * 1000.0, "ms");
    Ok(())
}

/// Opens the log and lets it tick when there is nothing to grow by: signer and database are compared, and the right edge of
/// the tree is read and led to its root. In milliseconds.
fn self_check(app: &App) -> Result<f64> {
    let settings = crate::log::Settings { padding: 0, ..app.log.settings().clone() };
    let dir = app.config.signer_directory().ok_or_else(|| BenchError("the signer has a directory".into()))?;
    let began = Instant::now();
    let signer = FileSigner::open(dir, &settings.origin).map_err(BenchError::of)?;
    let log = Log::open(settings, app.config.audit.dir.clone(), Box::new(signer)).map_err(BenchError::of)?;
    let means = Means { ledger: &app.ledger, reader: &app.reader, faults: &app.faults, clock: &SystemClock };
    let ticked = log.tick(&means).map_err(BenchError::of)?;
    let took = began.elapsed().as_secs_f64() * 1000.0;
    if ticked == Ticked::Idle { Ok(took) } else { Err(BenchError(format!("the log did something: {ticked:?}"))) }
}
