//! Every warning that the crate can give has an entry in the chapter on running it.

use std::collections::BTreeMap;

use super::{read, root, sources};

/// How the sources say a warning. What follows up to the first unit test counts.
const CALLS: &[&str] = &[
    "internal_log::warn(",
    "internal_log::warn_or_print(",
    "warnings.add(",
    "warnings.add_unless(",
    "warnings.push(",
    "pending.add(",
    "LogLine::Warning(",
    "vars.warn(",
    "vars.warn_about(",
    "vars.warn_ignored(",
    "self.warn(",
    "self.warn_about(",
];

/// The files that warn, and how many calls each has. Who changes a number adds the words of the warning to `WORDS`.
#[rustfmt::skip]
const CALLERS: &[(&str, usize)] = &[
    ("coherence/runner/transport.rs", 3),
    ("config/coherence.rs", 2),
    ("config/delivery.rs", 1),
    ("config/exporters.rs", 1),
    ("config/otlp.rs", 6),
    ("config/proxies.rs", 1),
    ("config/resource.rs", 1),
    ("config/settings.rs", 2),
    ("config/tail.rs", 1),
    ("config/variables.rs", 8),
    ("delivery/health.rs", 4),
    ("delivery/spool/replay.rs", 2),
    ("delivery/spool/spool_state.rs", 1),
    ("export/http/transport/pool.rs", 1),
    ("export/otlp/mod.rs", 1),
    ("export/zipkin/mod.rs", 1),
    ("init/builder.rs", 2),
    ("init/filters.rs", 1),
    ("init/guard.rs", 1),
    ("layer/blind_spots.rs", 2),
    ("pipeline/core.rs", 2),
    ("pipeline/handle/builder/assembly.rs", 3),
    ("pipeline/maintenance.rs", 4),
    ("pipeline/signals.rs", 1),
    ("record/carrying.rs", 1),
];

/// The file in which words of a warning stand, and the words, which the chapter has as they are here.
#[rustfmt::skip]
const WORDS: &[(&str, &str)] = &[
    ("config/variables.rs", "is ignored: "),
    ("config/otlp.rs", "is read but for what cannot be sent"),
    ("config/exporters.rs", ": this build has no feature"),
    ("config/delivery.rs", "is lowered to"),
    ("config/settings.rs", "until then it exports nothing"),
    ("init/destination.rs", "traces are recorded nowhere"),
    ("init/filters.rs", "cannot be understood"),
    ("init/builder.rs", "signals end the process without a flush"),
    ("pipeline/core.rs", "no span arrived during the whole life of the pipeline"),
    ("pipeline/handle/builder/assembly.rs", "no span is recorded: cannot start a thread"),
    ("pipeline/handle/group.rs", "the sampler drops requests that their callers did not sample"),
    ("layer/blind_spots.rs", "hides events at the level ERROR"),
    ("layer/blind_spots.rs", "a log bridge of OpenTelemetry stands beside the trace layer"),
    ("ledger/watch.rs", "spans are being lost"),
    ("delivery/health.rs", "fails, its spans wait and are tried again"),
    ("delivery/health.rs", "lost spans: "),
    ("delivery/health.rs", "lost spans, every try failed"),
    ("delivery/health.rs", "lost spans, its error returned none to try again"),
    ("delivery/report/mod.rs", "flush did not end within"),
    ("delivery/report/mod.rs", "shutdown did not end within"),
    ("delivery/report/mod.rs", "spans were lost during a flush"),
    ("delivery/report/mod.rs", "spans were lost during the shutdown"),
    ("delivery/report/mod.rs", "could not flush what it was given"),
    ("delivery/report/mod.rs", "could not shut down"),
    ("delivery/spool/spool_state.rs", "is full or holds what is too old"),
    ("delivery/spool/replay.rs", "of the spool were refused"),
    ("delivery/spool/replay.rs", "was damaged and is thrown away"),
    ("export/http/response.rs", "answers as if it took the spans, but with a page of HTML"),
    ("export/http/transport/pool.rs", "without TLS, and can be read on the way"),
    ("record/deciders.rs", "panicked and has no opinion about that trace"),
    ("record/leaks.rs", "probably leaked"),
    ("record/ring_watch.rs", "the ring of dropped traces reaches"),
    ("record/carrying.rs", "take more than an eighth of the memory of live"),
    ("coherence/runner/transport.rs", "panicked: traces are kept by this service alone"),
    ("coherence/runner/transport.rs", "is away: "),
    ("coherence/runner/transport.rs", "was passed over"),
];

/// The text with each string that goes on in the next line in one piece, without its unit tests.
fn source(path: &str) -> String {
    let text = read(path);
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let mut pieces = text.split("\\\n");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |made, piece| made + piece.trim_start())
}

#[test]
fn every_call_that_warns_is_known() {
    let folder = root().join("src");
    let mut found = BTreeMap::new();
    for file in sources(&folder) {
        let name = file.strip_prefix(&folder).unwrap().to_string_lossy().replace('\\', "/");
        if name == "kit/internal_log.rs" {
            continue;
        }
        let text = source(&format!("src/{name}"));
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let code: String = code.flat_map(|line| [line, "\n"]).collect();
        let calls: usize = CALLS.iter().map(|call| code.matches(call).count()).sum();
        if calls > 0 {
            found.insert(name, calls);
        }
    }
    let known: BTreeMap<String, usize> =
        CALLERS.iter().map(|(name, calls)| ((*name).to_owned(), *calls)).collect();
    assert_eq!(found, known, "give the new warning an entry in src/manual/running.md, and here");
}

#[test]
fn every_warning_has_an_entry_in_the_chapter_on_running_it() {
    let chapter = read("src/manual/running.md");
    let entries = chapter.split("# Warnings").nth(1).expect("the chapter has warnings");
    for (file, words) in WORDS {
        assert!(source(&format!("src/{file}")).contains(words), "src/{file} says no more: {words}");
        assert!(entries.contains(&format!("`{words}")), "there is no entry for: {words}");
    }
}

#[test]
fn every_entry_of_the_chapter_is_of_a_warning_that_there_is() {
    let chapter = read("src/manual/running.md");
    let entries = chapter.split("# Warnings").nth(1).expect("the chapter has warnings");
    let rows = entries.lines().filter(|line| line.starts_with("| `"));
    for row in rows {
        let said = row.split('|').nth(1).unwrap_or_default();
        let is_known = WORDS.iter().any(|(_, words)| said.contains(words));
        assert!(is_known, "no warning says: {said}");
    }
}
