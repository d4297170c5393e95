//! Coverage-guided fuzzing of everything that reads bytes from outside. `docs/fuzzing.md` says how to run it.
//!
//! The bodies of the targets are in [`targets`], which the ordinary tests include as well: there every seed and every
//! input that once found something is replayed at each run, so that the targets cannot rot.

use std::{fs, path::Path};

pub mod targets;

/// Writes the seeds of a target to where its corpus lies: the fuzzer reads them next.
///
/// # Panics
/// If the directory cannot be written.
pub fn sow(target: &str) {
    let dir = Path::new("corpus").join(target);
    fs::create_dir_all(&dir).expect("the corpus can be written");
    for target in targets::TARGETS.iter().filter(|known| dir.ends_with(known.name)) {
        for (n, seed) in (target.seeds)().into_iter().enumerate() {
            fs::write(dir.join(format!("seed-{n:02}")), seed).expect("the corpus can be written");
        }
    }
}
