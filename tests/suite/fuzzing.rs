//! The fuzz targets over their seeds and over every input that once found something: what they assert holds, and they
//! keep up with what they test.

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

#[path = "../../fuzz/src/targets/mod.rs"]
mod targets;

use targets::TARGETS;

#[test]
fn every_seed_of_every_fuzz_target_is_accepted() {
    for target in TARGETS {
        for (n, seed) in (target.seeds)().iter().enumerate() {
            assert!((target.run)(seed), "{}: seed {n} reaches nothing", target.name);
        }
    }
}

#[test]
fn a_seed_with_any_byte_changed_breaks_no_property() {
    for target in TARGETS {
        for seed in (target.seeds)() {
            // Long seeds are changed here and there: the fuzzer does the rest.
            for at in (0..seed.len()).step_by(seed.len() / 40 + 1) {
                let mut changed = seed.clone();
                changed[at] ^= 0x15;
                let held = catch_unwind(|| (target.run)(&changed));
                assert!(held.is_ok(), "{}: {changed:02x?}", target.name);
            }
        }
    }
}

#[test]
fn what_once_found_something_finds_nothing_any_more() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/regressions");
    let known: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    for dir in fs::read_dir(&root).into_iter().flatten().flatten() {
        let name = dir.file_name().to_string_lossy().into_owned();
        assert!(known.contains(&name.as_str()), "{name} is no target");
    }
    for target in TARGETS {
        for file in fs::read_dir(root.join(target.name)).into_iter().flatten().flatten() {
            let bytes = fs::read(file.path()).expect("readable");
            assert!(catch_unwind(|| (target.run)(&bytes)).is_ok(), "{}", file.path().display());
        }
    }
}

#[test]
fn the_fuzz_crate_builds_every_target() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("readable");
    for target in TARGETS {
        assert!(manifest.contains(&format!("name = \"{}\"", target.name)), "{} is not in fuzz/Cargo.toml", target.name);
        let main = fs::read_to_string(root.join(format!("fuzz_targets/{}.rs", target.name))).expect("readable");
        assert!(main.contains(&format!("targets::{}::run", target.name)), "{}", target.name);
    }
}
