//! The listener for whoever watches the platform: `GET /metrics` and nothing else, on an address of its own, so that no
//! mistake in a proxy shows it to the public. What is told is the business of [`crate::metrics`].

use std::net::TcpListener;

use actix_web::dev::Server;
use actix_web::{App as Routes, HttpResponse, HttpServer, web};

use crate::app::App;

async fn metrics(app: web::Data<App>) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(app.metrics.render())
}

/// Starts it on an open listener; await the result to serve.
///
/// # Errors
/// When the listener cannot be used.
pub fn start(app: web::Data<App>, listener: TcpListener) -> std::io::Result<Server> {
    let server = HttpServer::new(move || Routes::new().app_data(app.clone()).route("/metrics", web::get().to(metrics)));
    Ok(server.workers(1).disable_signals().listen(listener)?.run())
}
