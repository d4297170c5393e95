//! A directory of its own, gone when it is dropped.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The directory.
pub struct Scratch {
    path: PathBuf,
    kept: bool,
}

impl Scratch {
    /// Makes a new directory that nobody else can read.
    pub fn new() -> std::io::Result<Self> {
        let path = std::env::temp_dir().join(format!("sealbid-{}", uuid::Uuid::new_v4().simple()));
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self { path, kept: false })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves it where it is.
    pub fn keep(&mut self) {
        self.kept = true;
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !self.kept
            && let Err(error) = fs::remove_dir_all(&self.path)
        {
            eprintln!("{}: {error}", self.path.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_is_gone_unless_it_is_kept() {
        let scratch = Scratch::new().expect("made");
        let path = scratch.path().to_owned();
        fs::write(path.join("file"), "content").expect("written");
        drop(scratch);
        assert!(!path.exists());
        let mut scratch = Scratch::new().expect("made");
        scratch.keep();
        let path = scratch.path().to_owned();
        drop(scratch);
        assert!(path.exists());
        fs::remove_dir_all(path).expect("removed");
    }
}
