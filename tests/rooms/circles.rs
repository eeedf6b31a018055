//! No circle of files inside a room.
//!
//! An arrow goes from a file to the file that defines what one of its paths leads to, in the same room,
//! whichever re-export lies between. Declarations of modules and re-exports (`pub use`, `pub(crate) use`)
//! are no arrows, and neither is what only tests name.

use crate::check::Breach;
use crate::module_tree::{ModuleTree, Target, room_of};
use crate::paths;
use std::collections::{BTreeMap, BTreeSet};

/// Why one file names another: the line, and the path as the check understands it.
type Reason = (usize, String);
type Arrows<'f> = BTreeMap<&'f str, BTreeMap<&'f str, Reason>>;

/// One breach for each file that stands in a circle, with the shortest way back to it.
pub(crate) fn check_circles<'f>(
    tree: &'f ModuleTree,
    files: impl IntoIterator<Item = (&'f str, &'f str)>,
) -> Vec<Breach> {
    let mut arrows = Arrows::new();
    for (file, source) in files {
        if !tree.is_test_file(file) {
            arrows.insert(file, arrows_of(tree, file, source));
        }
    }
    let mut told = BTreeSet::new();
    let mut breaches = Vec::new();
    for file in arrows.keys() {
        let Some(circle) = shortest_circle(&arrows, file) else { continue };
        let mut members = circle.clone();
        members.sort_unstable();
        // A circle of three is told once, not from each of its files.
        if told.insert(members) {
            breaches.push(breach(&arrows, &circle));
        }
    }
    breaches
}

fn arrows_of<'f>(tree: &'f ModuleTree, file: &str, source: &str) -> BTreeMap<&'f str, Reason> {
    let mut arrows = BTreeMap::new();
    for named in paths::named_paths(file, source) {
        if named.in_test || named.is_reexport {
            continue;
        }
        let Some(target) = tree.resolve(&named.scope, &named.segments) else { continue };
        let path = named.segments.join("::");
        let module = match target {
            Target::Item(module, _) => module,
            Target::Module(module) if path.ends_with('*') => module,
            // The import of a module: what is named through it counts.
            Target::Module(_) => continue,
        };
        if module.file != file && room_of(&module.file) == room_of(file) {
            arrows.entry(module.file.as_str()).or_insert((named.line, path));
        }
    }
    arrows
}

/// The fewest files by which arrows lead from `start` back to it, `start` first.
fn shortest_circle<'f>(arrows: &Arrows<'f>, start: &'f str) -> Option<Vec<&'f str>> {
    let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut front = vec![start];
    while !front.is_empty() {
        let mut next = Vec::new();
        for file in front {
            for target in arrows.get(file).into_iter().flatten().map(|(target, _)| *target) {
                if target == start {
                    let mut way = vec![file];
                    while let Some(before) = came_from.get(way[way.len() - 1]) {
                        way.push(before);
                    }
                    way.reverse();
                    return Some(way);
                }
                if !came_from.contains_key(target) {
                    came_from.insert(target, file);
                    next.push(target);
                }
            }
        }
        front = next;
    }
    None
}

fn breach(arrows: &Arrows<'_>, circle: &[&str]) -> Breach {
    let targets = circle.iter().cycle().skip(1);
    let ways = circle.iter().zip(targets).map(|(file, target)| {
        let (line, path) = &arrows[file][target];
        format!("{file}:{line} names {target} ({path})")
    });
    Breach {
        place: format!("src/{}", circle[0]),
        line: arrows[circle[0]][circle[1 % circle.len()]].0,
        rule: format!("files name each other in a circle: {}", ways.collect::<Vec<_>>().join(", ")),
        cure: "move what both need to a file of its own, or turn one of the calls around"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::check_circles;
    use crate::module_tree::ModuleTree;

    fn circles(files: &[(&str, &str)]) -> Vec<String> {
        let tree = ModuleTree::new(files.iter().copied());
        let breaches = check_circles(&tree, files.iter().copied());
        breaches.into_iter().map(|breach| format!("{}:{}", breach.place, breach.line)).collect()
    }

    const MODULES: (&str, &str) = ("record/mod.rs", "mod a; mod b; mod c; pub(crate) use b::B;");
    const ROOT: (&str, &str) = ("lib.rs", "mod record; mod tail;");

    #[test]
    fn two_files_that_name_each_other_are_refused_once() {
        let a = ("record/a.rs", "struct A;\nuse super::b::B;");
        assert_eq!(
            circles(&[ROOT, MODULES, a, ("record/b.rs", "struct B;\nfn f(a: super::a::A) {}")]),
            ["src/record/a.rs:2"]
        );
        assert!(circles(&[ROOT, MODULES, a, ("record/b.rs", "struct B;")]).is_empty());
    }

    #[test]
    fn a_circle_of_three_and_a_re_export_between_are_seen() {
        let files = [
            ROOT,
            MODULES,
            ("record/a.rs", "struct A; use super::B;"),
            ("record/b.rs", "struct B; use crate::record::c; fn f() { c::call() }"),
            ("record/c.rs", "pub(crate) fn call() { super::a::A }"),
        ];
        assert_eq!(circles(&files), ["src/record/a.rs:1"]);
    }

    #[test]
    fn a_folder_and_its_children_can_make_a_circle() {
        let child = ("record/b.rs", "struct B; use super::Own;");
        let imports = ("record/mod.rs", "mod b; struct Own;\nuse b::B;");
        assert_eq!(circles(&[ROOT, imports, child]), ["src/record/b.rs:1"]);
        let hands_on = ("record/mod.rs", "mod b; struct Own; pub use b::B;");
        assert!(circles(&[ROOT, hands_on, child]).is_empty());
    }

    #[test]
    fn imports_of_modules_and_names_in_tests_are_no_arrows() {
        let b = ("record/b.rs", "struct B; use super::a;");
        let a =
            ("record/a.rs", "struct A; use super::b::B; #[cfg(test)] mod tests { use super::*; }");
        assert!(circles(&[ROOT, MODULES, a, b]).is_empty());
        let b = ("record/b.rs", "struct B; #[cfg(test)] mod tests { use super::super::a::A; }");
        assert!(circles(&[ROOT, MODULES, a, b]).is_empty());
    }

    #[test]
    fn rooms_are_not_mixed() {
        let files = [
            ROOT,
            ("record/mod.rs", "pub struct A; use crate::tail::B;"),
            ("tail/mod.rs", "pub struct B; use crate::record::A;"),
        ];
        assert!(circles(&files).is_empty());
    }
}
