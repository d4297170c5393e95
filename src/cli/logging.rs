//! The log: on standard error, as text or JSON. Nothing that is logged carries a token, a bid or a key, whatever the
//! filter: such values are never given to the log at all.

use std::io::IsTerminal;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt, registry};

use super::Failed;
use crate::config::{ConfigError, Log};

/// Starts logging as configured.
///
/// # Errors
/// When the filter cannot be read.
pub fn start(config: &Log) -> Result<(), Failed> {
    let filter = filter(&config.filter)?;
    let log = fmt::layer().with_writer(std::io::stderr);
    let log = if config.format == "json" {
        log.json().flatten_event(true).boxed()
    } else {
        log.with_ansi(std::io::stderr().is_terminal()).boxed()
    };
    let started = registry().with(log.with_filter(filter)).try_init();
    // A panic's own words may quote what was being worked on: the log has the place alone.
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(at, "a panic, which is a mistake of ours");
    }));
    started.map_err(|error| Failed::tried(format!("the log cannot be started: {error}")))
}

/// What is logged: a level, or levels for parts of the program (`info,sealbid::worker=debug`).
fn filter(text: &str) -> Result<Targets, ConfigError> {
    text.parse().map_err(|error| ConfigError(vec![format!("log.filter: {error}")]))
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn a_filter_is_a_level_or_levels_for_parts_of_the_program() {
        let only_errors = filter("error").expect("a filter");
        assert!(only_errors.would_enable("sealbid::worker::log", &Level::ERROR));
        assert!(!only_errors.would_enable("sealbid::worker::log", &Level::WARN));
        let parts = filter("info,sealbid::worker=debug").expect("a filter");
        assert!(parts.would_enable("sealbid::worker::log", &Level::DEBUG));
        assert!(!parts.would_enable("sealbid::http", &Level::DEBUG) && parts.would_enable("ureq", &Level::INFO));
        let refused = filter("info,sealbid::worker=loud").expect_err("there is no such level");
        assert!(refused.to_string().contains("log.filter"), "{refused}");
    }
}
