//! Rules about single lines: two bindings are two statements, no lint is switched off wholesale, and a
//! comment names who acts.

use crate::cfg_test::{closing, text_at};
use crate::check::Breach;
use crate::lexer::{Token, comments, tokens};
use crate::tables::NAMELESS;

/// `let (a, b) = (x, y);` is two statements.
pub(crate) fn check_bindings(file: &str, source: &str) -> Vec<Breach> {
    let tokens = tokens(source);
    let places = (0..tokens.len()).filter(|at| binds_a_tuple_of_values(&tokens, *at));
    places
        .map(|at| Breach {
            place: format!("src/{file}"),
            line: tokens[at].line,
            rule: "one `let` binds several values".to_owned(),
            cure: "write a `let` for each".to_owned(),
        })
        .collect()
}

/// Whether a statement begins at `at` whose pattern and whose value are both tuples. One with an `else`
/// tests several values at once, which several statements cannot.
fn binds_a_tuple_of_values(tokens: &[Token], at: usize) -> bool {
    let before = at.checked_sub(1).map_or("", |before| text_at(tokens, before));
    let is_statement = !matches!(before, "if" | "while" | "&" | "|");
    if text_at(tokens, at) != "let" || text_at(tokens, at + 1) != "(" || !is_statement {
        return false;
    }
    let mut value = closing(tokens, at + 1) + 1;
    while !matches!(text_at(tokens, value), "=" | ";" | "") {
        value += 1;
    }
    let is_tuple = text_at(tokens, value) == "=" && text_at(tokens, value + 1) == "(";
    is_tuple && text_at(tokens, closing(tokens, value + 1) + 1) == ";"
}

/// Unused code is removed or gated; the lint that finds it stays on. One item may be expected to be unused,
/// with a reason.
pub(crate) fn check_allowances(file: &str, source: &str) -> Vec<Breach> {
    let tokens = tokens(source);
    let mut breaches = Vec::new();
    for at in 0..tokens.len() {
        let level = text_at(&tokens, at);
        if !matches!(level, "allow" | "expect") || text_at(&tokens, at + 1) != "(" {
            continue;
        }
        let lints = &tokens[at + 2..closing(&tokens, at + 1)];
        let lints: Vec<&str> = lints.iter().map(|token| token.text.as_str()).collect();
        if level == "expect" && lints.contains(&"reason") {
            continue;
        }
        let hidden = |lint: &&str| matches!(*lint, "dead_code" | "unused_imports" | "unused");
        breaches.extend(lints.into_iter().filter(hidden).map(|lint| {
            Breach {
            place: format!("src/{file}"),
            line: tokens[at].line,
            rule: format!("`{level}({lint})` hides what nothing uses"),
            cure: "remove it, gate it by the feature that uses it, or `expect` it on one item with \
                   a reason"
                .to_owned(),
        }
        }));
    }
    breaches
}

/// A comment names who acts.
pub(crate) fn check_comments(file: &str, source: &str) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for comment in comments(source) {
        let words: Vec<String> = comment
            .text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect();
        let nameless = words.iter().find(|word| NAMELESS.contains(&word.as_str()));
        let numbered = words
            .windows(2)
            .find(|pair| pair[0] == "door" && pair[1].chars().all(|c| c.is_ascii_digit()));
        let said = nameless.cloned().or(numbered.map(|pair| pair.join(" ")));
        breaches.extend(said.map(|said| {
            Breach {
            place: format!("src/{file}"),
            line: comment.line,
            rule: format!("a comment says `{said}`"),
            cure: "name who acts: the tracer, the exporter, the caller, the thread; and the module"
                .to_owned(),
        }
        }));
    }
    breaches
}

#[cfg(test)]
mod tests {
    use super::{check_allowances, check_bindings, check_comments};
    use crate::check::Breach;

    fn lines(check: fn(&str, &str) -> Vec<Breach>, source: &str) -> Vec<usize> {
        check("a/b.rs", source).iter().map(|breach| breach.line).collect()
    }

    #[test]
    fn a_tuple_that_saves_a_line_is_refused() {
        assert_eq!(lines(check_bindings, "let (a, b) = (1, 2);"), [1]);
        assert_eq!(
            lines(check_bindings, "x();\nlet (mut a, _): (u8, T<u8>) = (f(1), (2, 3));"),
            [2]
        );
        for passes in [
            "let (a, b) = f();",
            "let (a, b) = (1, 2).rev();",
            "let (Some(a), Some(b)) = (a, b) else { return };",
            "if let (Some(a), Some(b)) = (a, b) { c(); }",
            "while x && let (1, 2) = (a, b) { c(); }",
            "let a = (1, 2); let A(b) = (c);",
            "// let (a, b) = (1, 2);",
        ] {
            assert!(lines(check_bindings, passes).is_empty(), "{passes}");
        }
    }

    #[test]
    fn a_lint_against_unused_code_that_is_switched_off_is_refused() {
        assert_eq!(lines(check_allowances, "#![allow(dead_code)]"), [1]);
        assert_eq!(lines(check_allowances, "#[allow(unused)]\nfn f() {}"), [1]);
        let both =
            "#![cfg_attr(\n    not(feature = \"layer\"),\n    allow(dead_code, unused_imports)\n)]";
        assert_eq!(lines(check_allowances, both), [3, 3]);
        assert_eq!(lines(check_allowances, "#[expect(dead_code)] fn f() {}"), [1]);
        let passes =
            "#[expect(dead_code, reason = \"\")] #[allow(clippy::x)] fn allow(dead: u8) {}";
        assert!(lines(check_allowances, passes).is_empty());
    }

    #[test]
    fn a_comment_that_names_no_actor_is_refused() {
        assert_eq!(lines(check_comments, "//! Nobody reads it.\n\n/// somebody's"), [1, 3]);
        assert_eq!(lines(check_comments, "a(); // (whoever)\n/*\n Door 2: x */"), [1, 3]);
        let passes = "let nobody = \"nobody\"; // nobody_knows";
        assert_eq!(lines(check_comments, passes), [1]);
        assert!(lines(check_comments, "let nobody = \"somebody\"; // a door, doors 2").is_empty());
    }
}
