//! Tags that are read before they are written.

use super::*;

#[test]
fn text_is_cut_one_character_after_the_limit_and_nothing_follows() {
    struct GoesOn;
    impl fmt::Display for GoesOn {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let _ = f.write_str("ééé");
            f.write_str("x")
        }
    }
    let mut prepared = PreparedTags::default();
    let first = prepared.format(2, format_args!("{GoesOn}"));
    let second = prepared.add_text("abcdef", 3);
    assert_eq!((prepared.text(first), prepared.text(second)), ("éé", "abcd"));
}

#[test]
fn a_formatting_that_panics_is_told_and_leaves_the_others() {
    struct Panics;
    impl fmt::Display for Panics {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let _ = f.write_str("half");
            panic!("no words")
        }
    }
    let mut prepared = PreparedTags::default();
    let before = prepared.add_text("before", 9);
    let bad = prepared.format(9, format_args!("{Panics}"));
    assert_eq!(prepared.text(before), "before");
    assert_eq!(prepared.text(bad), "(its formatting panicked)");
}
