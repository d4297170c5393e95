//! `sealbid serve`: the server with its workers, from start to a stop that loses nothing it has accepted.

use std::net::TcpListener;
use std::sync::Arc;

use actix_web::web;
use tokio::signal::unix::{SignalKind, signal};

use super::database::{self, Alone};
use super::{Failed, logging};
use crate::app::{self, App};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::http::{server, watching};
use crate::worker;

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// When it cannot start, or the listener breaks.
pub fn serve(config: Config) -> Result<(), Failed> {
    logging::start(&config.log)?;
    database::make_directory(&config)?;
    let alone = Alone::take(&config)?;
    database::migrate_alone(&config, &alone)?;
    let keys = app::load_or_create_keys(&config)?;
    let bind = config.server.bind.clone();
    let app = web::Data::new(App::open(config, Arc::new(SystemClock), keys)?);
    let listener = listen(&bind)?;
    let watched = match app.config.metrics.bind.as_str() {
        "" => None,
        bind => Some(listen(bind)?),
    };
    let address = listener.local_addr().map_err(Failed::tried)?;
    let served = actix_web::rt::System::new().block_on(run(app.clone(), listener, watched, address.to_string()));
    // What was accepted is answered by now; what is still queued is committed before the process ends.
    app.ledger.stop();
    tracing::info!("stopped");
    served.map_err(|error| Failed::tried(format!("the server: {error}")))
}

fn listen(bind: &str) -> Result<TcpListener, Failed> {
    TcpListener::bind(bind).map_err(|error| Failed::tried(format!("{bind}: {error}")))
}

async fn run(
    app: web::Data<App>,
    listener: TcpListener,
    watched: Option<TcpListener>,
    address: String,
) -> std::io::Result<()> {
    worker::pulse::start(&app).await.map_err(std::io::Error::other)?;
    worker::log::start(&app).await.map_err(std::io::Error::other)?;
    let server = server::start(app.clone(), listener)?;
    if let Some(listener) = watched {
        tracing::info!(address = %listener.local_addr()?, "metrics");
        // Nobody waits for its end: what it tells ends with the process.
        actix_web::rt::spawn(watching::start(app.clone(), listener)?);
    }
    let handle = server.handle();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let workers = worker::start(&app);
    tracing::info!(address, public_url = app.config.server.public_url, instance = app.instance.id(), "listening");
    actix_web::rt::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: no new connections, answering what was accepted");
        // A worker between two commits loses nothing: its next round asks the database what there is to do.
        workers.iter().for_each(tokio::task::JoinHandle::abort);
        handle.stop(true).await;
    });
    server.await?;
    // Everything that was accepted is answered: what follows on record is that this server stopped.
    worker::log::stop(&app).await;
    if let Err(error) = worker::pulse::stop(&app).await {
        tracing::error!(error = %error, "that this server stopped could not be put on record");
    }
    Ok(())
}
