//! One field of an answer in JSON, read without a tree of all the others: a peer may send megabytes of them.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::model::text::cut;

/// The most bytes of a text that are kept; what is shown of it is less.
const MOST_KEPT: usize = 1024;

/// What a field says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::export) enum JsonField {
    /// The beginning of a text.
    Text(String),
    Number(u64),
}

impl JsonField {
    /// Reads the field at this path of names; `None` when it is not there, is of another kind, or the answer is no
    /// JSON.
    pub(in crate::export) fn at(path: &[&str], json: &[u8]) -> Option<Self> {
        let mut reader = serde_json::Deserializer::from_slice(json);
        let found = At(path).deserialize(&mut reader).ok()?;
        reader.end().ok()?;
        found
    }

    /// The text at this path.
    pub(in crate::export) fn text_at(path: &[&str], json: &[u8]) -> Option<String> {
        match Self::at(path, json)? {
            Self::Text(text) => Some(text),
            Self::Number(_) => None,
        }
    }
}

/// Finds the field at the end of a path.
#[derive(Clone, Copy)]
struct At<'p>(&'p [&'p str]);

impl<'de> DeserializeSeed<'de> for At<'_> {
    type Value = Option<JsonField>;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<Self::Value, D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for At<'_> {
    type Value = Option<JsonField>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an answer")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        let (name, rest) = self.0.split_first().unzip();
        while let Some(is_here) = fields.next_key_seed(IsName(name.copied()))? {
            if is_here {
                found = fields.next_value_seed(At(rest.unwrap_or_default()))?;
            } else {
                fields.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        let kept = || cut(text.trim_start(), MOST_KEPT).to_owned();
        Ok(self.0.is_empty().then(|| JsonField::Text(kept())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(self.0.is_empty().then_some(JsonField::Number(number)))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// Whether the name of a field is this one; no name is `None`.
struct IsName<'n>(Option<&'n str>);

impl<'de> DeserializeSeed<'de> for IsName<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, name: D) -> Result<bool, D::Error> {
        name.deserialize_str(self)
    }
}

impl Visitor<'_> for IsName<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(self.0 == Some(name))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_field_at_a_path_is_read_and_nothing_beside_it() {
        let json = br#"{"a":[1,{"b":2}],"b":{"c":"x","n":7,"d":null},"c":"y"}"#;
        let text = |path: &[&str]| JsonField::text_at(path, json);
        assert_eq!(text(&["b", "c"]).as_deref(), Some("x"));
        assert_eq!(text(&["c"]).as_deref(), Some("y"));
        assert_eq!(JsonField::at(&["b", "n"], json), Some(JsonField::Number(7)));
        for nothing in [&["a"][..], &["b"], &["b", "d"], &["c", "c"], &["x"], &[]] {
            assert_eq!(JsonField::at(nothing, json), None, "{nothing:?}");
        }
        for broken in [&b"{\"c\":\"y\""[..], b"{\"c\":\"y\"} more", b"", b"[", b"<html>"] {
            assert_eq!(JsonField::at(&["c"], broken), None);
        }
        assert_eq!(JsonField::at(&["c"], "[".repeat(100_000).as_bytes()), None);
        let long = format!("{{\"c\":\"{}é\"}}", "x".repeat(MOST_KEPT - 1));
        assert_eq!(JsonField::text_at(&["c"], long.as_bytes()).unwrap().len(), MOST_KEPT - 1);
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_a_tree_would_say(json in "[\\[\\]{},:\"a1 .-]{0,40}") {
            let tree: serde_json::Value = serde_json::from_str(&json).unwrap_or_default();
            let expected = match tree.get("a") {
                Some(serde_json::Value::String(text)) => {
                    Some(JsonField::Text(text.trim_start().to_owned()))
                }
                Some(value) => value.as_u64().map(JsonField::Number),
                None => None,
            };
            prop_assert_eq!(JsonField::at(&["a"], json.as_bytes()), expected);
        }
    }
}
