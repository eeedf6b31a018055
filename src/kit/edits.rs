//! How far words are apart that a person may have mistyped.

/// How many letters are to be put in, taken out or replaced to make `to` of `from`.
pub(crate) fn edits(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (taken, letter) in from.chars().enumerate() {
        let mut diagonal = taken;
        let mut left = taken + 1;
        let mut next = vec![left];
        for (above, wanted) in row.iter().skip(1).zip(to.chars()) {
            left = (left + 1).min(above + 1).min(diagonal + usize::from(letter != wanted));
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edits_between_two_words_are_counted() {
        for (from, to, expected) in
            [("", "warn", 4), ("warn", "warn", 0), ("wran", "warn", 2), ("dbg", "debug", 2)]
        {
            assert_eq!((edits(from, to), edits(to, from)), (expected, expected));
        }
    }
}
