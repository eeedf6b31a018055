//! The checker's own tests: what it must refuse, where, and what it must let pass.

use crate::check::{check_length, check_source, check_top_level, is_at, says};
use crate::tables::{EVERYTHING, FREE, MIDDLE, TABLE};

const DOORS: [&str; 4] = ["tracer", "layer", "otel", "config"];

/// The lines of the breaches found in a snippet.
fn lines(file: &str, source: &str) -> Vec<usize> {
    let breaches = check_source(file, source);
    breaches.iter().map(|breach| breach.line).collect()
}

#[track_caller]
fn refused(file: &str, source: &str) {
    assert_eq!(lines(file, source).len(), 1, "{file}: {source}");
}

#[track_caller]
fn passes(file: &str, source: &str) {
    let breaches = check_source(file, source);
    let text: Vec<String> = breaches.iter().map(ToString::to_string).collect();
    assert!(text.is_empty(), "{file}: {source}\n{}", text.join("\n"));
}

#[test]
fn the_table_has_no_cycle_and_no_arrow_between_doors() {
    for (at, (room, may_name)) in TABLE.iter().enumerate() {
        for target in *may_name {
            let target = target.split("::").next().unwrap_or(target);
            let below = TABLE[..at].iter().any(|(name, _)| *name == target);
            assert!(below, "{room} names {target}, which does not stand above it in the table");
            let between_doors = DOORS.contains(room) && DOORS.contains(&target);
            assert!(!between_doors, "{room} and {target} are doors");
        }
    }
    assert!(MIDDLE.iter().all(|room| !DOORS.contains(room) && !FREE.contains(room)));
    let apart = ["adapter", "testing", "init"];
    let others = TABLE.iter().map(|(room, _)| *room).filter(|room| !apart.contains(room));
    assert!(others.into_iter().all(|room| EVERYTHING.contains(&room)));
}

#[test]
fn a_room_outside_of_the_row_is_refused_however_it_is_written() {
    refused("sampling/mod.rs", "use crate::tail::Verdict;");
    refused("sampling/mod.rs", "pub(crate) use crate::tail;");
    refused("sampling/mod.rs", "use crate::{kit::clock, model::{Span, TraceId}, tail::Verdict};");
    refused("sampling/mod.rs", "use {crate::tail::{Verdict}, std::fmt};");
    refused("sampling/mod.rs", "use crate::tail::{self as kit};");
    refused("sampling/mod.rs", "fn f(x: crate::tail::Verdict) {}");
    refused("sampling/mod.rs", "fn f() { g(1 as u8, &mut crate::tail::verdict::<u8>()) }");
    refused("sampling/mod.rs", "impl From<crate::tail::Verdict> for A {}");
    refused("sampling/mod.rs", "macro_rules! m { () => { $crate::tail::verdict() } }");
    refused("sampling/mod.rs", "use super::tail::Verdict;");
    refused("sampling/adaptive.rs", "use super::super::tail::Verdict;");
    refused("sampling/adaptive.rs", "mod inner { use super::super::super::tail::Verdict; }");
    refused("sampling/adaptive/mod.rs", "use super::{fixed, super::tail::Verdict};");
}

#[test]
fn a_room_inside_of_the_row_passes() {
    passes(
        "kit/mod.rs",
        "use crate::kit::clock::Clock; use self::random::Source; use super::kit::ewma;",
    );
    passes(
        "sampling/mod.rs",
        "use crate::{kit::clock, model::{self, Span as S, TraceId}, ledger::Reason};",
    );
    passes(
        "sampling/adaptive.rs",
        "use super::Sampler; mod tests { use super::*; use super::super::Sampler; }",
    );
    passes(
        "record/live.rs",
        "use crate::tail::Verdict; pub(in crate::record) fn f() { crate::sampling::g() }",
    );
    passes("tracer/mod.rs", "pub(crate) use crate::pipeline::Pipeline;");
    passes("testing/mod.rs", "use crate::tracer::Tracer;");
    passes("tracer/mod.rs", "use crate::export::Exporter; use crate::export::{Exporter as E};");
    refused("tracer/mod.rs", "use crate::export::Batching;");
    refused("tracer/mod.rs", "use crate::export;");
    passes("init/mod.rs", "use crate::{config, layer::TraceLayer}; use tracing_subscriber::fmt;");
}

#[test]
fn every_breach_is_named_with_its_line_and_what_to_do() {
    let source = "//! Words.\nuse crate::{\n    kit,\n    tail::Verdict,\n};\nuse crate::layer::X;";
    let breaches = check_source("sampling/mod.rs", source);
    let text: Vec<String> = breaches.iter().map(ToString::to_string).collect();
    assert_eq!(text.len(), 2, "{text:?}");
    assert!(
        text[0].starts_with("src/sampling/mod.rs:4: sampling may not name tail"),
        "{}",
        text[0]
    );
    assert!(
        text[1].starts_with("src/sampling/mod.rs:6: sampling may not name layer"),
        "{}",
        text[1]
    );
    assert!(text.iter().all(|text| text.contains("what to do: ")));
}

#[test]
fn doors_do_not_name_doors() {
    for door in DOORS {
        for other in DOORS.iter().filter(|other| **other != door) {
            refused(&format!("{door}/mod.rs"), &format!("use crate::{other}::X;"));
        }
    }
}

#[test]
fn a_root_re_export_is_no_way_around_the_table() {
    refused("sampling/mod.rs", "use crate::Verdict;");
    refused("sampling/mod.rs", "use crate::*;");
    refused("sampling/mod.rs", "use crate as everything;");
    refused("sampling/mod.rs", "use super::*;");
    refused("sampling/mod.rs", "fn f() -> tailtrace::Verdict { g() }");
    refused("sampling/mod.rs", "extern crate self as tailtrace; use tailtrace::Verdict;");
}

#[test]
fn comments_and_texts_name_nothing() {
    passes(
        "kit/mod.rs",
        "//! [`crate::tail`]\n/// `tokio::spawn` /* x */\nfn f() { g(\"crate::tail::X\") } // rand::x",
    );
    passes(
        "kit/mod.rs",
        "#[doc = \"crate::tail::X\"] fn f<'a>(c: char) { c == '\"'; } /* unsafe /* tokio::x */ */",
    );
}

#[test]
fn unit_tests_may_name_testing_and_nothing_more() {
    let used = "use crate::testing::ManualClock;";
    refused("tail/mod.rs", used);
    passes("tail/mod.rs", &format!("#[cfg(test)] mod tests {{ {used} }}"));
    passes("tail/mod.rs", &format!("#[cfg(test)]\n#[allow(x)]\n{used}"));
    passes(
        "tail/mod.rs",
        &format!("#[cfg(all(test, not(tailtrace_loom)))] mod tests {{ {used} }}"),
    );
    passes("tail/rules/tests.rs", used);
    passes("tail/rules/tests/model.rs", used);
    refused("tail/mod.rs", &format!("#[cfg(test)] mod tests {{}} {used}"));
    refused("tail/mod.rs", &format!("#[cfg(test)] use a::{{b, c}}; {used}"));
    refused("tail/mod.rs", &format!("struct A {{ #[cfg(test)] a: u8, b: u8 }} {used}"));
    refused("tail/mod.rs", "struct A { #[cfg(test)] a: u8, b: crate::testing::B } mod x {}");
    refused("tail/mod.rs", &format!("#[cfg(not(test))] mod a {{ {used} }}"));
    refused("tail/mod.rs", &format!("#[cfg(all(a, not(test)))] mod a {{ {used} }}"));
    refused("tail/mod.rs", &format!("#[cfg(any(test, feature = \"testing\"))] mod a {{ {used} }}"));
    refused("tail/mod.rs", "#[cfg(test)] mod tests { use crate::sampling::Sampler; }");
}

#[test]
fn words_stay_inside_their_fences() {
    for (word, inside, outside) in [
        ("use opentelemetry::trace::Span;", "otel/span.rs", "record/mod.rs"),
        ("use opentelemetry_sdk::trace;", "export/opentelemetry/mod.rs", "export/console.rs"),
        ("fn f() { tracing::warn!(\"x\") }", "kit/internal_log.rs", "time/clock.rs"),
        ("use tracing;", "layer/mod.rs", "delivery/mod.rs"),
        ("use tracing_core::Event as E;", "layer/visit.rs", "model/mod.rs"),
        ("use std::{env, fmt};", "config/mod.rs", "export/console.rs"),
        ("fn f() { ::std::env::var(\"X\"); }", "config/mod.rs", "kit/mod.rs"),
        ("use serde_yaml::Value;", "config/yaml.rs", "lib.rs"),
        ("use tokio as t;", "delivery/worker.rs", "pipeline/mod.rs"),
        ("use tokio::net::TcpStream;", "export/otlp/transport.rs", "export/otlp/encode.rs"),
        ("fn f() { Instant::now() }", "time/clock.rs", "record/live.rs"),
        ("fn f() { std::time::SystemTime::now() }", "time/clock.rs", "manual/mod.rs"),
        ("static C: OnceLock<quanta::Clock> = g();", "time/clock.rs", "model/time.rs"),
        ("use {rand::Rng};", "kit/random.rs", "model/id.rs"),
        ("fn f() { thread::spawn(g) }", "delivery/worker.rs", "sampling/adaptive.rs"),
        ("use std::thread::{self, Builder};", "pipeline/start.rs", "ledger/mod.rs"),
    ] {
        passes(inside, word);
        refused(outside, word);
    }
    refused("kit/mod.rs", "fn f() { unsafe { g() } }");
    refused("lib.rs", "unsafe impl Send for A {}");
}

#[test]
fn a_word_inside_of_another_name_is_free() {
    passes(
        "model/mod.rs",
        "use crate::kit::random; fn f(env: E, tracing: T) { env.tokio(); my::rand; a::unsafe_code }",
    );
    passes("lib.rs", "#![forbid(unsafe_code)]");
}

#[test]
fn unit_tests_stand_outside_of_the_fences_that_say_so() {
    passes(
        "export/memory.rs",
        "#[cfg(test)] mod tests { fn f() { tokio::spawn(x); std::thread::scope(y) } }",
    );
    refused("export/memory.rs", "#[cfg(test)] mod tests { fn f() { Instant::now() } }");
    refused("export/memory.rs", "#[cfg(test)] mod tests { fn f() { rand::x() } }");
}

#[test]
fn a_test_that_sleeps_is_refused() {
    refused("delivery/mod.rs", "#[cfg(test)] mod tests { fn f() { thread::sleep(x) } }");
    refused("delivery/tests.rs", "use std::thread::sleep;");
    refused("delivery/tests.rs", "async fn f() { tokio::time::sleep_until(x).await }");
    passes("delivery/backoff.rs", "async fn f() { tokio::time::sleep(x).await }");
}

#[test]
fn a_room_without_a_row_is_refused() {
    refused("gossip/mod.rs", "//! A new room.");
    refused("gossip.rs", "//! A room that is not a folder.");
    passes("manual/mod.rs", "use crate::tracer::Tracer; use crate::Pipeline;");
    passes("lib.rs", "pub use crate::tracer::Tracer; pub use layer::TraceLayer;");
}

#[test]
fn a_file_of_301_lines_is_refused() {
    assert!(check_length("kit/mod.rs", &"//\n".repeat(300)).is_empty());
    let breaches = check_length("kit/mod.rs", &"//\n".repeat(301));
    assert_eq!(breaches.iter().map(|breach| breach.line).collect::<Vec<_>>(), [301]);
}

#[test]
fn a_stranger_at_the_top_level_is_refused() {
    assert!(check_top_level(["src", "Cargo.lock", ".ci", ".clippy.toml", "target"]).is_empty());
    let breaches = check_top_level(["src", "notes.txt", "rustfmt.toml"]);
    let text: Vec<String> = breaches.iter().map(ToString::to_string).collect();
    assert_eq!(text.len(), 2);
    assert!(text[0].starts_with("notes.txt:1: "), "{}", text[0]);
}

#[test]
fn patterns_mean_what_the_fences_say() {
    let path = |text: &str| text.split("::").map(str::to_owned).collect::<Vec<_>>();
    assert!(says(&path("std::env::var"), "std::env"));
    assert!(!says(&path("x::std::env"), "std::env"));
    assert!(!says(&path("std"), "std::env"));
    assert!(says(&path("a::b::c"), "..::b::c"));
    assert!(!says(&path("a::b::c"), "..::a::b"));
    assert!(is_at("kit/random.rs", "kit/") && is_at("kit/a/b.rs", "kit/"));
    assert!(!is_at("kitchen/clock.rs", "kit/") && !is_at("kit", "kit/"));
    assert!(is_at("export/otlp/transport/http.rs", "export/*/transport/"));
    assert!(!is_at("export/transport.rs", "export/*/transport.rs"));
}
