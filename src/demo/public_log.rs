//! The end of the demonstration: every bidder fetches the proof of each of its acts, and it is checked as a stranger would, with the
//! log's key and the files alone; then the whole log is, and what was disclosed of each lot.

use std::fs;
use std::io::BufReader;
use std::path::Path;

use serde_json::Value;

use super::cast::Cast;
use super::{DemoError, During, Result, say};
use crate::stage::Platform;
use crate::tlog::policy::Policy;
use crate::verify::report::Proven;
use crate::verify::source::Directory;
use crate::verify::tree::Tree;
use crate::verify::trust::Trust;
use crate::verify::{disclosure, receipt, tiles};

/// Columns of names.
const NAME_WIDTH: usize = 34;

/// Checks, and prints a short table.
///
/// # Errors
/// The first thing that is not proven.
pub fn check(platform: &Platform, cast: &Cast) -> Result<()> {
    platform.settle()?;
    let log = &platform.app().log;
    // Whoever checks has the key from somewhere else; here it is the demonstration that knows it.
    let trust = Trust::new(Some(Policy::of_log(log.signer().verifier().clone())), Vec::new());
    let kept = platform.directory().join("receipts");
    fs::create_dir_all(&kept).map_err(unreadable(&kept))?;
    println!("\n{:NAME_WIDTH$}  {:15}  {:>8}  proven by", "receipt of", "act", "leaf");
    for (player, entry) in cast.acts() {
        let path = format!("/v1/receipts/{entry}/proof");
        let text = player.client.get_text(&path, "text/plain").during(format!("{}: its receipt", player.name))?;
        let file = kept.join(format!("{entry}.tlog-proof"));
        fs::write(&file, &text).map_err(unreadable(&file))?;
        let included = receipt::included(&trust, &file.display().to_string(), &text)
            .map_err(|failure| DemoError::Differs(format!("{}: {failure:?}", player.name)))?;
        let said = receipt::recorded(&included.opening.p);
        let name: String = player.name.chars().take(NAME_WIDTH).collect();
        println!(
            "{name:NAME_WIDTH$}  {:15}  {:>8}  checkpoint of {} leaves",
            said["kind"].as_str().unwrap_or("?"),
            included.index,
            included.head.checkpoint().size
        );
    }
    let path = log.directory().path().to_owned();
    let note = fs::read_to_string(path.join("checkpoint")).map_err(unreadable(&path))?;
    let checked = tiles::check(&trust, &Directory(path.clone()), ("checkpoint", &note), None);
    checked.map_err(|failure| DemoError::Differs(format!("the log: {failure:?}")))?;
    println!("verify tiles: the whole log leads from its entries to the signed checkpoint");
    for file in disclosed(&path)? {
        let said = verified(&trust, &path, &note, &file)?;
        let fact = |key: &str| said.facts.iter().find(|fact| fact.key == key).map_or(&Value::Null, |fact| &fact.value);
        println!(
            "verify disclosure: {}: {} entries, and the bids were {} when their set was fixed",
            file.trim_end_matches(".ndjson"),
            fact("entries"),
            fact("fixed_bids")
        );
    }
    say(format!(
        "The same with files alone: sealbid verify receipt {}/ENTRY.tlog-proof --vkey '{}'",
        kept.display(),
        log.signer().verifier()
    ));
    Ok(())
}

fn unreadable(path: &Path) -> impl Fn(std::io::Error) -> DemoError {
    move |error| DemoError::Data(format!("{}: {error}", path.display()))
}

/// The files of what was disclosed, by name.
fn disclosed(log: &Path) -> Result<Vec<String>> {
    let directory = log.join("disclosures");
    let mut names = Vec::new();
    for entry in fs::read_dir(&directory).map_err(unreadable(&directory))? {
        let name = entry.map_err(unreadable(&directory))?.file_name().to_string_lossy().into_owned();
        names.extend(name.ends_with(".ndjson").then_some(name));
    }
    names.sort();
    Ok(names)
}

/// Checks what was disclosed of a lot: every line is a leaf, streams are whole, the set of bids is the one that was fixed, and the log says
/// that this is the file.
fn verified(trust: &Trust, log: &Path, note: &str, name: &str) -> Result<Proven> {
    let differs = |failure| DemoError::Differs(format!("{name}: {failure:?}"));
    let file = log.join("disclosures").join(name);
    let head = trust.head("checkpoint", note).map_err(differs)?;
    let source = Directory(log.to_owned());
    let mut tree = Tree::open(&source, head.checkpoint()).map_err(differs)?;
    let receipt_file = file.with_extension("tlog-proof");
    let text = fs::read_to_string(&receipt_file).map_err(unreadable(&receipt_file))?;
    let included = receipt::included(trust, &receipt_file.display().to_string(), &text).map_err(differs)?;
    let reader = BufReader::new(fs::File::open(&file).map_err(unreadable(&file))?);
    disclosure::check(reader, name, &head.checkpoint().origin, Some(&mut tree), Some(&included)).map_err(differs)
}
