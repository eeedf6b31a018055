//! Which paths a source file names, and where.

use crate::cfg_test::{test_ranges, text_at};
use crate::lexer::{Token, tokens};

/// One path named in code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    /// `crate::…` for a path of ours, however it was written; otherwise the
    /// path as it stands. The keyword `unsafe` counts as a path of one word.
    pub(crate) segments: Vec<String>,
    /// Where it stands, counted from one.
    pub(crate) line: usize,
    /// Whether only test builds see it.
    pub(crate) in_test: bool,
    /// The module around it, from the crate's root.
    pub(crate) scope: Vec<String>,
    /// Whether it stands in a `use` that hands the name on (`pub use`, `pub(crate) use`).
    pub(crate) is_reexport: bool,
}

/// The paths named by the code of `file` (relative to `src/`).
pub(crate) fn named_paths(file: &str, source: &str) -> Vec<Named> {
    let tokens = tokens(source);
    let whole_file_is_test = file.split('/').any(|part| part == "tests" || part == "tests.rs");
    let test_ranges = test_ranges(&tokens);
    let home = module_of(file);
    let mut scopes: Vec<Option<String>> = Vec::new();
    let mut named = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let text = tokens[at].text.as_str();
        let start = at;
        let mut trees = Vec::new();
        at += 1;
        match text {
            "{" => scopes.push(module_opened_at(&tokens, start)),
            "}" => drop(scopes.pop()),
            "unsafe" => trees.push(Leaf { path: vec![text.to_owned()], index: start, alias: None }),
            "use" if text_at(&tokens, at) != "<" => {
                at += usize::from(text_at(&tokens, at) == "::");
                at = expand(&tokens, at, &[], &mut trees);
            }
            _ if begins_a_path(&tokens, start) => at = expand(&tokens, start, &[], &mut trees),
            _ => {}
        }
        for leaf in trees {
            let scope = home.iter().chain(scopes.iter().flatten());
            let scope: Vec<String> = scope.cloned().collect();
            named.push(Named {
                segments: resolve(&leaf.path, scope.clone()),
                scope,
                is_reexport: text == "use" && has_visibility(&tokens, start),
                line: tokens[leaf.index].line,
                in_test: whole_file_is_test
                    || test_ranges.iter().any(|range| range.contains(&leaf.index)),
            });
        }
    }
    named
}

/// `record/live.rs` holds the module `record::live`, `record/mod.rs` holds `record`.
pub(crate) fn module_of(file: &str) -> Vec<String> {
    let path = file.trim_end_matches(".rs");
    let parts = path.split('/').filter(|part| !matches!(*part, "mod" | "lib"));
    parts.map(str::to_owned).collect()
}

/// The name of the inline module whose body opens at `brace`, if it is one.
fn module_opened_at(tokens: &[Token], brace: usize) -> Option<String> {
    let is_module = brace >= 2 && tokens[brace - 2].text == "mod";
    is_module.then(|| tokens[brace - 1].text.clone())
}

/// Whether the word at `at` is the first of a path outside of a `use`.
fn begins_a_path(tokens: &[Token], at: usize) -> bool {
    if !tokens[at].is_word() || text_at(tokens, at + 1) != "::" {
        return false;
    }
    if at == 0 || tokens[at - 1].text != "::" {
        return true;
    }
    // `x::here` goes on, `return ::here` begins.
    let before = at.checked_sub(2).map(|index| &tokens[index]);
    before.is_none_or(|token| match token.text.as_str() {
        "return" | "in" | "as" | "mut" | "dyn" | "impl" | "for" | "else" => true,
        text => text != ">" && !token.is_word(),
    })
}

/// Whether `pub` or `pub(…)` stands before the word at `at`.
fn has_visibility(tokens: &[Token], at: usize) -> bool {
    let before = at.checked_sub(1).map_or("", |before| text_at(tokens, before));
    matches!(before, "pub" | ")")
}

/// One path of a tree such as `a::{b, c as d}`.
pub(crate) struct Leaf {
    pub(crate) path: Vec<String>,
    /// The place of its last word.
    pub(crate) index: usize,
    /// The name that it gets, where `as` gives it another.
    pub(crate) alias: Option<String>,
}

/// Collects every path of the tree that starts at `at`; answers where the tree ends.
pub(crate) fn expand(
    tokens: &[Token],
    mut at: usize,
    prefix: &[String],
    out: &mut Vec<Leaf>,
) -> usize {
    let mut path = prefix.to_vec();
    loop {
        match text_at(tokens, at) {
            "{" => {
                at += 1;
                while at < tokens.len() && tokens[at].text != "}" {
                    at = expand(tokens, at, &path, out).max(at + 1);
                    // A new name (`x as name`) is not a path.
                    at += if text_at(tokens, at) == "as" { 2 } else { 0 };
                }
                return at + 1;
            }
            "*" => {
                path.push("*".to_owned());
                out.push(Leaf { path, index: at, alias: None });
                return at + 1;
            }
            "," | "::" => return at + 1,
            _ if at < tokens.len() && tokens[at].is_word() => {
                path.push(tokens[at].text.clone());
                let next = tokens.get(at + 2);
                let more = next.is_some_and(|t| t.is_word() || t.text == "{" || t.text == "*");
                if text_at(tokens, at + 1) != "::" || !more {
                    let renamed = text_at(tokens, at + 1) == "as";
                    let alias = renamed.then(|| text_at(tokens, at + 2).to_owned());
                    out.push(Leaf { path, index: at, alias });
                    return at + 1;
                }
                at += 2;
            }
            _ => return at,
        }
    }
}

/// Turns `self::`, `super::` and `crate::` paths into one from the crate's root.
pub(crate) fn resolve(segments: &[String], mut scope: Vec<String>) -> Vec<String> {
    let mut rest = segments;
    match segments.first().map(String::as_str) {
        Some("crate") => scope.clear(),
        Some("self" | "super") => {}
        _ => return segments.to_vec(),
    }
    while let Some((first, others)) = rest.split_first() {
        match first.as_str() {
            "super" => drop(scope.pop()),
            "self" | "crate" => {}
            _ => break,
        }
        rest = others;
    }
    let own = ["crate".to_owned()].into_iter().chain(scope);
    let names = rest.iter().filter(|word| *word != "self").cloned();
    own.chain(names).collect()
}

/// `path::name`.
pub(crate) fn joined(path: &[String], name: &str) -> Vec<String> {
    path.iter().cloned().chain([name.to_owned()]).collect()
}
