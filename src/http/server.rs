//! The HTTP server: routes, documentation, and stopping without losing what was accepted.

use std::net::TcpListener;
use std::time::Duration;

use actix_cors::Cors;
use actix_web::dev::Server;
use actix_web::middleware::{Compress, from_fn};
use actix_web::{HttpServer, web};
use utoipa_actix_web::AppExt;
use utoipa_swagger_ui::SwaggerUi;

use super::{middleware, openapi, routes};
use crate::app::App;
use crate::limits;

/// Closed unless configured; never with credentials, since tokens travel in a header.
fn cors(origins: &[String]) -> Cors {
    let headers = ["Authorization", "Content-Type", "Content-Digest", "Idempotency-Key", "If-Match", "If-None-Match"];
    let exposed = ["Request-Id", "ETag", "Idempotency-Replayed", "Location", "Retry-After"];
    let closed = Cors::default()
        .allowed_methods(["GET", "POST", "PUT", "DELETE"])
        .allowed_headers(headers)
        .expose_headers(exposed);
    origins.iter().fold(closed, |cors, origin| cors.allowed_origin(origin))
}

/// The files that this process may have open at the same time, where the system says so: connections are files too.
pub fn open_files() -> Option<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Connections of one worker: all together leave files for the database, the blobs and the mail. Those beyond wait to be
/// accepted, and nothing else fails.
fn connections(files: Option<usize>, workers: usize) -> usize {
    let left = files.map_or(limits::CONNECTIONS, |files| files.saturating_sub(limits::FILES_KEPT).max(files / 2));
    (left.min(limits::CONNECTIONS) / workers.max(1)).max(1)
}

/// Starts a server on an open listener. Await the result to serve; its handle stops it gracefully.
///
/// # Errors
/// When the listener cannot be used.
pub fn start(app: web::Data<App>, listener: TcpListener) -> std::io::Result<Server> {
    let workers = match app.config.server.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        workers => workers,
    };
    let description = openapi::description().clone();
    let origins = app.config.server.cors_origins.clone();
    let server = HttpServer::new(move || {
        let (app, _) =
            actix_web::App::new().into_utoipa_app().app_data(app.clone()).configure(routes::routes).split_for_parts();
        app.app_data(web::PayloadConfig::new(limits::JSON_BODY_BYTES))
            .service(SwaggerUi::new("/docs/{_:.*}").url("/openapi.json", description.clone()))
            .wrap(from_fn(middleware::around))
            .wrap(cors(&origins))
            // Outermost, so that it also compresses what the layer inside puts into words.
            .wrap(Compress::default())
    })
    .workers(workers)
    .max_connections(connections(open_files(), workers))
    .worker_max_blocking_threads(limits::BLOCKING_THREADS)
    .client_request_timeout(Duration::from_secs(limits::HEAD_SECONDS))
    .keep_alive(Duration::from_secs(limits::KEEP_ALIVE_SECONDS))
    .shutdown_timeout(limits::SHUTDOWN_SECONDS)
    .disable_signals()
    .listen(listener)?;
    Ok(server.run())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_everything_else() {
        assert_eq!(connections(Some(1_024), 2), (1_024 - limits::FILES_KEPT) / 2);
        assert_eq!(connections(Some(100), 2), 25, "few files: half of them");
        assert_eq!(connections(None, 4), limits::CONNECTIONS / 4);
        assert_eq!(connections(Some(10_000_000), 4), limits::CONNECTIONS / 4);
        assert!(open_files().is_none_or(|files| files > 0));
    }
}
