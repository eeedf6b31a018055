//! Names with stars.

/// A pattern in which `*` stands for any text, also none; everything else stands for itself.
///
/// Matching is linear in the text: the parts between stars are found one after the other, each at
/// the first place where it fits, which is never worse than a later one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Glob {
    /// What the text begins with; all of it if there is no star.
    start: String,
    /// What follows each star.
    rest: Vec<String>,
}

impl Glob {
    pub(crate) fn new(pattern: &str) -> Self {
        let mut parts = pattern.split('*').map(str::to_owned);
        Self {
            start: parts.next().unwrap_or_default(),
            rest: parts.collect(),
        }
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        let Some((end, middle)) = self.rest.split_last() else {
            return text == self.start;
        };
        let Some(text) = text.strip_prefix(&*self.start) else {
            return false;
        };
        let Some(mut text) = text.strip_suffix(&**end) else {
            return false;
        };
        for part in middle {
            match text.split_once(&**part) {
                Some((_, after)) => text = after,
                None => return false,
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Tries every length for every star.
    fn naive(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some((b'*', pattern)), _) => {
                (0..=text.len()).any(|skip| naive(pattern, &text[skip..]))
            }
            (Some((wanted, pattern)), Some((found, text))) => {
                wanted == found && naive(pattern, text)
            }
            _ => false,
        }
    }

    #[test]
    fn stars_stand_for_any_text_and_nothing_else_is_special() {
        for (pattern, text, fits) in [
            ("GET /*", "GET /orders", true),
            ("GET /*", "POST /orders", false),
            ("*health*", "GET /healthz", true),
            ("a*a", "a", false),
            ("a?[b]", "a?[b]", true),
            ("", "", true),
            ("", "a", false),
            ("**", "", true),
        ] {
            assert_eq!(Glob::new(pattern).matches(text), fits, "{pattern} {text}");
        }
    }

    proptest! {
        #[test]
        fn it_agrees_with_trying_every_length(pattern in "[ab*]{0,8}", text in "[ab]{0,10}") {
            let expected = naive(pattern.as_bytes(), text.as_bytes());
            prop_assert_eq!(Glob::new(&pattern).matches(&text), expected);
        }
    }
}
