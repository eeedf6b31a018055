//! Bars to scale, finer than a character.

/// Eighths of a column.
const FINE: usize = 8;

/// Each glyph with the part of the column it covers, in eighths.
const GLYPHS: [(char, usize, usize); 10] = [
    ('█', 0, 8),
    ('▉', 0, 7),
    ('▊', 0, 6),
    ('▋', 0, 5),
    ('▌', 0, 4),
    ('▍', 0, 3),
    ('▎', 0, 2),
    ('▏', 0, 1),
    ('▐', 4, 8),
    ('▕', 7, 8),
];

/// A bar from `start` to `end` of `whole`, on so many columns; without the blanks to its right.
///
/// Whatever took part at all shows as at least an eighth of a column.
pub(super) fn bar(start: u64, end: u64, whole: u64, columns: usize) -> String {
    if columns == 0 {
        return String::new();
    }
    let last = columns * FINE;
    let scale = |at: u64| {
        let fine = u128::from(at) * last as u128 / u128::from(whole.max(1));
        usize::try_from(fine).unwrap_or(last).min(last)
    };
    let from = scale(start).min(last - 1);
    let to = scale(end).max(from + 1);
    let mut drawn = " ".repeat(from / FINE);
    for column in from / FINE..to.div_ceil(FINE) {
        let edge = column * FINE;
        drawn.push(glyph(
            from.saturating_sub(edge),
            to.saturating_sub(edge).min(FINE),
        ));
    }
    drawn
}

/// The glyph that comes nearest to covering a column from `from` to `to`.
fn glyph(from: usize, to: usize) -> char {
    GLYPHS
        .iter()
        .min_by_key(|(_, left, right)| left.abs_diff(from) + right.abs_diff(to))
        .map_or('█', |(glyph, ..)| *glyph)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_bar_starts_and_ends_where_it_should() {
        assert_eq!(bar(0, 100, 100, 10), "██████████");
        assert_eq!(bar(50, 100, 100, 10), "     █████");
        assert_eq!(bar(0, 25, 100, 10), "██▌");
        assert_eq!(bar(25, 50, 100, 10), "  ▐██");
        assert_eq!(bar(0, 1, 1_000, 10), "▏");
        assert_eq!(bar(1_000, 1_000, 1_000, 10), "         ▕");
        assert_eq!(bar(0, 0, 0, 3), "▏");
        assert_eq!(bar(0, 1, 1, 0), "");
    }

    proptest! {
        #[test]
        fn a_bar_is_never_empty_and_never_leaves_its_columns(
            a in any::<u64>(), b in any::<u64>(), whole in any::<u64>(), columns in 1_usize..300,
        ) {
            let drawn = bar(a.min(b), a.max(b), whole, columns);
            prop_assert!(drawn.chars().count() <= columns);
            prop_assert!(drawn.chars().any(|c| c != ' '));
            prop_assert!(!drawn.trim_start().contains(' '));
        }
    }
}
