//! The table of a folder's README and the tests of that folder: each row has a test, and each test a row.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Fails where a row of the README in this folder, such as `tests/faults`, has no test, where one that is named is not
/// there, and where a test stands in no row.
#[track_caller]
pub(crate) fn assert_every_row_has_a_test_and_every_test_a_row(folder: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let tests = tests(&folder);
    let mut named = BTreeSet::new();
    for (row, of_row) in rows(&folder) {
        assert!(!of_row.is_empty(), "no test in the row: {row}");
        for test in of_row {
            let is_there = tests.contains(&test) || is_elsewhere(&test);
            assert!(is_there, "there is no test `{test}`; the row: {row}");
            named.insert(test);
        }
    }
    let without: Vec<_> = tests.difference(&named).collect();
    assert!(without.is_empty(), "in no row of the README: {without:?}");
}

/// What stands between backticks in the last column of each row, with the row.
fn rows(folder: &Path) -> Vec<(String, Vec<String>)> {
    let readme = fs::read_to_string(folder.join("README.md")).unwrap();
    let rows = readme.lines().filter(|line| line.starts_with("| ")).skip(1);
    let cells = rows.map(|row| {
        let last = row.trim_end_matches('|').rsplit('|').next().unwrap_or_default();
        let tests = last.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        (row.to_owned(), tests)
    });
    cells.collect()
}

/// The tests of the folder, as `file::test`; those of a folder below it, as `folder::file::test`.
fn tests(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect(folder, "", &mut found);
    found.retain(|test| !test.starts_with("table::"));
    found
}

fn collect(folder: &Path, prefix: &str, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            collect(&path, &format!("{prefix}{name}::"), found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let module = if name == "mod" { String::new() } else { format!("{name}::") };
            let source = fs::read_to_string(&path).unwrap();
            let lines: Vec<&str> = source.lines().map(str::trim).collect();
            let tests = lines.windows(4).filter(|lines| is_test_attribute(lines[0]));
            found.extend(tests.filter_map(|lines| {
                let function = lines[1..].iter().find_map(|line| {
                    line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ")
                })?;
                Some(format!("{prefix}{module}{}", function.split('(').next()?))
            }));
        }
    }
}

/// Whether a test that stands elsewhere is there, named by its file: `tests/otlp/tls.rs::name`.
fn is_elsewhere(test: &str) -> bool {
    let Some((file, function)) = test.split_once(".rs::") else { return false };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("{file}.rs"));
    fs::read_to_string(path).is_ok_and(|source| source.contains(&format!("fn {function}(")))
}

fn is_test_attribute(line: &str) -> bool {
    line == "#[test]" || line.starts_with("#[tokio::test")
}
