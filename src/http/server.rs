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

/// Starts a server on an open listener. Await the result to serve; its handle stops it gracefully.
///
/// # Errors
/// When the listener cannot be used.
pub fn start(app: web::Data<App>, listener: TcpListener) -> std::io::Result<Server> {
    let workers = match app.config.server.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        workers => workers,
    };
    let description = openapi::description();
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
    .worker_max_blocking_threads(limits::BLOCKING_THREADS)
    .client_request_timeout(Duration::from_secs(limits::HEAD_SECONDS))
    .keep_alive(Duration::from_secs(limits::KEEP_ALIVE_SECONDS))
    .shutdown_timeout(limits::SHUTDOWN_SECONDS)
    .disable_signals()
    .listen(listener)?;
    Ok(server.run())
}
