//! Text from outside, made fit for a terminal: nothing that moves the cursor, hides or reorders.

use std::borrow::Cow;
use std::fmt::Write;

use unicode_width::UnicodeWidthChar;

/// The text with every character that a reader could not see written out.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_invisible) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            c if is_invisible(c) => {
                // Writing into a String cannot fail.
                let _ = write!(escaped, "\\u{{{:x}}}", u32::from(c));
            }
            c => escaped.push(c),
        }
    }
    Cow::Owned(escaped)
}

/// Controls, characters that change the direction of writing, and those without a width of their own
/// that are not accents. Unicode 16, properties `Cc`, `Bidi_Control`, `Default_Ignorable_Code_Point`.
pub(super) fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// How many columns escaped text takes.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

fn columns_of(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// Escaped text cut to so many columns, with an ellipsis where something is missing.
pub(crate) fn fit(text: &str, most: usize) -> Cow<'_, str> {
    match cut(text, most) {
        None => Cow::Borrowed(text),
        Some(_) => {
            let end = cut(text, most.saturating_sub(1)).unwrap_or(0);
            let ellipsis = if most == 0 { "" } else { "…" };
            Cow::Owned(format!("{}{ellipsis}", text.get(..end).unwrap_or_default()))
        }
    }
}

/// Where text must end to take at most so many columns; `None` when it fits.
fn cut(text: &str, most: usize) -> Option<usize> {
    let mut used = 0;
    for (count, (at, c)) in text.char_indices().enumerate() {
        used += columns_of(c);
        // Accents take no columns; a tower of them must end somewhere too.
        if used > most || count > most.saturating_mul(4) {
            return Some(at);
        }
    }
    None
}

/// Escaped text in lines of so many columns, broken at spaces where there are any. After the last
/// line allowed comes an ellipsis.
pub(crate) fn wrap(text: &str, most: usize, lines: usize) -> Vec<String> {
    let mut wrapped: Vec<String> = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = match cut(rest, most) {
            None => rest.len(),
            Some(_) if wrapped.len() + 1 >= lines => {
                wrapped.push(fit(rest, most).into_owned());
                break;
            }
            // A character wider than the line still moves on.
            Some(0) => rest.chars().next().map_or(rest.len(), char::len_utf8),
            Some(end) => break_before(rest, end),
        };
        let (line, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        wrapped.push(line.trim_end().to_owned());
        rest = after.trim_start();
    }
    wrapped
}

/// The last space in the line, unless that would leave it half empty.
fn break_before(text: &str, end: usize) -> usize {
    let line = text.get(..end).unwrap_or_default();
    if text.get(end..).is_some_and(|after| after.starts_with(' ')) {
        return end;
    }
    line.rfind(' ').filter(|at| *at > end / 2).unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_written_out() {
        assert_eq!(escape("a\x1b[31mb\n\tc"), "a\\u{1b}[31mb\\n\\tc");
        assert_eq!(escape("\u{7f}\u{9b}"), "\\u{7f}\\u{9b}");
        assert_eq!(
            escape("\u{202e}x\u{2066}\u{200d}\u{feff}"),
            "\\u{202e}x\\u{2066}\\u{200d}\\u{feff}"
        );
        assert!(matches!(escape("plain é e\u{301} 日本"), Cow::Borrowed(_)));
    }

    #[test]
    fn no_control_and_no_change_of_direction_gets_through() {
        let controls = ('\0'..' ').chain('\u{7f}'..'\u{a0}');
        let directions = ('\u{200e}'..='\u{200f}').chain('\u{202a}'..='\u{202e}');
        let isolates = ('\u{2066}'..='\u{2069}').chain(['\u{61c}']);
        let without_width = ('\u{200b}'..='\u{200d}').chain(['\u{2060}', '\u{feff}', '\u{e0041}']);
        for c in controls.chain(directions).chain(isolates).chain(without_width) {
            let escaped = escape(c.encode_utf8(&mut [0; 4])).into_owned();
            assert!(escaped.starts_with('\\') && escaped.is_ascii(), "{escaped:?}");
        }
    }

    #[test]
    fn text_is_cut_by_the_columns_it_takes() {
        assert_eq!(fit("checkout", 8), "checkout");
        assert_eq!(fit("checkout", 7), "checko…");
        assert_eq!(fit("日本語", 6), "日本語");
        assert_eq!(fit("日本語", 5), "日本…");
        assert_eq!(fit("日本語", 4), "日…");
        assert_eq!(fit("abc", 0), "");
    }

    #[test]
    fn a_tower_of_accents_ends_somewhere() {
        let tower = format!("a{}", "\u{301}".repeat(10_000));
        assert!(fit(&tower, 10).chars().count() < 50);
    }

    #[test]
    fn long_text_breaks_at_spaces_and_ends_with_an_ellipsis() {
        assert_eq!(wrap("one two three", 8, 4), ["one two", "three"]);
        assert_eq!(wrap("one two three four", 8, 2), ["one two", "three f…"]);
        assert_eq!(wrap("abcdefghij", 4, 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("日本", 1, 4), ["日", "本"]);
        assert_eq!(wrap("", 8, 4), Vec::<String>::new());
    }
}
