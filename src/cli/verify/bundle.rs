//! `sealbid verify bundle`.

use std::fs::File;
use std::path::PathBuf;

use clap::Args;

use super::{Checked, Failed, Proven, TrustArgs, named};
use crate::verify::bundle;

/// Arguments of `verify bundle`.
#[derive(Args)]
pub struct BundleArgs {
    /// The archive.
    file: PathBuf,
    #[command(flatten)]
    pub(super) trust: TrustArgs,
}

/// Checks an evidence bundle.
pub(super) fn check(args: &BundleArgs) -> Result<Checked<Proven>, Failed> {
    let (trust, place) = (args.trust.read()?, named(&args.file));
    let file = File::open(&args.file).map_err(|error| Failed::Usage(format!("{place}: {error}")))?;
    Ok(bundle::check(&trust, &place, &file))
}
