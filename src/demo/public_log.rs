//! The end of the demonstration: every bidder fetches the proof of each of its acts, and it is checked as a stranger would, with the
//! log's key and the files alone; then the whole log is.

use super::cast::Cast;
use super::{DemoError, During, Result, say};
use crate::stage::Platform;
use crate::tlog::policy::Policy;
use crate::verify::source::Directory;
use crate::verify::trust::Trust;
use crate::verify::{receipt, tiles};

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
    std::fs::create_dir_all(&kept).map_err(|error| DemoError::Data(format!("{}: {error}", kept.display())))?;
    println!("\n{:NAME_WIDTH$}  {:15}  {:>8}  proven by", "receipt of", "act", "leaf");
    for (player, entry) in cast.acts() {
        let path = format!("/v1/receipts/{entry}/proof");
        let text = player.client.get_text(&path, "text/plain").during(format!("{}: its receipt", player.name))?;
        let file = kept.join(format!("{entry}.tlog-proof"));
        std::fs::write(&file, &text).map_err(|error| DemoError::Data(format!("{}: {error}", file.display())))?;
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
    let note = std::fs::read_to_string(path.join("checkpoint"))
        .map_err(|error| DemoError::Data(format!("{}: {error}", path.display())))?;
    let checked = tiles::check(&trust, &Directory(path.clone()), ("checkpoint", &note), None);
    checked.map_err(|failure| DemoError::Differs(format!("the log: {failure:?}")))?;
    println!("verify tiles: the whole log leads from its entries to the signed checkpoint");
    say(format!(
        "The same with files alone: sealbid verify receipt {}/ENTRY.tlog-proof --vkey '{}'",
        kept.display(),
        log.signer().verifier()
    ));
    Ok(())
}
