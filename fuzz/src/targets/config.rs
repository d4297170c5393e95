//! The configuration: the text of a file and the variables of an environment.
//!
//! What is accepted passes its own check, a variable wins over the file, and of any number of planted mistakes each is
//! reported by name.

use sealbid::config::{Config, ConfigError};

use super::{choice, seed};

/// See [`super::Target::run`].
pub fn run(data: &[u8]) -> bool {
    let Some((choice, bytes)) = choice(data, 3) else { return false };
    match choice {
        0 => text(bytes),
        1 => planted(bytes),
        _ => variable(bytes),
    }
}

fn read(text: &str, environment: &[(String, String)]) -> Option<Config> {
    match Config::read(Some(text), environment.iter().cloned()) {
        Ok(config) => {
            config.check().expect("what was accepted passes its check");
            Some(config)
        }
        Err(ConfigError(mistakes)) => {
            assert!(!mistakes.is_empty() && mistakes.iter().all(|mistake| !mistake.trim().is_empty()));
            None
        }
    }
}

/// The bytes are a file, and after each zero byte a variable and its value.
fn text(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let mut parts = text.split('\0');
    let file = parts.next().unwrap_or_default();
    let variables: Vec<(String, String)> = parts
        .filter_map(|part| part.split_once('='))
        .take(8)
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    read(file, &variables).is_some()
}

/// Settings and a value that is wrong for them, as TOML.
const WRONG: [(&str, &str, &str); 14] = [
    ("server", "bind", "\"nowhere\""),
    ("server", "public_url", "\"ftp://x\""),
    ("server", "cors_origins", "{}"),
    ("server", "workers", "-1"),
    ("server", "bnid", "1"),
    ("database", "url", "\"\""),
    ("database", "urll", "\"\""),
    ("storage", "blobs", "[]"),
    ("mail", "transport", "\"pigeon\""),
    ("mail", "from", "\"nobody\""),
    ("mail", "smtp_port", "70000"),
    ("mail", "smtp_security", "\"some\""),
    ("log", "format", "\"prose\""),
    ("log", "filter", "[1]"),
];

/// The bits choose which mistakes are planted, in the file or in the environment.
fn planted(bytes: &[u8]) -> bool {
    let [a, b, c, d, ..] = bytes else { return false };
    let (chosen, in_environment) = (u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d]));
    let (mut file, mut variables, mut expected) = (String::new(), Vec::new(), Vec::new());
    let mut section = "";
    for (at, (name, setting, value)) in WRONG.into_iter().enumerate().filter(|(at, _)| chosen >> at & 1 == 1) {
        expected.push(format!("{name}.{setting}"));
        // A variable is a text: what is wrong only as a list cannot be written there.
        if in_environment >> at & 1 == 1 && !value.starts_with(['[', '{']) && value != "\"\"" {
            let variable = format!("SEALBID_{}__{}", name.to_uppercase(), setting.to_uppercase());
            variables.push((variable, value.trim_matches('"').to_owned()));
            continue;
        }
        if section != name {
            file.push_str(&format!("[{name}]\n"));
            section = name;
        }
        file.push_str(&format!("{setting} = {value}\n"));
    }
    match Config::read(Some(&file), variables.iter().cloned()) {
        Ok(_) => assert!(expected.is_empty(), "{file}\n{variables:?}"),
        Err(ConfigError(mistakes)) => {
            assert_eq!(mistakes.len(), expected.len(), "{mistakes:#?}\n{expected:?}");
            for name in &expected {
                assert!(mistakes.iter().any(|mistake| mistake.starts_with(name)), "{name} in {mistakes:#?}");
            }
        }
    }
    true
}

/// A text stands in the file and another in the environment: the latter is what counts, letter by letter.
fn variable(bytes: &[u8]) -> bool {
    let Ok(value) = str::from_utf8(bytes) else { return false };
    if value.is_empty() {
        return false;
    }
    let variables = [("SEALBID_MAIL__SMTP_PASSWORD".to_owned(), value.to_owned())];
    let config = read("[mail]\nsmtp_password = \"from the file\"\n", &variables).expect("any password will do");
    assert_eq!(config.mail.smtp_password, value);
    true
}

/// See [`super::Target::seeds`].
pub fn seeds() -> Vec<Vec<u8>> {
    vec![
        seed(0, include_str!("../../../sealbid.example.toml")),
        seed(0, "[server]\nworkers = 2\n\0SEALBID_SERVER__BIND=127.0.0.1:1\0SEALBID_LOG__FORMAT=json"),
        seed(1, [0xff, 0xff, 0x55, 0x55]),
        seed(1, [0, 0, 0, 0]),
        seed(2, "s3cret"),
    ]
}
