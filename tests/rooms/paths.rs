//! Which paths a source file names, and where.

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
            "unsafe" => trees.push((vec![text.to_owned()], start)),
            "use" if text_at(&tokens, at) != "<" => {
                at += usize::from(text_at(&tokens, at) == "::");
                at = expand(&tokens, at, &[], &mut trees);
            }
            _ if begins_a_path(&tokens, start) => at = expand(&tokens, start, &[], &mut trees),
            _ => {}
        }
        for (segments, index) in trees {
            let scope = home.iter().chain(scopes.iter().flatten());
            named.push(Named {
                segments: resolve(&segments, scope.cloned().collect()),
                line: tokens[index].line,
                in_test: whole_file_is_test
                    || test_ranges.iter().any(|range| range.contains(&index)),
            });
        }
    }
    named
}

fn text_at(tokens: &[Token], at: usize) -> &str {
    tokens.get(at).map_or("", |token| token.text.as_str())
}

/// `record/live.rs` holds the module `record::live`, `record/mod.rs` holds `record`.
fn module_of(file: &str) -> Vec<String> {
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

/// Collects every path of the tree that starts at `at`, each with the place of
/// its last word; answers where the tree ends.
fn expand(
    tokens: &[Token],
    mut at: usize,
    prefix: &[String],
    out: &mut Vec<(Vec<String>, usize)>,
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
                out.push((path, at));
                return at + 1;
            }
            "," | "::" => return at + 1,
            _ if at < tokens.len() && tokens[at].is_word() => {
                path.push(tokens[at].text.clone());
                let next = tokens.get(at + 2);
                let more = next.is_some_and(|t| t.is_word() || t.text == "{" || t.text == "*");
                if text_at(tokens, at + 1) != "::" || !more {
                    out.push((path, at));
                    return at + 1;
                }
                at += 2;
            }
            _ => return at,
        }
    }
}

/// Turns `self::`, `super::` and `crate::` paths into one from the crate's root.
fn resolve(segments: &[String], mut scope: Vec<String>) -> Vec<String> {
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

/// The stretches of code that only test builds see.
fn test_ranges(tokens: &[Token]) -> Vec<std::ops::Range<usize>> {
    let mut ranges = Vec::new();
    for at in 0..tokens.len() {
        if text_at(tokens, at) == "#" && text_at(tokens, at + 1) == "[" {
            let end = closing(tokens, at + 1);
            if is_test_only(&tokens[at + 2..end.min(tokens.len())]) {
                ranges.push(at..item_end(tokens, end + 1));
            }
        }
    }
    ranges
}

/// The place of the bracket that closes the one at `open`.
fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" if depth == 1 => return at,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
    }
    tokens.len()
}

/// Whether an attribute's inside is `cfg(test)` or `cfg(all(…, test, …))`.
fn is_test_only(attribute: &[Token]) -> bool {
    let texts: Vec<&str> = attribute.iter().map(|token| token.text.as_str()).collect();
    match texts.as_slice() {
        ["cfg", "(", "test", ")"] => true,
        ["cfg", "(", "all", "(", inside @ .., ")", ")"] => {
            let mut depth = 0_i32;
            inside.iter().any(|text| {
                depth += i32::from(*text == "(") - i32::from(*text == ")");
                depth == 0 && *text == "test"
            })
        }
        _ => false,
    }
}

/// Where the item (or field) that begins at `at` ends.
fn item_end(tokens: &[Token], mut at: usize) -> usize {
    const ITEMS: [&str; 9] =
        ["fn", "impl", "mod", "struct", "enum", "trait", "type", "const", "static"];
    let mut is_item = false;
    let mut is_use = false;
    while at < tokens.len() {
        match text_at(tokens, at) {
            "use" => is_use = true,
            word if ITEMS.contains(&word) => is_item = true,
            ";" => return at + 1,
            "," if !is_item => return at,
            ")" | "]" | "}" => return at,
            open @ ("(" | "[" | "{") => {
                at = closing(tokens, at);
                if open == "{" && !is_use {
                    return at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    at
}
