//! The rules as tables.

/// The rooms below the doors.
pub(crate) const MIDDLE: &[&str] = &[
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
    "coherence",
    "record",
    "pipeline",
];

/// What every room from sampling on stands on.
pub(crate) const GROUND: &[&str] = &["kit", "time", "model", "trace", "ledger"];

/// Each room and what it may name beside itself: rooms, or single names of one. A
/// folder of `src/` without a row is refused; a row without a folder waits for its room.
#[rustfmt::skip]
pub(crate) const TABLE: &[(&str, &[&str])] = &[
    ("kit",         &[]),
    ("time",        &["kit"]),
    ("model",       &["kit"]),
    ("trace",       &["kit", "time", "model"]),
    ("ledger",      &["kit", "time"]),
    ("propagation", &["model"]),
    ("sampling",    GROUND),
    ("tail",        GROUND),
    ("export",      GROUND),
    ("coherence",   GROUND),
    ("delivery",    &["kit", "time", "model", "trace", "ledger", "export"]),
    ("record",      &["kit", "time", "model", "trace", "ledger", "sampling", "tail", "coherence"]),
    ("pipeline",    &["kit", "time", "model", "trace", "ledger", "sampling", "tail", "record", "export", "delivery", "coherence"]),
    ("tracer",      &["kit", "time", "model", "trace", "ledger", "sampling", "record", "pipeline", "propagation", "export::Exporter"]),
    ("layer",       &["kit", "time", "model", "trace", "ledger", "sampling", "record", "pipeline", "propagation", "export::Exporter"]),
    ("otel",        MIDDLE),
    ("config",      MIDDLE),
    ("adapter",     &["model", "trace", "record", "delivery"]),
    ("testing",     &["kit", "time", "model", "trace", "ledger", "propagation", "sampling", "tail", "export", "delivery", "coherence", "record", "pipeline", "tracer"]),
    ("init",        EVERYTHING),
];

/// What sets up all of it may name: every room but itself and the book.
#[rustfmt::skip]
pub(crate) const EVERYTHING: &[&str] = &[
    "kit", "time", "model", "trace", "ledger", "propagation", "sampling", "tail", "export", "coherence", "delivery",
    "record", "pipeline", "tracer", "layer", "otel", "config",
];

/// Free to name everything: the map and the book.
pub(crate) const FREE: &[&str] = &["lib.rs", "manual"];

/// What a unit test may name on top of its room's row.
pub(crate) const TESTS_MAY_NAME: &str = "testing";

/// Where a word may stand. `word` is the path's beginning, or its end after
/// `..::`; a `*` at either end of a name stands for anything. A place that ends
/// in `/` is a folder; its `*` stands for one name.
pub(crate) struct Fence {
    pub(crate) words: &'static [&'static str],
    pub(crate) places: &'static [&'static str],
    pub(crate) tests: Tests,
    pub(crate) cure: &'static str,
}

/// Whether a fence also binds unit tests.
#[derive(PartialEq)]
pub(crate) enum Tests {
    Fenced,
    Free,
}

pub(crate) const FENCES: &[Fence] = &[
    Fence {
        words: &["opentelemetry*"],
        places: &["otel/", "export/opentelemetry/", "export/opentelemetry.rs", "config/detect/"],
        tests: Tests::Fenced,
        cure: "speak the words of model; adapters live at the edge",
    },
    Fence {
        words: &["tracing", "tracing_*"],
        places: &["layer/", "init/", "kit/internal_log.rs"],
        tests: Tests::Fenced,
        cure: "report through kit::internal_log",
    },
    Fence {
        words: &["std::env", "*yaml*", "saphyr*"],
        places: &["config/"],
        tests: Tests::Fenced,
        cure: "take the value as an argument; config reads it",
    },
    Fence {
        words: &["tokio"],
        places: &[
            "delivery/",
            "export/*/transport.rs",
            "export/*/transport/",
            "coherence/*/transport.rs",
            "coherence/*/transport/",
        ],
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
        places: &["delivery/", "pipeline/", "coherence/*/transport.rs"],
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
pub(crate) const NOT_IN_TESTS: &[&str] = &["..::sleep", "..::sleep_until"];

/// What may lie at the top of the repository, beside dot-files and `target`.
#[rustfmt::skip]
pub(crate) const TOP_LEVEL: &[&str] = &[
    "Cargo.toml", "Cargo.lock", "README.md", "COMPARE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md",
    "LICENSE-MIT", "LICENSE-APACHE", "src", "tests", "examples", "compat", "benches", "fuzz", "assets",
];

/// The most lines of a file in `src/`.
pub(crate) const MOST_LINES: usize = 300;

/// The most names at the crate's root, modules not counted.
pub(crate) const MOST_ROOT_NAMES: usize = 45;

/// Words that a comment in `src/` says without naming who acts: the tracer, the
/// exporter, the caller, the thread.
pub(crate) const NAMELESS: &[&str] = &["nobody", "somebody", "whoever"];
