//! The public log: how fast it grows and how large it becomes ([`growth`]), how soon a server with a long log is there
//! ([`start`]), how soon an act is proven ([`receipts`]), and what all of that costs those who write ([`beside`]).

mod beside;
mod growth;
mod receipts;
mod start;

use std::thread::JoinHandle;

use actix_web::web;
use tokio::sync::oneshot;
use tokio::task::LocalSet;

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
        let parts: [Part; 4] = [growth::measure, start::measure, receipts::measure, beside::measure];
        parts.iter().try_for_each(|part| part(run, *backend, &mut figures))?;
    }
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

/// The log's worker as `serve` runs it, on a thread of its own; it ends when this is dropped, with the tick that it is at.
struct Growing(Option<oneshot::Sender<()>>, Option<JoinHandle<()>>);

impl Growing {
    fn start(app: web::Data<App>) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(BenchError::of)?;
        let (stop, stopped) = oneshot::channel();
        let grow = async move {
            tokio::select! {
                () = worker::log::run(app) => {}
                _ = stopped => {}
            }
        };
        let thread = std::thread::spawn(move || LocalSet::new().block_on(&runtime, grow));
        Ok(Self(Some(stop), Some(thread)))
    }
}

impl Drop for Growing {
    fn drop(&mut self) {
        drop(self.0.take());
        if self.1.take().is_some_and(|thread| thread.join().is_err()) {
            eprintln!("the log's thread ended by a panic");
        }
    }
}
