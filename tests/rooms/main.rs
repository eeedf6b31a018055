//! The house rules, kept by reading the source: which room may name which,
//! where a word may stand, what lies at the top level, how long a file may be,
//! and how types, modules and statements are written.
//!
//! To add a room or move a wall, change a table in `tables.rs`, in the same commit
//! as the code that needs it, and say why in the commit's message.

mod cfg_test;
mod check;
mod circles;
mod declarations;
mod exceptions;
mod lexer;
mod module_tree;
mod paths;
mod public_paths;
mod snippets;
mod statements;
mod tables;
mod types;

use check::{Breach, check_length, check_source, check_top_level, sleep_breach};
use exceptions::{Rule, without_exceptions};
use lexer::comments;
use module_tree::ModuleTree;
use public_paths::PublicPaths;
use statements::{check_allowances, check_bindings, check_comments};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;
use tables::{FREE, TABLE};

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

/// The files of `src/`, as (path below it, text).
fn sources() -> impl Iterator<Item = (&'static str, &'static str)> {
    static FILES: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
        let files = rust_files(&root().join("src"));
        assert!(files.iter().any(|(file, _)| file == "lib.rs"), "src/ was not read");
        files
    });
    FILES.iter().map(|(file, text)| (file.as_str(), text.as_str()))
}

fn module_tree() -> &'static ModuleTree {
    static TREE: LazyLock<ModuleTree> = LazyLock::new(|| ModuleTree::new(sources()));
    &TREE
}

/// Applies a rule for single files to each of them.
#[track_caller]
fn assert_each_file(rule: Rule, check: fn(&str, &str) -> Vec<Breach>) {
    let breaches = sources().flat_map(|(file, text)| check(file, text)).collect();
    assert_none(&without_exceptions(rule, breaches));
}

#[test]
fn every_file_of_src_keeps_to_its_room() {
    let breaches: Vec<Breach> =
        sources().flat_map(|(file, text)| check_source(file, text)).collect();
    assert_none(&breaches);
}

#[test]
fn no_file_of_src_is_too_long() {
    assert_each_file(Rule::Length, check_length);
}

#[test]
fn two_bindings_are_two_statements() {
    assert_each_file(Rule::Bindings, check_bindings);
}

#[test]
fn lints_against_unused_code_are_on() {
    assert_each_file(Rule::Allowances, check_allowances);
}

#[test]
fn comments_name_who_acts() {
    assert_each_file(Rule::Comments, check_comments);
}

#[test]
fn no_two_types_of_one_name_stand_below_a_room() {
    let breaches = types::check_type_names(module_tree());
    assert_none(&without_exceptions(Rule::TypeNames, breaches));
}

#[test]
fn the_methods_of_a_type_stand_where_it_is_defined() {
    let breaches = types::check_impls(module_tree());
    assert_none(&without_exceptions(Rule::Impls, breaches));
}

#[test]
fn no_files_of_a_room_name_each_other_in_a_circle() {
    let breaches = circles::check_circles(module_tree(), sources());
    assert_none(&without_exceptions(Rule::Circles, breaches));
}

#[test]
fn each_public_item_has_one_public_path_and_the_root_few_names() {
    let paths = PublicPaths::of(module_tree());
    assert!(paths.root_names().contains("Pipeline"), "src/lib.rs was not understood");
    assert_none(&paths.check());
}

#[test]
fn the_docs_of_the_crate_list_the_names_at_the_root() {
    let (_, source) = sources().find(|(file, _)| *file == "lib.rs").expect("src/ has a lib.rs");
    let docs: String = comments(source).into_iter().map(|line| line.text).collect();
    let paths = PublicPaths::of(module_tree());
    let missing: Vec<_> =
        paths.root_names().iter().filter(|name| !docs.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "list {missing:?} in the docs of src/lib.rs");
}

#[test]
fn every_folder_of_src_has_a_row_in_the_table() {
    let folders = names_in(&root().join("src"));
    let folders = folders.iter().filter(|name| root().join("src").join(name).is_dir());
    let known = |name: &str| FREE.contains(&name) || TABLE.iter().any(|(room, _)| *room == name);
    let unknown: Vec<_> = folders.filter(|name| !known(name)).collect();
    assert!(
        unknown.is_empty(),
        "no row in TABLE of tests/rooms/tables.rs for src/{unknown:?}: add one on purpose"
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
