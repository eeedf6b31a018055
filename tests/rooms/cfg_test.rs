//! Which code only test builds see.

use crate::lexer::Token;
use std::ops::Range;

/// The stretches of code that only test builds see.
pub(crate) fn test_ranges(tokens: &[Token]) -> Vec<Range<usize>> {
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
pub(crate) fn closing(tokens: &[Token], open: usize) -> usize {
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
pub(crate) fn is_test_only(attribute: &[Token]) -> bool {
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
pub(crate) fn item_end(tokens: &[Token], mut at: usize) -> usize {
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

/// The text of the token at `at`, or nothing behind the last one.
pub(crate) fn text_at(tokens: &[Token], at: usize) -> &str {
    tokens.get(at).map_or("", |token| token.text.as_str())
}
