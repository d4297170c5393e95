//! The settings by their names, as the record of a start tells them: secrets are set or not, never what they are.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Config;

/// Names of settings whose values are secrets.
const SECRETS: [&str; 3] = ["password", "secret", "token"];

impl Config {
    /// Every setting by its name, without secrets.
    pub fn settings(&self) -> BTreeMap<String, String> {
        let mut settings = BTreeMap::new();
        flatten("", &serde_json::to_value(self).unwrap_or_default(), &mut settings);
        settings
    }
}

fn flatten(name: &str, value: &Value, settings: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                flatten(&name, value, settings);
            }
        }
        value => {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let shown = if !SECRETS.iter().any(|secret| name.contains(secret)) {
                without_password(&text)
            } else if text.is_empty() {
                "not set".to_owned()
            } else {
                "set".to_owned()
            };
            settings.insert(name.to_owned(), shown);
        }
    }
}

/// A URL without the user and password in it, and without its query, where a password may stand too.
fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let rest = rest.split_once('?').map_or(rest, |(rest, _)| rest);
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    format!("{scheme}://{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_is_told_every_setting_and_no_secret() {
        let mut config = Config::default();
        config.database.url = "postgres://sealbid:hush@db.example/sealbid?password=hush".into();
        config.mail.smtp_password = "hush".into();
        let settings = config.settings();
        assert_eq!(settings["database.url"], "postgres://db.example/sealbid");
        assert_eq!((settings["mail.smtp_password"].as_str(), settings["server.workers"].as_str()), ("set", "0"));
        assert!(settings.values().all(|value| !value.contains("hush")), "{settings:?}");
        assert_eq!(Config::default().settings()["mail.smtp_password"], "not set");
    }
}
