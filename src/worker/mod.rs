//! What the platform does by itself: what is due, unsealing, the growth of the log, mail, sweeping, scrubbing, filling the search
//! table. Each round asks the database what there is
//! to do, so that a crash at any moment loses nothing, and several servers may run the same rounds.

pub mod log;
pub mod mailer;
pub mod pulse;
pub mod scheduler;
pub mod scrubber;
pub mod searcher;
pub mod sweeper;
pub mod unsealer;
pub mod watch;

use actix_web::web;
use tokio::task::JoinHandle;

use crate::app::App;

/// Starts every worker on the current runtime; each runs until it is aborted. A worker may be stopped between any two of
/// its steps.
pub fn start(app: &web::Data<App>) -> Vec<JoinHandle<()>> {
    vec![
        tokio::task::spawn_local(pulse::run(app.clone())),
        tokio::task::spawn_local(scheduler::run(app.clone())),
        tokio::task::spawn_local(unsealer::run(app.clone())),
        tokio::task::spawn_local(log::run(app.clone())),
        tokio::task::spawn_local(log::keep_checking(app.clone())),
        tokio::task::spawn_local(mailer::run(app.clone())),
        tokio::task::spawn_local(sweeper::run(app.clone())),
        tokio::task::spawn_local(scrubber::run(app.clone())),
        tokio::task::spawn_local(searcher::run(app.clone())),
        tokio::task::spawn_local(watch::run(app.clone())),
    ]
}
