//! How much room a file system has.

use std::io;
use std::path::Path;

/// Room on a file system, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// What we may still fill.
    pub free: u64,
    /// All of it.
    pub total: u64,
}

impl Space {
    /// The free part, in percent, rounded down.
    pub fn free_percent(&self) -> u64 {
        self.free.saturating_mul(100).checked_div(self.total).unwrap_or(100)
    }
}

/// The room where `path` lies, or will lie once it is made.
///
/// # Errors
/// The file system's.
pub fn of(path: &Path) -> io::Result<Space> {
    let there = path.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
    let found = rustix::fs::statvfs(there)?;
    let unit = found.f_frsize;
    Ok(Space { free: found.f_bavail.saturating_mul(unit), total: found.f_blocks.saturating_mul(unit) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_is_not_made_yet_has_the_room_of_its_parent() {
        let dir = tempfile::tempdir().expect("a directory");
        let there = of(dir.path()).expect("known");
        assert!(there.total > 0 && there.free <= there.total);
        assert_eq!(of(&dir.path().join("a/b")).expect("known").total, there.total);
    }

    #[test]
    fn percents_are_rounded_down_and_nothing_of_nothing_is_all() {
        assert_eq!(Space { free: 199, total: 1_000 }.free_percent(), 19);
        assert_eq!(Space { free: 0, total: 0 }.free_percent(), 100);
    }
}
