//! `sealbid spec`: the documents that are derived from the code.

use std::fs;
use std::path::PathBuf;

use clap::Args;

use super::Failed;
use crate::derived;

/// Arguments of `spec`.
#[derive(Args)]
pub struct SpecArgs {
    /// Write them into this checkout of the repository; without it their names are listed.
    #[arg(long, value_name = "DIR")]
    write: Option<PathBuf>,
}

/// Lists or writes the derived documents.
///
/// # Errors
/// When a file cannot be written.
pub fn run(args: &SpecArgs) -> Result<(), Failed> {
    let root = args.write.clone().unwrap_or_default();
    for (path, content) in derived::documents(&root) {
        if let Some(dir) = &args.write {
            let file = dir.join(&path);
            let written = file.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&file, content));
            written.map_err(|error| Failed::file(&file, error))?;
        }
        println!("{path}");
    }
    Ok(())
}
