//! Keys of tags as arguments.

use std::borrow::Cow;

/// A tag's key as an argument: static, owned, or [lent](Self::lent).
///
/// You rarely name it: `set_tag("rows", 3)` and `set_tag(format!("row {n}"), 3)` make one.
#[derive(Clone, Debug)]
pub struct TagKey<'a>(KeySource<'a>);

#[derive(Clone, Debug)]
enum KeySource<'a> {
    /// Stays a pointer in the trace's buffer.
    Static(&'static str),
    Lent(&'a str),
    Owned(String),
}

impl<'a> TagKey<'a> {
    /// A key that is copied into the trace's buffer, without an allocation.
    #[must_use]
    pub const fn lent(key: &'a str) -> Self {
        Self(KeySource::Lent(key))
    }

    /// The key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            KeySource::Static(key) | KeySource::Lent(key) => key,
            KeySource::Owned(key) => key,
        }
    }

    #[inline]
    pub(crate) const fn as_static(&self) -> Option<&'static str> {
        if let KeySource::Static(key) = self.0 { Some(key) } else { None }
    }

    /// The key to keep, which copies it only if it is lent.
    pub(crate) fn into_owned(self) -> Cow<'static, str> {
        match self.0 {
            KeySource::Static(key) => Cow::Borrowed(key),
            KeySource::Lent(key) => Cow::Owned(key.to_owned()),
            KeySource::Owned(key) => Cow::Owned(key),
        }
    }
}

impl From<&'static str> for TagKey<'_> {
    #[inline]
    fn from(key: &'static str) -> Self {
        Self(KeySource::Static(key))
    }
}

impl From<String> for TagKey<'_> {
    fn from(key: String) -> Self {
        Self(KeySource::Owned(key))
    }
}

impl From<Cow<'static, str>> for TagKey<'_> {
    fn from(key: Cow<'static, str>) -> Self {
        match key {
            Cow::Borrowed(key) => key.into(),
            Cow::Owned(key) => key.into(),
        }
    }
}
