//! `sealbid doctor`: looks at everything that an installation rests on, and says what to do.
//!
//! Promises: it changes nothing but files of its own that it removes again, and sends no message; each finding says what
//! it means and what helps, in two languages. Run it as the user that the server runs as: rights are looked at as they
//! are for whoever asks. Not here: whether the record holds together, which is `sealbid verify replay`.

mod database;
mod files;
mod surroundings;

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::{ConfigArgs, Failed};
use crate::config::Config;
use crate::kernel::text::Bilingual;

/// Arguments of `doctor`.
#[derive(Args)]
pub struct DoctorArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// One JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Ok,
    Warn,
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    level: Level,
    /// What it is about, a stable word.
    about: &'static str,
    /// What was found.
    found: Bilingual,
    /// What helps.
    #[serde(skip_serializing_if = "Option::is_none")]
    todo: Option<Bilingual>,
}

fn ok(about: &'static str, zh: impl Into<String>, en: impl Into<String>) -> Finding {
    Finding { level: Level::Ok, about, found: Bilingual::new(zh, en), todo: None }
}

fn warn(about: &'static str, found: Bilingual, todo: Bilingual) -> Finding {
    Finding { level: Level::Warn, about, found, todo: Some(todo) }
}

fn bad(about: &'static str, found: Bilingual, todo: Bilingual) -> Finding {
    Finding { level: Level::Bad, about, found, todo: Some(todo) }
}

fn both(zh: impl Into<String>, en: impl Into<String>) -> Bilingual {
    Bilingual::new(zh, en)
}

/// `sealbid doctor`. The exit code is 0 when all is well, 1 with warnings, 2 when something must be mended.
///
/// # Errors
/// When its report cannot be written.
pub fn run(args: &DoctorArgs) -> Result<ExitCode, Failed> {
    let findings = match args.config.load() {
        Ok(config) => examine(&config),
        Err(Failed::Config(mistakes)) => mistakes.0.iter().map(|mistake| mistaken(mistake)).collect(),
        Err(failed) => return Err(failed),
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&findings).map_err(Failed::tried)?);
    } else {
        findings.iter().for_each(tell);
    }
    let worst = findings.iter().map(|finding| finding.level).max().unwrap_or(Level::Ok);
    Ok(ExitCode::from(worst as u8))
}

fn mistaken(mistake: &str) -> Finding {
    bad(
        "config",
        both(format!("配置有误:{mistake}"), format!("a mistake in the configuration: {mistake}")),
        both(
            "修正配置文件或环境变量后再次运行;其余检查需要有效的配置。",
            "Mend the file or the environment and run this again; the other checks need a configuration that is whole.",
        ),
    )
}

fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = surroundings::configuration(config);
    let (mut conn, found) = database::open(config);
    findings.extend(found);
    findings.extend(files::keys(config, conn.as_mut()));
    findings.extend(surroundings::clock(conn.as_mut()));
    findings.extend(files::disks(config));
    findings.extend(files::blobs(config, conn.as_mut()));
    findings.push(surroundings::mail(config));
    findings.push(surroundings::backup(config));
    findings
}

fn tell(finding: &Finding) {
    let level = match finding.level {
        Level::Ok => "ok",
        Level::Warn => "warn",
        Level::Bad => "BAD",
    };
    println!("{level:<5}{:<10}{}\n{:15}{}", finding.about, finding.found.en, "", finding.found.zh);
    if let Some(todo) = &finding.todo {
        println!("{:15}-> {}\n{:15}-> {}", "", todo.en, "", todo.zh);
    }
}
