//! What a file declares: modules, imports, types, functions, `impl` blocks.

use crate::cfg_test::{closing, is_test_only, item_end, text_at};
use crate::lexer::{Token, tokens};
use crate::paths::{expand, joined, module_of, resolve};

/// One module: a file, or a `mod name { … }` inside of one.
#[derive(Debug)]
pub(crate) struct Module {
    /// Its path from the crate's root: `["record", "ring"]`.
    pub(crate) path: Vec<String>,
    /// The file that holds it, below `src/`.
    pub(crate) file: String,
    /// The modules that it declares.
    pub(crate) children: Vec<Item>,
    pub(crate) imports: Vec<Import>,
    pub(crate) items: Vec<Item>,
}

/// Who may name a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visibility {
    /// `pub`
    Public,
    /// `pub(…)`
    Restricted,
    Private,
}

/// A definition, or the declaration of a module.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// The keyword: `struct`, `enum`, `trait`, `type`, `fn`, `mod`, `impl`, …
    pub(crate) kind: String,
    /// For an inherent `impl`: the name of its type.
    pub(crate) name: String,
    pub(crate) visibility: Visibility,
    pub(crate) line: usize,
    pub(crate) in_test: bool,
    /// The conditions of its `cfg` attributes: `feature = "`, `not ( feature = " )`.
    pub(crate) conditions: Vec<String>,
}

/// One name that a `use` brings in.
#[derive(Debug, Clone)]
pub(crate) struct Import {
    /// From the crate's root if it begins with `crate`, otherwise as it stands.
    pub(crate) segments: Vec<String>,
    /// The name in this module; `*` for everything.
    pub(crate) name: String,
    pub(crate) visibility: Visibility,
    pub(crate) line: usize,
    pub(crate) in_test: bool,
}

/// The modules of a file: its own first, then those written inside of it.
pub(crate) fn declarations(file: &str, source: &str) -> Vec<Module> {
    let tokens = tokens(source);
    let in_test = file.split('/').any(|part| matches!(part, "tests" | "tests.rs"));
    let mut reader = Reader { file, tokens: &tokens, modules: Vec::new() };
    reader.read(module_of(file), 0, tokens.len(), in_test);
    reader.modules
}

struct Reader<'t> {
    file: &'t str,
    tokens: &'t [Token],
    modules: Vec<Module>,
}

impl Reader<'_> {
    /// Reads the items between two tokens as a module.
    fn read(&mut self, path: Vec<String>, mut at: usize, end: usize, in_test: bool) {
        let index = self.modules.len();
        self.modules.push(Module {
            path,
            file: self.file.to_owned(),
            children: Vec::new(),
            imports: Vec::new(),
            items: Vec::new(),
        });
        while at < end {
            at = self.item(index, at, in_test).max(at + 1);
        }
    }

    /// Reads the item at `at` into a module; answers where it ends.
    fn item(&mut self, index: usize, at: usize, in_test: bool) -> usize {
        let (start, conditions) = self.after_attributes(at);
        let in_test = in_test || conditions.iter().any(|condition| is_test_only(condition));
        let conditions: Vec<String> = conditions.into_iter().map(text_of).collect();
        let (start, visibility) = self.after_visibility(start);
        let start = self.after_modifiers(start);
        let kind = text_at(self.tokens, start);
        let name = text_at(self.tokens, start + 1).to_owned();
        let line = self.tokens.get(start).map_or(0, |token| token.line);
        let end = item_end(self.tokens, start);
        let item =
            |name| Item { kind: kind.to_owned(), name, visibility, line, in_test, conditions };
        match kind {
            "use" => self.imports(index, start, visibility, in_test),
            "mod" => {
                let path = joined(&self.modules[index].path, &name);
                self.modules[index].children.push(item(name));
                if text_at(self.tokens, start + 2) == "{" {
                    self.read(path, start + 3, end - 1, in_test);
                }
            }
            "impl" => {
                if let Some(name) = inherent_type(&self.tokens[start + 1..end]) {
                    self.modules[index].items.push(item(name));
                }
            }
            "struct" | "enum" | "union" | "trait" | "type" | "fn" | "const" | "static" => {
                let name =
                    if name == "mut" { text_at(self.tokens, start + 2).to_owned() } else { name };
                self.modules[index].items.push(item(name));
            }
            "macro_rules" => {
                let name = text_at(self.tokens, start + 2).to_owned();
                self.modules[index].items.push(item(name));
            }
            _ => {}
        }
        end
    }

    /// Where the attributes at `at` end, and the insides of those that are a `cfg`.
    fn after_attributes(&self, mut at: usize) -> (usize, Vec<&[Token]>) {
        let mut conditions = Vec::new();
        loop {
            let inner = usize::from(text_at(self.tokens, at + 1) == "!");
            if text_at(self.tokens, at) != "#" || text_at(self.tokens, at + 1 + inner) != "[" {
                return (at, conditions);
            }
            let end = closing(self.tokens, at + 1 + inner).min(self.tokens.len());
            if text_at(self.tokens, at + 2 + inner) == "cfg" {
                conditions.push(&self.tokens[at + 2 + inner..end]);
            }
            at = end + 1;
        }
    }

    fn after_visibility(&self, at: usize) -> (usize, Visibility) {
        match (text_at(self.tokens, at), text_at(self.tokens, at + 1)) {
            ("pub", "(") => (closing(self.tokens, at + 1) + 1, Visibility::Restricted),
            ("pub", _) => (at + 1, Visibility::Public),
            _ => (at, Visibility::Private),
        }
    }

    /// Skips `async`, `unsafe` and the `const` of a function.
    fn after_modifiers(&self, mut at: usize) -> usize {
        loop {
            let next = text_at(self.tokens, at + 1);
            match text_at(self.tokens, at) {
                "async" | "unsafe" | "auto" => at += 1,
                "const" if matches!(next, "fn" | "async" | "unsafe" | "extern") => at += 1,
                _ => return at,
            }
        }
    }

    fn imports(&mut self, index: usize, start: usize, visibility: Visibility, in_test: bool) {
        let at = start + 1 + usize::from(text_at(self.tokens, start + 1) == "::");
        let mut leaves = Vec::new();
        expand(self.tokens, at, &[], &mut leaves);
        for leaf in leaves {
            let segments = resolve(&leaf.path, self.modules[index].path.clone());
            let last = segments.last().cloned().unwrap_or_default();
            // `a::{self}` of a crate that is not ours keeps its last word.
            let own_name = if last == "self" { segments[segments.len() - 2].clone() } else { last };
            self.modules[index].imports.push(Import {
                segments: segments.into_iter().filter(|word| word != "self").collect(),
                name: leaf.alias.unwrap_or(own_name),
                visibility,
                line: self.tokens[leaf.index].line,
                in_test,
            });
        }
    }
}

/// What stands between the brackets of `cfg(…)`.
fn text_of(condition: &[Token]) -> String {
    let inside = condition.get(2..condition.len() - 1).unwrap_or_default();
    inside.iter().map(|token| token.text.as_str()).collect::<Vec<_>>().join(" ")
}

/// The type of an inherent `impl`, from the tokens after the word; `None` for a trait's.
fn inherent_type(header: &[Token]) -> Option<String> {
    let mut depth = 0_i32;
    let mut name = None;
    for (at, token) in header.iter().enumerate() {
        match token.text.as_str() {
            "<" => depth += 1,
            // The arrow of `Fn() -> T` closes nothing.
            ">" if at > 0 && header[at - 1].text != "-" => depth -= 1,
            "for" if depth == 0 && text_at(header, at + 1) != "<" => return None,
            "{" | "where" | "+" if depth == 0 => break,
            "mut" | "dyn" | "const" => {}
            _ if depth == 0 && token.is_word() => name = Some(token.text.clone()),
            _ => {}
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::{Visibility, declarations};

    fn items(source: &str) -> Vec<String> {
        let modules = declarations("a/b.rs", source);
        let described = modules.iter().flat_map(|module| {
            let items = module.items.iter().chain(&module.children);
            items.map(|item| {
                let visibility = match item.visibility {
                    Visibility::Public => "pub ",
                    Visibility::Restricted => "pub() ",
                    Visibility::Private => "",
                };
                let test = if item.in_test { " in tests" } else { "" };
                format!("{}: {visibility}{} {}{test}", module.path.join("::"), item.kind, item.name)
            })
        });
        described.collect()
    }

    #[test]
    fn items_are_found_with_their_visibility() {
        let source = "#![x] pub struct A { b: u8 } pub(crate) enum B<T> where T: C { X } struct T(u8);
            #[doc = \"x\"] pub const fn f() -> [u8; 3] { struct Inside; [0; 3] } static mut S: u8 = 0;
            pub trait Q { type X; fn g(); } type R = A; const C: A = A { b: 1 }; pub async fn h() {}";
        let expected = [
            "pub struct A",
            "pub() enum B",
            "struct T",
            "pub fn f",
            "static S",
            "pub trait Q",
            "type R",
            "const C",
            "pub fn h",
        ];
        assert_eq!(items(source), expected.map(|item| format!("a::b: {item}")));
    }

    #[test]
    fn only_inherent_impls_are_found_by_the_name_of_their_type() {
        let source = "impl A {} impl<T: Fn() -> u8> b::B<T> where T: C {} impl fmt::Debug for A {}
            impl<F> Q for F where F: Fn(&str) -> u8 {} impl dyn Q + Send {} impl<'a> A<'a, dyn for<'b> Fn(&'b u8)> {}";
        let expected = ["A", "B", "Q", "A"];
        assert_eq!(items(source), expected.map(|name| format!("a::b: impl {name}")));
    }

    #[test]
    fn modules_hold_their_own_items() {
        let source =
            "mod c { pub struct D; } #[cfg(test)] mod tests { struct E; } pub(super) mod f;";
        let expected = [
            "a::b: mod c",
            "a::b: mod tests in tests",
            "a::b: pub() mod f",
            "a::b::c: pub struct D",
            "a::b::tests: struct E in tests",
        ];
        assert_eq!(items(source), expected);
    }

    #[test]
    fn imports_are_found_by_the_name_that_they_get() {
        let source = "pub use super::x::{self, Y as Z, w::*}; use std::fmt::{self, Debug};";
        let modules = declarations("a/b.rs", source);
        let found = modules[0].imports.iter();
        let found: Vec<_> =
            found.map(|import| format!("{} {}", import.segments.join("::"), import.name)).collect();
        let expected = [
            "crate::a::x x",
            "crate::a::x::Y Z",
            "crate::a::x::w::* *",
            "std::fmt fmt",
            "std::fmt::Debug Debug",
        ];
        assert_eq!(found, expected);
    }
}
