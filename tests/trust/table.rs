//! The tables of the README and of the chapter on propagation: each row has a test.

use std::fs;
use std::path::Path;

#[test]
fn each_row_of_the_table_names_a_test_and_each_test_stands_in_a_row() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trust");
    let readme = fs::read_to_string(here.join("README.md")).unwrap();
    let rows = readme.lines().filter(|line| line.starts_with("| ")).skip(1);
    let named: Vec<String> = rows
        .map(|row| {
            let test = row.trim_end_matches([' ', '|']).rsplit('|').next().unwrap();
            test.trim().trim_matches('`').to_owned()
        })
        .collect();
    let mut tests = Vec::new();
    for entry in fs::read_dir(&here).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let module = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if line.trim() == "#[test]" {
                let name = lines.find_map(|line| line.trim().strip_prefix("fn ")).unwrap();
                let name = name.split('(').next().unwrap();
                tests.push(format!("{module}::{name}"));
            }
        }
    }
    for test in tests.iter().filter(|test| !test.starts_with("table::")) {
        assert!(named.contains(test), "no row names {test}");
    }
    for name in &named {
        assert!(tests.contains(name), "no test is called {name}");
    }
}

/// The rows of the table of attacks in the chapter on propagation, by their beginnings, with the test of each.
const OF_THE_CHAPTER: [(&str, &str); 12] = [
    (
        "ids ending in `ff…`, or `ot=rv:ff…`",
        "border::no_id_and_no_flag_of_a_stranger_raises_the_rate_at_a_public_border",
    ),
    (
        "the same, to take the whole budget",
        "survival::operations_that_callers_make_up_are_no_way_around_the_ceiling",
    ),
    ("the sampled or the debug flag", "border::every_way_in_has_the_same_answer"),
    ("a threshold that claims", "survival::a_callers_threshold_claims_no_more_than_was_seen"),
    (
        "ids that survive the eviction",
        "survival::no_flag_and_no_choice_of_bits_makes_open_traces_survive_others",
    ),
    ("one trace id for many requests", "border::one_id_for_many_requests_makes_a_trace_of_each"),
    ("hanging up", "border::who_hangs_up_at_a_border_makes_no_error"),
    ("a content type of gRPC", "calls::no_content_type_of_a_caller_makes_an_error"),
    (
        "methods of gRPC that do not exist",
        "calls::no_caller_at_a_border_names_an_operation_that_does_not_exist",
    ),
    (
        "a trace state or baggage of 8 KiB",
        "heap::open_spans_weigh_their_trace_states_and_their_baggage",
    ),
    ("baggage for services behind", "border::whatever_came_in_is_not_in_what_goes_out"),
    (
        "headers that a proxy copies",
        "injection::a_header_that_a_proxy_copied_does_not_win_over_the_span",
    ),
];

#[test]
fn each_attack_in_the_chapter_on_propagation_has_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let chapter = fs::read_to_string(root.join("src/manual/propagation.md")).unwrap();
    let table = chapter.split("| attack | inside |").nth(1).unwrap();
    let rows: Vec<&str> = table.lines().skip(2).map_while(|line| line.strip_prefix("| ")).collect();
    assert_eq!(rows.len(), OF_THE_CHAPTER.len(), "a row has no test, or a test no row");
    for (row, (beginning, test)) in rows.iter().zip(OF_THE_CHAPTER) {
        assert!(row.starts_with(beginning), "{beginning} names no row: {row}");
        let (module, name) = test.split_once("::").unwrap();
        let file = root.join(format!("tests/trust/{module}.rs"));
        let source = fs::read_to_string(file).unwrap();
        assert!(source.contains(&format!("fn {name}(")), "no test is called {test}");
    }
}
