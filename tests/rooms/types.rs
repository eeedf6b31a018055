//! Rules about types: one name for one type in a room, and its methods where it is defined.

use crate::check::Breach;
use crate::declarations::Item;
use crate::module_tree::{ModuleTree, Target, room_of};
use std::collections::BTreeMap;

const TYPES: [&str; 5] = ["struct", "enum", "union", "trait", "type"];

/// No two types of one name stand below the same room.
pub(crate) fn check_type_names(tree: &ModuleTree) -> Vec<Breach> {
    let mut places: BTreeMap<(&str, &str), Vec<Place<'_>>> = BTreeMap::new();
    for module in tree.modules() {
        for item in types_of(&module.items) {
            let name = (room_of(&module.file), item.name.as_str());
            let conditions = item.conditions.iter().chain(tree.conditions(module)).collect();
            let place = Place { file: &module.file, line: item.line, conditions };
            places.entry(name).or_default().push(place);
        }
    }
    let breaches = places.into_iter().flat_map(|((room, name), places)| {
        let pairs = places.iter().enumerate().filter_map(|(at, place)| {
            let first = places[..at].iter().find(|first| !first.is_alternative_to(place))?;
            Some(Breach {
                place: format!("src/{}", place.file),
                line: place.line,
                rule: format!(
                    "{room} has a type `{name}` already, in src/{}:{}",
                    first.file, first.line
                ),
                cure: "give each a name that says what it is; one word has one meaning in a room"
                    .to_owned(),
            })
        });
        pairs.collect::<Vec<_>>()
    });
    breaches.collect()
}

/// Where a type is defined, and under which conditions.
struct Place<'t> {
    file: &'t str,
    line: usize,
    conditions: Vec<&'t String>,
}

impl Place<'_> {
    /// Whether a build has one of both, never both.
    fn is_alternative_to(&self, other: &Self) -> bool {
        let excludes = |one: &str, another: &str| one == format!("not ( {another} )");
        self.conditions.iter().any(|own| {
            let mut others = other.conditions.iter();
            others.any(|other| excludes(own, other) || excludes(other, own))
        })
    }
}

/// An inherent `impl` stands in the file that defines its type, or in the folder below the room that
/// does.
pub(crate) fn check_impls(tree: &ModuleTree) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for module in tree.modules() {
        for item in module.items.iter().filter(|item| item.kind == "impl" && !item.in_test) {
            let path = std::slice::from_ref(&item.name);
            let Some(Target::Item(home, _)) = tree.resolve(&module.path, path) else {
                continue;
            };
            if is_beside(&module.file, &home.file) {
                continue;
            }
            breaches.push(Breach {
                place: format!("src/{}", module.file),
                line: item.line,
                rule: format!(
                    "`impl {}` stands apart from its type in src/{}",
                    item.name, home.file
                ),
                cure: "give each idea a struct of its own with the fields it needs, or move the \
                       methods to the type"
                    .to_owned(),
            });
        }
    }
    breaches
}

/// Whether both are one file, or lie in one folder below the room.
fn is_beside(file: &str, home: &str) -> bool {
    let folder = home.rsplit_once('/').map_or("", |(folder, _)| folder);
    let is_below_room = folder.contains('/');
    file == home || (is_below_room && file.starts_with(&format!("{folder}/")))
}

fn types_of(items: &[Item]) -> impl Iterator<Item = &Item> {
    items.iter().filter(|item| TYPES.contains(&item.kind.as_str()) && !item.in_test)
}

#[cfg(test)]
mod tests {
    use super::{check_impls, check_type_names};
    use crate::check::Breach;
    use crate::module_tree::ModuleTree;

    fn places(check: fn(&ModuleTree) -> Vec<Breach>, files: &[(&str, &str)]) -> Vec<String> {
        let breaches = check(&ModuleTree::new(files.iter().copied()));
        breaches.iter().map(|breach| format!("{}:{}", breach.place, breach.line)).collect()
    }

    #[test]
    fn two_types_of_one_name_in_a_room_are_refused() {
        let files = [
            ("record/mod.rs", "mod a; mod b;"),
            ("record/a.rs", "struct Place;\nimpl Place { fn f() { enum Local {} } }"),
            ("record/b/c.rs", "\nenum Place {}\ntrait Other { type Place; }"),
            ("tail/a.rs", "struct Place;"),
        ];
        assert_eq!(places(check_type_names, &files), ["src/record/b/c.rs:2"]);
        let files = [
            ("tail/a.rs", "struct A; type B = A;"),
            ("tail/b.rs", "trait B {}\npub(crate) struct A;"),
        ];
        assert_eq!(places(check_type_names, &files), ["src/tail/b.rs:2", "src/tail/b.rs:1"]);
    }

    #[test]
    fn two_types_of_which_a_build_has_one_may_share_a_name() {
        let files = [
            ("lib.rs", "mod tail;"),
            ("tail/mod.rs", "#[cfg(feature = \"x\")] mod a;\n#[cfg(not(feature = \"x\"))] mod b;"),
            ("tail/a.rs", "struct A; #[cfg(y)] struct B; #[cfg(not(y))] struct B;"),
            ("tail/b.rs", "struct A; #[cfg(z)] struct C;\n struct C;"),
        ];
        assert_eq!(places(check_type_names, &files), ["src/tail/b.rs:2"]);
    }

    #[test]
    fn types_of_tests_may_repeat() {
        let files = [
            ("tail/mod.rs", "#[cfg(test)] mod made;"),
            ("tail/a.rs", "struct A; #[cfg(test)] mod tests { struct A; }"),
            ("tail/tests.rs", "struct A;"),
            ("tail/made.rs", "struct A;"),
        ];
        assert!(places(check_type_names, &files).is_empty());
    }

    #[test]
    fn an_impl_apart_from_its_type_is_refused() {
        let files = [
            ("lib.rs", "mod record; mod layer;"),
            ("record/mod.rs", "mod recorder; mod ring; pub(crate) use recorder::Recorder;"),
            ("record/recorder.rs", "pub(crate) struct Recorder; impl Recorder {}"),
            (
                "record/ring.rs",
                "use super::recorder::Recorder;\nimpl Recorder {} impl Drop for Recorder {}",
            ),
            (
                "layer/mod.rs",
                "use crate::record::Recorder; \n\nimpl Recorder {} #[cfg(test)] mod tests { impl Recorder {} }",
            ),
        ];
        assert_eq!(places(check_impls, &files), ["src/record/ring.rs:2", "src/layer/mod.rs:3"]);
    }

    #[test]
    fn a_folder_below_the_room_may_spread_the_methods_of_its_type() {
        let files = [
            ("lib.rs", "mod trace;"),
            ("trace/mod.rs", "mod store;"),
            ("trace/store/mod.rs", "mod read; struct Store;"),
            ("trace/store/read.rs", "use super::Store; impl Store {} impl<'a> Other<'a> {}"),
        ];
        assert!(places(check_impls, &files).is_empty());
    }
}
