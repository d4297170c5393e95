//! The server of a witness.

use std::net::TcpListener;

use actix_web::dev::Server;
use actix_web::middleware::NormalizePath;
use actix_web::{App, HttpServer, web};

use super::Witness;
use crate::limits;

/// Serves a witness on a listener until the server is stopped. TLS is a proxy's work.
///
/// # Errors
/// When the listener cannot be used.
pub fn start(witness: web::Data<Witness>, listener: TcpListener) -> std::io::Result<Server> {
    let server = HttpServer::new(move || {
        App::new()
            .wrap(NormalizePath::trim())
            .app_data(witness.clone())
            .app_data(web::PayloadConfig::new(limits::WITNESS_BODY_BYTES))
            .configure(super::http::routes)
    });
    Ok(server.workers(limits::WITNESS_WORKERS).listen(listener)?.run())
}
