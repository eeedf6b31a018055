//! What the directives of a filter say, as far as `EnvFilter` does not tell.

use tracing::level_filters::LevelFilter;

use crate::kit::edits;

/// The levels as people write them.
const LEVELS: &[&str] = &["error", "warn", "info", "debug", "trace", "off"];

/// How many letters of a level may be wrong.
const MOST_EDITS: usize = 2;

/// One part of a filter: `level`, `target` or `target[span]=level`.
#[derive(Clone, Copy)]
struct Directive<'a> {
    /// What stands before `[` or `=`.
    target: &'a str,
    level: Option<LevelFilter>,
    /// Whether it has neither `[` nor `=`.
    is_word: bool,
}

/// The directives of a filter. Commas within brackets part none.
fn directives(text: &str) -> impl Iterator<Item = Directive<'_>> {
    let mut depth = 0_u32;
    let is_end = move |letter: char| {
        match letter {
            '[' | '{' => depth = depth.saturating_add(1),
            ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        letter == ',' && depth == 0
    };
    text.split(is_end).map(str::trim).filter(|part| !part.is_empty()).map(directive)
}

fn directive(part: &str) -> Directive<'_> {
    let end = part.find(['[', '=']).unwrap_or(part.len());
    let target = part.get(..end).unwrap_or_default();
    let is_word = end == part.len();
    let level = part.rsplit('=').next().and_then(|level| level.trim().parse().ok());
    let target = if is_word && level.is_some() { "" } else { target };
    Directive { target, level, is_word }
}

/// Whether a filter hides warnings of `own` and names neither this target nor one below it. One that is only `off`
/// hides nothing by mistake.
pub(super) fn hides(text: &str, own: &str) -> bool {
    let is_below = |target: &str| {
        target.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    if directives(text).any(|directive| is_below(directive.target))
        || directives(text).all(|one| one.target.is_empty() && one.level == Some(LevelFilter::OFF))
    {
        return false;
    }
    // A target stands for each that begins with it, and the longest counts.
    let about_own = directives(text).filter(|one| own.starts_with(one.target));
    let strongest = about_own.max_by_key(|one| one.target.len());
    let level = strongest.map_or(LevelFilter::OFF, |one| one.level.unwrap_or(LevelFilter::TRACE));
    level < LevelFilter::WARN
}

/// The word that was meant as a level and would be taken for a target, and the level; `None` where another directive
/// gives a level.
pub(super) fn mistyped_level(text: &str) -> Option<(&str, &'static str)> {
    if directives(text).any(|directive| directive.level.is_some()) {
        return None;
    }
    let words =
        directives(text).filter(|directive| directive.is_word && directive.target.len() > 2);
    words.filter_map(|word| Some((word.target, level_near(word.target)?))).next()
}

/// The word after a `=` that was meant as a level, and the level.
pub(super) fn misspelt_level(text: &str) -> Option<(&str, &'static str)> {
    let after =
        text.split(',').filter_map(|part| part.rsplit_once('=')).map(|(_, word)| word.trim());
    let words = after.filter(|word| word.len() > 2 && word.parse::<LevelFilter>().is_err());
    words.filter_map(|word| Some((word, level_near(word)?))).next()
}

/// The level that a word is nearest to, if it is near to one.
fn level_near(word: &str) -> Option<&'static str> {
    let word = word.to_ascii_lowercase();
    if word == "warning" {
        return Some("warn");
    }
    let near = LEVELS.iter().map(|level| (edits(&word, level), *level));
    // With more edits than this, every word of three letters is near to `off`.
    let near = near.filter(|(edits, level)| *edits <= MOST_EDITS.min(level.len() - 2));
    near.min_by_key(|(edits, _)| *edits).map(|(_, level)| level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_near_to_a_level_was_meant_as_one() {
        for (text, expected) in [
            ("wran", Some(("wran", "warn"))),
            ("debgu", Some(("debgu", "debug"))),
            ("Eror", Some(("Eror", "error"))),
            ("shop,inof", Some(("inof", "info"))),
            ("warning", Some(("warning", "warn"))),
            ("shop", None),
            ("app", None),
            ("io", None),
            ("shop::orders", None),
            ("wran,shop=info", None),
            ("info,wran", None),
            ("wran=info", None),
            ("[wran]", None),
            ("[span{wran,debgu}]", None),
            ("INFO", None),
            ("3", None),
            ("", None),
        ] {
            assert_eq!(mistyped_level(text), expected, "{text}");
        }
    }

    #[test]
    fn a_word_after_an_equals_sign_near_to_a_level_was_meant_as_one() {
        for (text, expected) in [
            ("shop=inof,debug", Some(("inof", "info"))),
            ("info,shop=debug,bank=wran", Some(("wran", "warn"))),
            ("shop=info", None),
            ("shop=secret", None),
            ("shop=", None),
        ] {
            assert_eq!(misspelt_level(text), expected, "{text}");
        }
    }
}
