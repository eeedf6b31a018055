//! The table of the README names tests that exist.

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
