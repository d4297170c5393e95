//! The log: on standard error, as text or JSON. Nothing that is logged carries a token, a bid or a key, whatever the
//! filter: such values are never given to the log at all.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use super::Failed;
use crate::config::{ConfigError, Log};

/// Starts logging as configured.
///
/// # Errors
/// When the filter cannot be read.
pub fn start(config: &Log) -> Result<(), Failed> {
    let filter =
        EnvFilter::try_new(&config.filter).map_err(|error| ConfigError(vec![format!("log.filter: {error}")]))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if config.format == "json" {
        log.json().flatten_event(true).try_init()
    } else {
        log.with_ansi(std::io::stderr().is_terminal()).try_init()
    };
    // A panic's own words may quote what was being worked on: the log has the place alone.
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(at, "a panic, which is a mistake of ours");
    }));
    started.map_err(|error| Failed::tried(format!("the log cannot be started: {error}")))
}
