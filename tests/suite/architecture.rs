//! The house rules that a compiler does not know: which module may use which, which tables may be written how.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// For every top-level module: the modules it may use. A new arrow is a decision, made here.
const ARROWS: &[(&str, &[&str])] = &[
    // Pure: no database, no web, no clock, no files. A crate of its own, `src/pure`.
    ("kernel", &[]),
    ("limits", &[]),
    ("faults", &[]),
    ("rules", &["kernel"]),
    ("seal", &["kernel"]),
    ("tlog", &["kernel"]),
    // What the record and its storage need.
    ("clock", &["kernel"]),
    ("metrics", &[]),
    ("instance", &["kernel", "clock", "limits"]),
    ("refusals", &["kernel", "rules", "instance"]),
    ("keys", &["kernel", "seal"]),
    ("db", &["limits"]),
    ("blobs", &["kernel", "seal", "limits"]),
    ("config", &["db", "kernel", "limits"]),
    ("ledger", &["kernel", "rules", "tlog", "db", "clock", "instance", "limits", "refusals", "faults"]),
    ("log", &["kernel", "seal", "tlog", "verify", "witness", "db", "ledger", "clock", "limits", "faults"]),
    // What the platform does. Features use each other; `changes` of another feature stay out of reach, see below.
    (
        "features",
        &[
            "kernel", "rules", "seal", "tlog", "db", "ledger", "log", "instance", "blobs", "keys", "limits",
            "refusals", "faults", "app", "http",
        ],
    ),
    (
        "app",
        &[
            "kernel", "seal", "tlog", "db", "ledger", "log", "features", "instance", "blobs", "keys", "limits",
            "faults", "clock", "config", "http", "metrics",
        ],
    ),
    // How it is asked to.
    (
        "http",
        &[
            "kernel", "rules", "seal", "tlog", "db", "ledger", "instance", "features", "app", "keys", "limits",
            "refusals", "faults", "metrics",
        ],
    ),
    (
        "worker",
        &[
            "kernel", "rules", "seal", "tlog", "db", "ledger", "log", "instance", "features", "app", "blobs", "keys",
            "limits", "faults", "config", "clock", "metrics",
        ],
    ),
    // What others run: a crate of its own, `src/outside`, with `clock`.
    // It can read a log for whoever checks one.
    ("client", &["kernel", "seal", "tlog", "rules", "limits", "verify"]),
    // What strangers run: no database, no platform. Evidence comes as a tar, whose form is that of sealed payloads.
    ("verify", &["kernel", "seal", "tlog", "limits"]),
    // What others run beside a log; its key is a file as a bidder's is.
    ("witness", &["kernel", "seal", "tlog", "clock", "limits"]),
    // What a custodian runs: believes neither the platform nor the log.
    ("custodian", &["kernel", "seal", "tlog", "verify", "client", "clock", "limits"]),
    ("derived", &["rules", "http"]),
    (
        "stage",
        &[
            "kernel", "tlog", "db", "ledger", "features", "app", "clock", "config", "keys", "http", "worker", "client",
            "limits",
        ],
    ),
    (
        "bench",
        &[
            "kernel",
            "seal",
            "tlog",
            "client",
            "custodian",
            "demo",
            "stage",
            "app",
            "clock",
            "config",
            "db",
            "ledger",
            "log",
            "features",
            "limits",
            "http",
            "faults",
            "worker",
        ],
    ),
    (
        "demo",
        &[
            "kernel", "rules", "seal", "tlog", "verify", "client", "app", "clock", "config", "keys", "worker", "http",
            "db", "ledger", "features", "cli", "limits", "stage",
        ],
    ),
    (
        "drill",
        &[
            "kernel", "seal", "tlog", "verify", "client", "app", "clock", "config", "keys", "worker", "http", "db",
            "ledger", "log", "blobs", "features", "cli", "limits", "faults", "stage",
        ],
    ),
    (
        "cli",
        &[
            "kernel",
            "rules",
            "seal",
            "tlog",
            "verify",
            "witness",
            "client",
            "custodian",
            "demo",
            "bench",
            "drill",
            "derived",
            "app",
            "clock",
            "config",
            "keys",
            "worker",
            "http",
            "db",
            "ledger",
            "log",
            "features",
            "blobs",
            "limits",
        ],
    ),
];

/// Longest file, in lines: past that, look for the seam.
const LINES: usize = 500;

fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    files(&root.join("src"), &mut found);
    found.sort();
    // Unit tests in files of their own are not the product.
    found.retain(|path| !path.components().any(|part| part.as_os_str() == "tests") && !path.ends_with("tests.rs"));
    found
        .into_iter()
        .map(|path| {
            (path.strip_prefix(root).expect("below the root").to_owned(), fs::read_to_string(&path).expect("readable"))
        })
        .collect()
}

/// The crates below `src`. They follow from the arrows: what has none into the platform can be compiled without it.
const CRATES: [&str; 2] = ["pure", "outside"];

/// The parts of a path below `src` and below its crate, without the ending.
fn parts(path: &Path) -> Vec<String> {
    let parts = path.with_extension("");
    let mut parts = parts.components().skip(1).map(|part| part.as_os_str().to_string_lossy().into_owned()).peekable();
    parts.next_if(|first| CRATES.contains(&first.as_str()));
    parts.collect()
}

/// Lines of code with their numbers: no comments, no unit tests. Those in the file itself come last; those in a file of
/// their own are named wherever they stand.
fn code(text: &str) -> Vec<(usize, &str)> {
    let mut lines = text.lines().zip(1..);
    let mut code = Vec::new();
    while let Some((line, number)) = lines.next() {
        if line.starts_with("#[cfg(test)]") {
            match lines.find(|(line, _)| !line.starts_with("#[")) {
                Some((module, _)) if module.ends_with(';') => {}
                _ => break,
            }
        } else if !line.trim_start().starts_with("//") {
            code.push((number, line));
        }
    }
    code
}

/// Every path of this crate that a file names, from the top, with its line. Groups are taken apart and `super` is
/// followed, so that neither is a way around an arrow.
fn crate_paths(module: &[String], text: &str) -> Vec<(usize, Vec<String>)> {
    let code = code(text);
    let joined: String = code.iter().map(|(_, line)| format!("{line}\n")).collect();
    let mut found = Vec::new();
    for root in ["crate::", "super::"] {
        for (at, _) in joined.match_indices(root) {
            let before = &joined[..at];
            let inside =
                before.ends_with("super::") || before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
            if inside {
                continue;
            }
            let mut rest = &joined[at..];
            let mut above = module.to_vec();
            if let Some(below) = rest.strip_prefix("crate::") {
                (above, rest) = (Vec::new(), below);
            }
            while let Some(below) = rest.strip_prefix("super::") {
                above.pop();
                rest = below;
            }
            let line = code[before.matches('\n').count()].0;
            branches(&above, rest, &mut |path| found.push((line, path)));
        }
    }
    found
}

/// Follows a path and the branches of its groups, and returns what comes after it.
fn branches<'a>(above: &[String], text: &'a str, found: &mut impl FnMut(Vec<String>)) -> &'a str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        while !rest.trim_start().starts_with('}') {
            rest = branches(above, rest, found);
            // Past a new name (`as`) or a star, to the next branch.
            rest = rest[rest.find([',', '}']).expect("a group ends")..].trim_start_matches(',');
        }
        return &rest.trim_start()[1..];
    }
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    let path = [above, &[text[..end].to_owned()]].concat();
    match text[end..].strip_prefix("::") {
        Some(rest) => branches(&path, rest, found),
        None => {
            found(path);
            &text[end..]
        }
    }
}

/// The module that a file is.
fn module_of(parts: &[String]) -> Vec<String> {
    parts.strip_suffix(&["mod".to_owned()]).unwrap_or(parts).to_vec()
}

#[test]
fn no_way_of_writing_a_path_hides_it() {
    let module = ["features", "bids", "ops"].map(str::to_owned);
    let text = "use crate::{\n    db::Conn,\n    features::{lots::{changes, ops as o}, bids::*},\n};\n#[cfg(test)]\n#[rustfmt::skip]\nmod tests;\n// crate::http\nlet x = super::super::lots::queries::lot(super::model::X);\n";
    let paths: Vec<(usize, String)> =
        crate_paths(&module, text).into_iter().map(|(line, path)| (line, path.join("::"))).collect();
    let expected = [
        (1, "db::Conn"),
        (1, "features::lots::changes"),
        (1, "features::lots::ops"),
        (1, "features::bids::"),
        (9, "features::lots::queries::lot"),
        (9, "features::bids::model::X"),
    ];
    assert_eq!(paths, expected.map(|(line, path)| (line, path.to_owned())));
}

#[test]
fn modules_use_each_other_only_along_the_arrows() {
    let arrows: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let parts = parts(&path);
        let module = parts[0].as_str();
        if matches!(module, "lib" | "main") {
            continue;
        }
        let Some(allowed) = arrows.get(module) else {
            wrong.push(format!("{}: the module {module} has no arrows in this test", path.display()));
            continue;
        };
        for (number, line) in code(&text) {
            if line.contains("sealbid_pure") || line.contains("sealbid_outside") {
                wrong.push(format!("{}:{number}: a module has one name in all crates, `crate::…`", path.display()));
            }
        }
        for (number, used) in crate_paths(&module_of(&parts), &text) {
            // Macros of the crate have no module.
            let target = used[0].as_str();
            if target != module && arrows.contains_key(target) && !allowed.contains(&target) {
                wrong.push(format!("{}:{number}: {module} must not use {target}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_feature_never_uses_the_changes_of_another() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let parts = parts(&path);
        if parts[0] != "features" || parts.len() < 2 {
            continue;
        }
        for (number, used) in crate_paths(&module_of(&parts), &text) {
            if used.len() > 2 && used[0] == "features" && used[1] != parts[1] && used[2] == "changes" {
                wrong.push(format!("{}:{number}: {} uses the changes of {}", path.display(), parts[1], used[1]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_routes_know_the_web() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let parts = parts(&path);
        let below_features = parts[0] == "features";
        let routes = parts.get(2).is_some_and(|name| name == "http");
        for (number, line) in code(&text) {
            if below_features
                && !routes
                && (line.contains("crate::http::extract") || line.contains("crate::http::reply"))
            {
                wrong.push(format!("{}:{number}: requests and answers belong to the feature's http", path.display()));
            }
            if matches!(parts[0].as_str(), "kernel" | "rules" | "seal" | "tlog") {
                // What other crates could do is not among the dependencies of this one.
                for outside in ["std::fs", "std::net::Tcp", "std::net::Udp", "std::process"] {
                    if line.contains(outside) {
                        wrong.push(format!(
                            "{}:{number}: {} is pure and must not use {outside}",
                            path.display(),
                            parts[0]
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_file_is_too_long_to_read() {
    let mut found = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    ["src", "tests", "fuzz/src"].iter().for_each(|dir| files(&root.join(dir), &mut found));
    assert!(found.len() > 300, "{} files are looked at", found.len());
    let long: Vec<String> = found
        .into_iter()
        .map(|path| (fs::read_to_string(&path).expect("readable").lines().count(), path))
        .filter(|(lines, path)| *lines > LINES && !path.ends_with("db/schema.rs"))
        .map(|(lines, path)| format!("{}: {lines} lines", path.display()))
        .collect();
    assert!(long.is_empty(), "look for the seam:\n{}", long.join("\n"));
}

#[test]
fn the_clock_is_asked_in_one_place_and_nothing_is_unwrapped() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        for (number, line) in code(&text) {
            let clock = ["Utc::now()", "Local::now()", "SystemTime::now()"].iter().any(|call| line.contains(call));
            if clock && !path.ends_with("clock.rs") {
                wrong.push(format!("{}:{number}: time comes from the clock", path.display()));
            }
            if line.contains(".unwrap()") {
                wrong.push(format!("{}:{number}: say why it cannot fail, or return an error", path.display()));
            }
            if matches!(parts(&path)[0].as_str(), "kernel" | "rules") {
                let float = line.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == "f64" || word == "f32");
                if float {
                    wrong.push(format!("{}:{number}: money and scores are computed in integers", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nobody_but_the_ledger_makes_a_connection_that_writes() {
    // The compiler refuses it everywhere else as long as its only field has no `pub`.
    let source = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ledger/change.rs")).expect("read");
    assert!(source.contains("pub struct WriteConn<'a>(&'a mut Conn);"));
}
