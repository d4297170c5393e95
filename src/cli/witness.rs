//! `sealbid witness`: cosigns the heads of logs, for somebody who is not the platform.

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;

use actix_web::web;
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::{Failed, logging};
use crate::clock::SystemClock;
use crate::tlog::note::{Kind, Verifier};
use crate::witness::key::WitnessKey;
use crate::witness::state::States;
use crate::witness::{Witness, server};

/// Arguments of `witness`.
#[derive(Args)]
pub struct WitnessArgs {
    /// Where it listens; TLS is a proxy's work.
    #[arg(long, default_value = "127.0.0.1:8470", value_name = "ADDRESS")]
    listen: String,
    /// What it has seen of each log. Losing it is losing the witness: never put back an older copy.
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// Its key; made at the first start, readable by this user alone.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The name it signs under, such as witness.example.cn/1; never changed afterwards.
    #[arg(long)]
    name: String,
    /// The verifier key of a log that it watches, from whoever runs the log. Several, also of one log.
    #[arg(long, value_name = "VERIFIER", required = true)]
    log: Vec<String>,
}

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// When key, state or listener cannot be used.
pub fn run(args: &WitnessArgs) -> Result<(), Failed> {
    logging::start(&crate::config::Log::default())?;
    let mut logs = Vec::new();
    for log in &args.log {
        match Verifier::parse(log.trim()) {
            Ok(key) if key.kind() == Kind::Text => logs.push(key),
            Ok(_) => return Err(Failed::Usage(format!("--log {log}: this is the key of a witness"))),
            Err(error) => return Err(Failed::Usage(format!("--log {log}: {error}"))),
        }
    }
    let states = States::open(&args.state).map_err(Failed::tried)?;
    let key = WitnessKey::load_or_make(&args.key, &args.name).map_err(|error| Failed::file(&args.key, error))?;
    let witness = Witness::open(key, logs, states, Arc::new(SystemClock)).map_err(Failed::tried)?;
    let listener =
        TcpListener::bind(&args.listen).map_err(|error| Failed::tried(format!("{}: {error}", args.listen)))?;
    let address = listener.local_addr().map_err(Failed::tried)?;
    // For the policies of those who trust it.
    println!("{}", witness.verifier());
    tracing::info!(%address, name = args.name, "witnessing");
    let witness = web::Data::new(witness);
    let served = actix_web::rt::System::new().block_on(async move {
        let server = server::start(witness, listener)?;
        let handle = server.handle();
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        actix_web::rt::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            handle.stop(true).await;
        });
        server.await
    });
    served.map_err(|error| Failed::tried(format!("the server: {error}")))
}
