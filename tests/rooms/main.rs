//! The house rules, kept by reading the source: which room may name which,
//! where a word may stand, what lies at the top level, how long a file may be.
//!
//! To add a room or move a wall, change a table here, in the same commit as
//! the code that needs it, and say why in the commit's message.

mod check;
mod lexer;
mod paths;
mod snippets;

use check::{Breach, check_source, check_top_level, sleep_breach};
use std::fs;
use std::path::Path;

/// The rooms below the doors.
const MIDDLE: &[&str] = &[
    "kit",
    "time",
    "model",
    "trace",
    "ledger",
    "propagation",
    "sampling",
    "tail",
    "export",
    "delivery",
    "record",
    "pipeline",
];

/// What every room from sampling on stands on.
const GROUND: &[&str] = &["kit", "time", "model", "trace", "ledger"];

/// Each room and what it may name beside itself. A folder of `src/` without a
/// row is refused; a row without a folder waits for its room.
#[rustfmt::skip]
const TABLE: &[(&str, &[&str])] = &[
    ("kit",         &[]),
    ("time",        &["kit"]),
    ("model",       &["kit"]),
    ("trace",       &["kit", "time", "model"]),
    ("ledger",      &["kit", "time"]),
    ("propagation", &["model"]),
    ("sampling",    GROUND),
    ("tail",        GROUND),
    ("export",      GROUND),
    ("delivery",    &["kit", "time", "model", "trace", "ledger", "export"]),
    ("record",      &["kit", "time", "model", "trace", "ledger", "sampling", "tail"]),
    ("pipeline",    &["kit", "time", "model", "trace", "ledger", "sampling", "tail", "record", "export", "delivery"]),
    ("tracer",      &["kit", "time", "model", "trace", "ledger", "sampling", "record", "pipeline", "propagation", "export"]),
    ("layer",       &["kit", "time", "model", "trace", "ledger", "sampling", "record", "pipeline", "propagation", "export"]),
    ("otel",        MIDDLE),
    ("config",      MIDDLE),
    ("adapter",     &["model", "trace", "record", "delivery"]),
    ("testing",     &["kit", "time", "model", "trace", "ledger", "propagation", "sampling", "tail", "export", "delivery", "record", "pipeline", "tracer"]),
];

/// Free to name everything: the map and the book.
const FREE: &[&str] = &["lib.rs", "manual"];

/// What a unit test may name on top of its room's row.
const TESTS_MAY_NAME: &str = "testing";

/// Where a word may stand. `word` is the path's beginning, or its end after
/// `..::`; a `*` at either end of a name stands for anything. A place that ends
/// in `/` is a folder; its `*` stands for one name.
struct Fence {
    words: &'static [&'static str],
    places: &'static [&'static str],
    tests: Tests,
    cure: &'static str,
}

/// Whether a fence also binds unit tests.
#[derive(PartialEq)]
enum Tests {
    Fenced,
    Free,
}

const FENCES: &[Fence] = &[
    Fence {
        words: &["opentelemetry*"],
        places: &["otel/", "export/opentelemetry/", "export/opentelemetry.rs"],
        tests: Tests::Fenced,
        cure: "speak the words of model; adapters live at the edge",
    },
    Fence {
        words: &["tracing", "tracing_*"],
        places: &["layer/", "kit/notice.rs"],
        tests: Tests::Fenced,
        cure: "report through kit::notice",
    },
    Fence {
        words: &["std::env", "*yaml*", "saphyr*"],
        places: &["config/"],
        tests: Tests::Fenced,
        cure: "take the value as an argument; config reads it",
    },
    Fence {
        words: &["tokio"],
        places: &["delivery/", "export/*/transport.rs", "export/*/transport/"],
        tests: Tests::Free,
        cure: "keep the logic free of I/O, or put the I/O in a transport file",
    },
    Fence {
        words: &["..::Instant::now", "..::SystemTime::now", "quanta"],
        places: &["time/"],
        tests: Tests::Fenced,
        cure: "take `now` as an argument; tests use the manual clock",
    },
    Fence {
        words: &["rand", "rand_*", "getrandom", "fastrand"],
        places: &["kit/"],
        tests: Tests::Fenced,
        cure: "take the random source as an argument; tests seed it",
    },
    Fence {
        words: &["..::thread::spawn", "..::thread::scope", "..::thread::Builder"],
        places: &["delivery/", "pipeline/"],
        tests: Tests::Free,
        cure: "let the delivery worker do the work",
    },
    Fence {
        words: &["unsafe"],
        places: &[],
        tests: Tests::Fenced,
        cure: "find the safe way; the crate forbids unsafe code",
    },
    Fence {
        words: &["tailtrace"],
        places: &[],
        tests: Tests::Fenced,
        cure: "write `crate::room::…`, so that the import table sees it",
    },
];

/// No test waits for time to pass, in `src/` or in `tests/`.
const NOT_IN_TESTS: &[&str] = &["..::sleep", "..::sleep_until"];

/// What may lie at the top of the repository, beside dot-files and `target`.
#[rustfmt::skip]
const TOP_LEVEL: &[&str] = &[
    "Cargo.toml", "Cargo.lock", "README.md", "COMPARE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md",
    "LICENSE-MIT", "LICENSE-APACHE", "src", "tests", "examples", "compat", "benches", "fuzz", "assets",
];

/// A file in `src/` has fewer lines than this.
const LINES: usize = 420;

/// Every `*.rs` below `folder`, as (path below it with `/`, text), in order.
fn rust_files(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for name in names_in(folder) {
        let path = folder.join(&name);
        if path.is_dir() {
            let inner = rust_files(&path).into_iter();
            found.extend(inner.map(|(file, text)| (format!("{name}/{file}"), text)));
        } else if name.ends_with(".rs") {
            let text = fs::read_to_string(&path);
            found.push((name, text.expect("a source file is readable UTF-8")));
        }
    }
    found
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder is readable");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("the entry is readable").file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[track_caller]
fn assert_none(breaches: &[Breach]) {
    let text: Vec<String> = breaches.iter().map(ToString::to_string).collect();
    assert!(breaches.is_empty(), "{} breaches\n{}", text.len(), text.join("\n"));
}

#[test]
fn every_file_of_src_keeps_to_its_room() {
    let files = rust_files(&root().join("src"));
    assert!(files.iter().any(|(file, _)| file == "lib.rs"), "src/ was not read");
    let breaches: Vec<Breach> =
        files.iter().flat_map(|(file, text)| check_source(file, text)).collect();
    assert_none(&breaches);
}

#[test]
fn every_folder_of_src_has_a_row_in_the_table() {
    let folders = names_in(&root().join("src"));
    let folders = folders.iter().filter(|name| root().join("src").join(name).is_dir());
    let known = |name: &str| FREE.contains(&name) || TABLE.iter().any(|(room, _)| *room == name);
    let unknown: Vec<_> = folders.filter(|name| !known(name)).collect();
    assert!(
        unknown.is_empty(),
        "no row in TABLE of tests/rooms/main.rs for src/{unknown:?}: add one on purpose"
    );
}

#[test]
fn no_test_waits_for_time_to_pass() {
    let mut breaches = Vec::new();
    for (file, text) in rust_files(&root().join("tests")) {
        for named in paths::named_paths(&format!("tests/{file}"), &text) {
            breaches.extend(sleep_breach(&named).map(|rule| Breach {
                place: format!("tests/{file}"),
                line: named.line,
                rule,
                cure: "step a manual clock, or wait on a channel".to_owned(),
            }));
        }
    }
    assert_none(&breaches);
}

#[test]
fn the_top_level_holds_only_what_belongs_there() {
    let names = names_in(root());
    assert!(names.iter().any(|name| name == "Cargo.toml"), "the repository was not read");
    assert_none(&check_top_level(names.iter().map(String::as_str)));
}
