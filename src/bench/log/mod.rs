//! The public log: how fast it grows and how large it becomes ([`growth`]), how soon a server with a long log is there
//! ([`start`]), what all of that costs those who write ([`beside`]), and how soon an act is proven ([`receipts`]).

mod beside;
mod growth;
mod receipts;
mod start;

use std::thread::JoinHandle;

use actix_web::web;
use tokio::sync::oneshot;
use tokio::task::LocalSet;

use super::ground::Ground;
use super::measure::Figures;
use super::{Backend, BenchError, Result, Run};
use crate::app::App;
use crate::clock::SystemClock;
use crate::log::model::Head;
use crate::log::publisher::{Means, Ticked};
use crate::log::queries;
use crate::worker;

/// A part of the measurement.
type Part = fn(&Run, Backend, &mut Figures) -> Result<()>;

/// Measures every part on each database.
pub fn measure(run: &Run) -> Result<Figures> {
    let mut figures = Figures::default();
    for backend in &run.databases {
        let parts: [Part; 3] = [growth::measure, start::measure, beside::measure];
        parts.iter().try_for_each(|part| part(run, *backend, &mut figures))?;
    }
    Ok(figures)
}

/// Measures on each database how soon an act is proven.
pub fn measure_receipts(run: &Run) -> Result<Figures> {
    let mut figures = Figures::default();
    run.databases.iter().try_for_each(|backend| receipts::measure(run, *backend, &mut figures))?;
    Ok(figures)
}

/// Lets the log grow once.
fn tick(app: &App) -> Result<Ticked> {
    let means = Means { ledger: &app.ledger, reader: &app.reader, faults: &app.faults, clock: &SystemClock };
    app.log.tick(&means).map_err(BenchError::of)
}

fn head(app: &App) -> Result<Head> {
    app.reader.read_blocking(queries::head).map_err(BenchError::of)
}

/// A worker as `serve` runs it, on a thread of its own; it ends when this is dropped, with what it is at.
struct AtWork(Option<oneshot::Sender<()>>, Option<JoinHandle<()>>);

impl AtWork {
    /// The one that lets the log grow.
    fn on_the_log(ground: &Ground) -> Result<Self> {
        Self::start(ground.app(), worker::log::run)
    }

    /// The one that fills the table by which inspectors search: it takes its time of the writer, with the log or without.
    fn on_the_search_table(ground: &Ground) -> Result<Self> {
        Self::start(ground.app(), worker::searcher::run)
    }

    fn start<F: Future<Output = ()> + 'static>(
        app: web::Data<App>,
        run: impl FnOnce(web::Data<App>) -> F + Send + 'static,
    ) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(BenchError::of)?;
        let (stop, stopped) = oneshot::channel();
        let work = move || {
            LocalSet::new().block_on(&runtime, async move {
                tokio::select! {
                    () = run(app) => {}
                    _ = stopped => {}
                }
            });
        };
        let thread = std::thread::spawn(work);
        Ok(Self(Some(stop), Some(thread)))
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        drop(self.0.take());
        if self.1.take().is_some_and(|thread| thread.join().is_err()) {
            eprintln!("a worker ended by a panic");
        }
    }
}
