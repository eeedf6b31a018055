//! Each public item is reached by one public path, and the root holds few.

use crate::check::Breach;
use crate::declarations::{Import, Module, Visibility};
use crate::module_tree::{ModuleTree, Target};
use crate::paths::joined;
use crate::tables::MOST_ROOT_NAMES;
use std::collections::{BTreeMap, BTreeSet};

/// A public path, and where the file and line are that make it.
type Way = (String, String, usize);

/// Where an item is defined: the file, the module, its name there.
type Definition = (String, String, String);

/// Every public item, with the public paths that lead to it.
#[derive(Default)]
pub(crate) struct PublicPaths {
    ways: BTreeMap<Definition, BTreeSet<Way>>,
    /// Re-exports that the check cannot follow.
    unseen: Vec<Breach>,
    root_names: BTreeSet<String>,
}

impl PublicPaths {
    pub(crate) fn of(tree: &ModuleTree) -> Self {
        let mut paths = Self::default();
        if let Some(root) = tree.module(&[]) {
            paths.walk(tree, root, &[], &mut BTreeSet::new());
        }
        paths
    }

    fn walk(
        &mut self,
        tree: &ModuleTree,
        module: &Module,
        path: &[String],
        above: &mut BTreeSet<Vec<String>>,
    ) {
        // A module that hands on one above it would go round for ever.
        if !above.insert(module.path.clone()) {
            return;
        }
        let is_public = |visibility, in_test: bool| visibility == Visibility::Public && !in_test;
        for item in &module.items {
            if item.kind != "impl" && is_public(item.visibility, item.in_test) {
                self.add(path, &item.name, module, &item.name, (&module.file, item.line));
            }
        }
        for child in &module.children {
            let inner = tree.module(&joined(&module.path, &child.name));
            if let (true, Some(inner)) = (is_public(child.visibility, child.in_test), inner) {
                self.walk(tree, inner, &joined(path, &child.name), above);
            }
        }
        for import in &module.imports {
            if is_public(import.visibility, import.in_test) {
                self.follow(tree, module, import, path, above);
            }
        }
        above.remove(&module.path);
    }

    fn follow(
        &mut self,
        tree: &ModuleTree,
        module: &Module,
        import: &Import,
        path: &[String],
        above: &mut BTreeSet<Vec<String>>,
    ) {
        match tree.resolve(&module.path, &import.segments) {
            Some(_) if import.name == "*" => self.unseen.push(Breach {
                place: format!("src/{}", module.file),
                line: import.line,
                rule: format!("`{}` is public and names nothing", import.segments.join("::")),
                cure: "name each re-export".to_owned(),
            }),
            Some(Target::Module(inner)) => {
                self.walk(tree, inner, &joined(path, &import.name), above);
            }
            Some(Target::Item(home, name)) => {
                self.add(path, &import.name, home, name, (&module.file, import.line));
            }
            // A name of another crate.
            None => {}
        }
    }

    fn add(
        &mut self,
        path: &[String],
        name: &str,
        home: &Module,
        own_name: &str,
        (file, line): (&str, usize),
    ) {
        if path.is_empty() {
            self.root_names.insert(name.to_owned());
        }
        let way = (joined(path, name).join("::"), file.to_owned(), line);
        let definition = (home.file.clone(), home.path.join("::"), own_name.to_owned());
        self.ways.entry(definition).or_default().insert(way);
    }

    /// A second public path is refused, and so are too many names at the root.
    pub(crate) fn check(&self) -> Vec<Breach> {
        let mut breaches = self.unseen.clone();
        for ((home, ..), ways) in &self.ways {
            let names: BTreeSet<&str> = ways.iter().map(|(path, ..)| path.as_str()).collect();
            if names.len() < 2 {
                continue;
            }
            let all = names.iter().copied().collect::<Vec<_>>().join("` and `");
            let re_export = ways.iter().rfind(|(_, file, _)| file != home);
            let (_, file, line) = re_export.or(ways.last()).expect("there are two ways");
            breaches.push(Breach {
                place: format!("src/{file}"),
                line: *line,
                rule: format!("one item has the public paths `{all}`"),
                cure: "keep one of them: the root for what a first program needs, else the module"
                    .to_owned(),
            });
        }
        if self.root_names.len() > MOST_ROOT_NAMES {
            breaches.push(Breach {
                place: "src/lib.rs".to_owned(),
                line: 1,
                rule: format!("the root has {} names", self.root_names.len()),
                cure: format!(
                    "leave at most {MOST_ROOT_NAMES} there, and the rest in their modules"
                ),
            });
        }
        breaches
    }

    /// The names at the crate's root.
    pub(crate) fn root_names(&self) -> &BTreeSet<String> {
        &self.root_names
    }
}

#[cfg(test)]
mod tests {
    use super::PublicPaths;
    use crate::module_tree::ModuleTree;

    fn breaches(files: &[(&str, &str)]) -> Vec<String> {
        let tree = ModuleTree::new(files.iter().copied());
        let breaches = PublicPaths::of(&tree).check();
        breaches.iter().map(ToString::to_string).collect()
    }

    #[track_caller]
    fn refused(files: &[(&str, &str)], place: &str) {
        let found = breaches(files);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(place), "{found:?}");
    }

    #[test]
    fn a_second_public_path_is_refused() {
        let room = ("tail/mod.rs", "mod any;\npub use any::Any;");
        let any = ("tail/any.rs", "pub struct Any; struct Own; pub(crate) struct Inner;");
        assert!(breaches(&[("lib.rs", "pub mod tail;"), room, any]).is_empty());
        refused(&[("lib.rs", "pub mod tail;\npub use tail::Any;"), room, any], "src/tail/mod.rs:2");
        refused(&[("lib.rs", "pub mod tail; pub use tail::any::Any as Every;"), room, any], "src/");
        let public = ("tail/mod.rs", "pub mod any; pub use any::Any;");
        refused(&[("lib.rs", "pub mod tail;"), public, any], "src/tail/mod.rs:1");
    }

    #[test]
    fn what_only_the_crate_sees_is_no_path() {
        let room = (
            "tail/mod.rs",
            "pub(crate) mod any; pub(crate) use any::Any; #[cfg(test)] pub use any::Any as A;",
        );
        let any = ("tail/any.rs", "pub struct Any;");
        assert!(
            breaches(&[("lib.rs", "pub mod tail; pub use tail::any::Any;"), room, any]).is_empty()
        );
        assert!(
            breaches(&[("lib.rs", "mod tail; pub use tail::Any; pub use std::fmt;"), room, any])
                .is_empty()
        );
    }

    #[test]
    fn a_module_that_is_handed_on_is_walked_through() {
        let files = [
            ("lib.rs", "pub mod otel; pub use otel::adapter::convert::call;"),
            ("otel/mod.rs", "pub(crate) mod adapter; pub use adapter::convert;"),
            (
                "otel/adapter/mod.rs",
                "pub mod convert { pub fn call() {} pub use super::super::super::otel; }",
            ),
        ];
        refused(
            &files,
            "src/lib.rs:1: one item has the public paths `call` and `otel::convert::call`",
        );
    }

    #[test]
    fn a_public_glob_is_refused() {
        refused(
            &[
                ("lib.rs", "pub mod a;"),
                ("a/mod.rs", "mod b; pub use b::*;"),
                ("a/b.rs", "pub fn f() {}"),
            ],
            "src/a/mod.rs:1",
        );
    }

    #[test]
    fn the_46th_name_at_the_root_is_refused() {
        let root = |names: usize| {
            (0..names).map(|name| format!("pub struct S{name};")).collect::<String>()
        };
        assert!(
            breaches(&[
                ("lib.rs", &format!("pub mod a; fn f() {{}} {}", root(45))),
                ("a/mod.rs", "")
            ])
            .is_empty()
        );
        refused(&[("lib.rs", &root(46))], "src/lib.rs:1: the root has 46 names");
    }
}
