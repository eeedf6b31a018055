//! Every warning that the crate can give has an entry in the chapter on running it.

use std::collections::BTreeSet;

use super::{read, root, sources};

/// How the sources say a warning.
const CALLS: &[&str] = &[
    "internal_log::warn(",
    "internal_log::warn_or_print(",
    "warnings.add(",
    "warnings.add_unless(",
    "warnings.push(",
    "pending.add(",
    "vars.warn(",
    "vars.warn_about(",
    "vars.warn_ignored(",
    "self.warn(",
    "self.warn_about(",
];

/// The files that pass on what they were given: the words stand elsewhere, or in a constant.
#[rustfmt::skip]
const PASS_ON: &[&str] = &[
    "config/delivery.rs",
    "config/exporters.rs",
    "config/otlp.rs",
    "config/resource.rs",
    "config/variables.rs",
    "delivery/health.rs",
    "export/http/transport/mod.rs",
    "init/builder.rs",
    "init/guard.rs",
    "layer/blind_spots.rs",
    "pipeline/core.rs",
    "pipeline/handle/builder/assembly.rs",
    "pipeline/maintenance.rs",
    "pipeline/signals.rs",
];

/// The file in which words of a warning stand, and the words, which the chapter has as they are here.
#[rustfmt::skip]
const WORDS: &[(&str, &str)] = &[
    ("config/variables.rs", "is ignored"),
    ("config/otlp.rs", "is read but for what cannot be sent"),
    ("config/exporters.rs", ": this build has no feature"),
    ("config/delivery.rs", "is lowered to"),
    ("config/settings.rs", "until then it exports nothing"),
    ("init/destination.rs", "traces are recorded nowhere"),
    ("init/filters.rs", "is ignored"),
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
    ("record/deciders.rs", "and its trace was left to the tail"),
    ("record/deciders.rs", "panicked and has no opinion about that trace"),
    ("record/leaks.rs", "probably leaked"),
    ("record/ring_watch.rs", "the ring of dropped traces reaches"),
    ("record/carrying.rs", "take more than an eighth of the memory of live"),
    ("coherence/runner/transport.rs", "panicked: traces are kept by this service alone"),
    ("coherence/runner/transport.rs", "is away: "),
    ("coherence/runner/transport.rs", "was passed over"),
];

/// The code with each string that goes on in the next line in one piece, without comments and unit tests.
fn source(path: &str) -> String {
    let text = read(path);
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let text: String = code.flat_map(|line| [line, "\n"]).collect();
    let text = text.replace("\\\"", "'");
    let mut pieces = text.split("\\\n");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |made, piece| made + piece.trim_start())
}

/// What stands between the parentheses of a call; `rest` begins behind the first of them.
fn arguments(rest: &str) -> &str {
    let mut depth = 1;
    let mut is_text = false;
    for (at, letter) in rest.char_indices() {
        match letter {
            '"' => is_text = !is_text,
            '(' if !is_text => depth += 1,
            ')' if !is_text => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &rest[..at];
        }
    }
    rest
}

/// The texts among the arguments that say more than a name.
fn sentences(arguments: &str) -> Vec<&str> {
    let texts = arguments.split('"').skip(1).step_by(2);
    let words = |text: &str| {
        let around: String =
            text.split('{').filter_map(|part| part.split('}').next_back()).collect();
        around.contains(' ') && around.contains(char::is_alphabetic)
    };
    texts.filter(|text| words(text)).collect()
}

#[test]
fn every_call_that_warns_says_words_that_are_known() {
    let folder = root().join("src");
    let mut passing = BTreeSet::new();
    let mut unknown = Vec::new();
    for file in sources(&folder) {
        let name = file.strip_prefix(&folder).unwrap().to_string_lossy().replace('\\', "/");
        if name == "kit/internal_log.rs" {
            continue;
        }
        let code = source(&format!("src/{name}"));
        for call in CALLS {
            for (at, _) in code.match_indices(call) {
                let said = sentences(arguments(&code[at + call.len()..]));
                if said.is_empty() {
                    passing.insert(name.clone());
                }
                for sentence in said {
                    let is_known = WORDS.iter().any(|(_, words)| sentence.contains(words));
                    let is_cure = call.contains("warn_about") || call.contains("warn_ignored");
                    if !is_known && !is_cure {
                        unknown.push(format!("src/{name}: {sentence}"));
                    }
                }
            }
        }
    }
    assert_eq!(unknown, [""; 0], "give each an entry in src/manual/running.md, and here");
    let known: BTreeSet<String> = PASS_ON.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(passing, known, "see that what they pass on has an entry, and list the file");
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
