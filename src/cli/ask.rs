//! What the user of a terminal is asked for: passwords, passphrases, yes or no.
//!
//! Each is taken from its environment variable, or otherwise from a line on standard input; what is typed at a terminal is not
//! shown. Never from an argument.

use std::io::{BufRead, IsTerminal, stdin};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use super::Failed;
use crate::client::Client;
use crate::kernel::secret::Secret;

/// A secret from the variable, or from a line.
///
/// # Errors
/// When there is no line.
pub fn secret(variable: &str, what: &str) -> Result<Secret<String>, Failed> {
    if let Ok(secret) = std::env::var(variable) {
        return Ok(Secret::new(secret));
    }
    eprintln!("{what}, on standard input:");
    let input = stdin();
    let before = tcgetattr(&input).ok();
    if let Some(before) = &before {
        let mut quiet = before.clone();
        quiet.local_modes -= LocalModes::ECHO;
        tcsetattr(&input, OptionalActions::Flush, &quiet).map_err(Failed::tried)?;
    }
    let line = line();
    if let Some(before) = &before {
        tcsetattr(&input, OptionalActions::Flush, before).map_err(Failed::tried)?;
    }
    line.map(Secret::new)
}

/// A new secret: typed twice where somebody types.
///
/// # Errors
/// When the two differ.
pub fn new_secret(variable: &str, what: &str) -> Result<Secret<String>, Failed> {
    let first = secret(variable, what)?;
    if stdin().is_terminal() && std::env::var_os(variable).is_none() {
        let again = secret(variable, &format!("{what}, once more"))?;
        if again.expose() != first.expose() {
            return Err(Failed::Usage("the two are not the same".into()));
        }
    }
    Ok(first)
}

/// Whether the user says yes.
///
/// # Errors
/// When there is no line.
pub fn agrees(question: &str) -> Result<bool, Failed> {
    eprintln!("{question} [yes/no 是/否]");
    Ok(matches!(line()?.trim(), "yes" | "y" | "是"))
}

fn line() -> Result<String, Failed> {
    let mut line = String::new();
    if stdin().lock().read_line(&mut line).map_err(Failed::tried)? == 0 {
        return Err(Failed::Usage("standard input has ended before the answer".into()));
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// A client that is signed in as `login`, or has the access token from SEALBID_TOKEN.
///
/// # Errors
/// When there is neither, or they are not accepted.
pub fn sign_in(server: &str, login: Option<&str>) -> Result<Client, Failed> {
    let client = Client::new(server);
    let Some(login) = login else {
        let token = std::env::var("SEALBID_TOKEN")
            .map_err(|_| Failed::Usage("give --login, or an access token in SEALBID_TOKEN".into()))?;
        return Ok(client.with_token(token));
    };
    let password = secret("SEALBID_PASSWORD", &format!("password of {login}"))?;
    client.sign_in(login, password.expose()).map_err(Failed::tried)?;
    Ok(client)
}
