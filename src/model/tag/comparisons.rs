//! Comparing a tag with what a program has.

use super::TagRef;

macro_rules! compares_with {
    ($($other:ty => $read:ident),* $(,)?) => {$(
        impl PartialEq<$other> for TagRef<'_> {
            fn eq(&self, other: &$other) -> bool {
                self.$read().is_some_and(|own| own == *other)
            }
        }
    )*};
}

compares_with!(bool => as_bool, i64 => as_i64, f64 => as_f64, &str => as_str, String => as_str);

impl PartialEq<str> for TagRef<'_> {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == Some(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_equals_what_has_its_type_and_its_value() {
        let text = TagRef::Str("paid");
        let owned = "paid".to_owned();
        assert!(text == "paid" && text == *"paid" && text == owned);
        assert!(text != "open" && text != 1 && text != true);
        assert!(TagRef::I64(1) == 1 && TagRef::I64(1) != 2 && TagRef::I64(1) != "1");
        assert!(TagRef::F64(0.5) == 0.5 && TagRef::F64(1.0) != 1 && TagRef::I64(1) != 1.0);
        assert!(TagRef::Bool(true) == true && TagRef::Bool(false) != true);
    }
}
