//! The modules of `src/`: what each defines, imports and hands on.

use crate::declarations::{Item, Module, declarations};
use crate::paths::joined;
use std::collections::HashMap;

/// Every module of the crate.
#[derive(Debug, Default)]
pub(crate) struct ModuleTree {
    modules: Vec<Module>,
    by_path: HashMap<Vec<String>, usize>,
}

/// What a path leads to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target<'t> {
    Module(&'t Module),
    /// Something that the module defines.
    Item(&'t Module, &'t str),
}

/// How often a path may lead through another import: no real chain is as long.
const MOST_STEPS: usize = 20;

impl ModuleTree {
    /// Reads files of `src/`, given as (path below `src/`, text).
    pub(crate) fn new<'f>(files: impl IntoIterator<Item = (&'f str, &'f str)>) -> Self {
        let mut tree = Self::default();
        for (file, source) in files {
            for module in declarations(file, source) {
                tree.by_path.insert(module.path.clone(), tree.modules.len());
                tree.modules.push(module);
            }
        }
        tree.mark_test_modules();
        tree
    }

    /// What stands below a module of tests is for tests too, in whichever file.
    fn mark_test_modules(&mut self) {
        let of_tests: Vec<Vec<String>> = self
            .modules
            .iter()
            .flat_map(|module| {
                let children = module.children.iter().filter(|child| child.in_test);
                children.map(|child| joined(&module.path, &child.name))
            })
            .collect();
        for module in &mut self.modules {
            if of_tests.iter().any(|path| module.path.starts_with(path)) {
                let items = module.items.iter_mut().chain(&mut module.children);
                items.for_each(|item| item.in_test = true);
                module.imports.iter_mut().for_each(|import| import.in_test = true);
            }
        }
    }

    pub(crate) fn modules(&self) -> impl Iterator<Item = &Module> {
        self.modules.iter()
    }

    pub(crate) fn module(&self, path: &[String]) -> Option<&Module> {
        self.by_path.get(path).map(|index| &self.modules[*index])
    }

    /// Whether only test builds see the file: a module of tests, or something below one.
    pub(crate) fn is_test_file(&self, file: &str) -> bool {
        let module = self.modules.iter().find(|module| module.file == file);
        module.is_some_and(|module| {
            let mut lengths = 1..=module.path.len();
            lengths.any(|length| {
                self.declaration(&module.path[..length]).is_some_and(|child| child.in_test)
            })
        })
    }

    /// The conditions under which a module is there: its own and those of the modules around it.
    pub(crate) fn conditions<'t>(&'t self, module: &Module) -> impl Iterator<Item = &'t String> {
        let lengths = 1..=module.path.len();
        let declared = lengths.filter_map(|length| self.declaration(&module.path[..length]));
        declared.flat_map(|child| &child.conditions).collect::<Vec<_>>().into_iter()
    }

    /// The item by which the module around it declares a module.
    fn declaration(&self, path: &[String]) -> Option<&Item> {
        let (name, parent) = path.split_last()?;
        self.module(parent)?.children.iter().find(|child| child.name == *name)
    }

    /// Where a path leads that is named in the module `scope`: through modules, imports and re-exports
    /// to what is defined. `None` for a path that leads out of the crate.
    pub(crate) fn resolve(&self, scope: &[String], segments: &[String]) -> Option<Target<'_>> {
        self.follow(scope, segments, MOST_STEPS)
    }

    fn follow(&self, scope: &[String], segments: &[String], left: usize) -> Option<Target<'_>> {
        let (first, rest) = segments.split_first()?;
        let start = if first == "crate" {
            Target::Module(self.module(&[])?)
        } else {
            self.step(self.module(scope)?, first, left)?
        };
        let mut target = start;
        for name in rest.iter().filter(|name| *name != "*") {
            target = match target {
                Target::Module(module) => self.step(module, name, left)?,
                // A variant, an associated item.
                Target::Item(..) => return Some(target),
            };
        }
        Some(target)
    }

    /// What `name` is in `module`.
    fn step(&self, module: &Module, name: &str, left: usize) -> Option<Target<'_>> {
        let module = self.module(&module.path)?;
        if let Some(child) = self.module(&joined(&module.path, name)) {
            return Some(Target::Module(child));
        }
        if let Some(item) = defined(module).find(|item| item.name == name) {
            return Some(Target::Item(module, &item.name));
        }
        let left = left.checked_sub(1)?;
        if let Some(import) = module.imports.iter().find(|import| import.name == name) {
            return self.follow(&module.path, &import.segments, left);
        }
        let globs = module.imports.iter().filter(|import| import.name == "*");
        globs.filter_map(|glob| self.follow(&module.path, &glob.segments, left)).find_map(
            |target| match target {
                Target::Module(inner) if inner.path != module.path => self.step(inner, name, left),
                _ => None,
            },
        )
    }
}

/// What a module defines; an `impl` only adds to it.
fn defined(module: &Module) -> impl Iterator<Item = &Item> {
    module.items.iter().filter(|item| item.kind != "impl")
}

/// The room of a file: its folder directly below `src/`.
pub(crate) fn room_of(file: &str) -> &str {
    file.split('/').next().unwrap_or(file)
}

#[cfg(test)]
mod tests {
    use super::{ModuleTree, Target};

    fn leads(files: &[(&str, &str)], scope: &str, path: &str) -> Option<String> {
        let tree = ModuleTree::new(files.iter().copied());
        let words = |text: &str| -> Vec<String> {
            text.split("::").filter(|word| !word.is_empty()).map(str::to_owned).collect()
        };
        tree.resolve(&words(scope), &words(path)).map(|target| match target {
            Target::Module(module) => format!("module {}", module.path.join("::")),
            Target::Item(module, name) => format!("{name} in {}", module.file),
        })
    }

    const FILES: &[(&str, &str)] = &[
        ("lib.rs", "mod a; pub use a::inner::Deep;"),
        (
            "a/mod.rs",
            "pub(crate) mod inner; pub(crate) use inner::Deep as Shown; use inner::*; enum Own { X }",
        ),
        ("a/inner.rs", "pub struct Deep; pub(super) fn call() {} mod local { pub struct Z; }"),
        ("a/other.rs", "use super::inner; use std::fmt;"),
    ];

    #[test]
    fn a_path_leads_through_re_exports_to_what_is_defined() {
        let deep = Some("Deep in a/inner.rs".to_owned());
        assert_eq!(leads(FILES, "", "crate::a::Shown"), deep);
        assert_eq!(leads(FILES, "", "crate::Deep"), deep);
        assert_eq!(leads(FILES, "", "crate::a::inner::Deep::new"), deep);
        assert_eq!(leads(FILES, "", "crate::a::call"), Some("call in a/inner.rs".to_owned()));
        assert_eq!(leads(FILES, "", "crate::a::Own::X"), Some("Own in a/mod.rs".to_owned()));
    }

    #[test]
    fn a_relative_path_begins_where_it_stands() {
        assert_eq!(leads(FILES, "a::other", "inner::Deep"), Some("Deep in a/inner.rs".to_owned()));
        assert_eq!(leads(FILES, "a", "inner"), Some("module a::inner".to_owned()));
        assert_eq!(leads(FILES, "a::inner", "local::Z"), Some("Z in a/inner.rs".to_owned()));
        assert_eq!(leads(FILES, "a::other", "fmt::Debug"), None);
        assert_eq!(leads(FILES, "a::other", "Vec::new"), None);
    }

    #[test]
    fn imports_in_a_circle_lead_nowhere() {
        let files = [
            ("lib.rs", "mod a;"),
            ("a/mod.rs", "use self::b::X; mod b;"),
            ("a/b.rs", "use super::X;"),
        ];
        assert_eq!(leads(&files, "a", "X"), None);
    }
}
