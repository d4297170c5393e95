//! Says what a check came to.

use std::process::ExitCode;

use serde_json::Value;

use super::Failed;
use crate::verify::report::{Failure, Proven, Result as Checked, to_json};

/// Prints the outcome for people, in English and Chinese, or as one JSON object; saves evidence where two heads disagree.
///
/// # Errors
/// When evidence cannot be saved.
pub fn outcome(outcome: &Checked<Proven>, json: bool) -> Result<ExitCode, Failed> {
    let evidence = match outcome {
        Err(Failure::Forked { heads, .. }) => save(heads)?,
        _ => Vec::new(),
    };
    if json {
        let mut object = to_json(outcome);
        if !evidence.is_empty() {
            object["evidence"] = evidence.into();
        }
        println!("{object}");
    } else {
        match outcome {
            Ok(proven) => proven_for_people(proven),
            Err(failure) => {
                let (title, finding) = (failure.title(), failure.finding());
                println!("{} / {}", title.en, title.zh);
                println!("  {}\n  -> {}\n  -> {}", finding.place, finding.what.en, finding.what.zh);
                evidence.iter().for_each(|file| println!("  evidence / 证据: {file}"));
            }
        }
    }
    Ok(ExitCode::from(outcome.as_ref().map_or_else(Failure::code, |_| 0)))
}

fn proven_for_people(proven: &Proven) {
    println!("PROVEN / 成立\n  {}\n  {}", proven.what.en, proven.what.zh);
    for fact in &proven.facts {
        let value = match &fact.value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        println!("  {} / {}: {value}", fact.label.en, fact.label.zh);
    }
}

/// Writes both notes into files of the working directory, named by what they say, so that doing it again changes nothing.
fn save(heads: &[String; 2]) -> Result<Vec<String>, Failed> {
    heads
        .iter()
        .map(|note| {
            let name =
                format!("evidence-{}.checkpoint", &crate::kernel::digest::sha256(note.as_bytes()).to_string()[..16]);
            std::fs::write(&name, note).map_err(|error| Failed::Usage(format!("{name}: {error}")))?;
            Ok(name)
        })
        .collect()
}
