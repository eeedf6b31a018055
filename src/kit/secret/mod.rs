//! What may be secret, and the harmless form in which it is shown.
//!
//! Keys, headers, URLs, the contents of files and the values of variables are carried in a [`Secret`]. Its
//! `Debug` and its `Display` show what helps to find the mistake, and nothing that grants access. What is
//! not recognised is not shown.

mod hash;
mod keys;
mod pairs;
mod plain;
mod shown;
mod text;
#[cfg(feature = "tower")]
mod url_parts;
mod usual_keys;

#[cfg(feature = "tower")]
pub(crate) use hash::hashed;
pub(crate) use hash::secret_order;
pub(crate) use keys::SecretKeys;
pub(crate) use pairs::REDACTED;
pub(crate) use text::{QueryRule, without_secrets, write_text};
#[cfg(feature = "tower")]
pub(crate) use url_parts::{may_hold_secrets, write_path, write_query};

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

/// Something that may be a secret or hold one.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret<T> {
    value: T,
    shown: Cow<'static, str>,
}

/// What stands for a secret of which nothing may be told.
pub(crate) const HIDDEN: &str = "[hidden]";

impl<T> Secret<T> {
    /// A secret of which nothing is shown: a key, the value of a header, the content of a file.
    pub(crate) const fn hidden(value: T) -> Self {
        Self { value, shown: Cow::Borrowed(HIDDEN) }
    }

    /// The secret itself. What is made of it must not reach a message.
    pub(crate) const fn expose(&self) -> &T {
        &self.value
    }
}

impl Secret<String> {
    /// A URL, shown with its scheme, host, port and path.
    pub(crate) fn url(text: impl Into<String>) -> Self {
        let value = text.into();
        Self { shown: shown::url(&value).into(), value }
    }

    /// The name of a header, shown as far as it can be one.
    pub(crate) fn header_name(text: impl Into<String>) -> Self {
        let value = text.into();
        Self { shown: shown::header_name(&value).into(), value }
    }
}

impl Secret<String> {
    /// A list of `key=value`, shown with its keys.
    pub(crate) fn pairs(text: impl Into<String>) -> Self {
        let value = text.into();
        Self { shown: shown::pairs(&value).into(), value }
    }

    /// A word, or `name=number`, shown with a value that is a number with a unit or too short for a secret.
    pub(crate) fn setting(text: impl Into<String>) -> Self {
        let value = text.into();
        Self { shown: shown::setting(&value).into(), value }
    }

    /// The name of a service, of a group of them or of a key, shown if it is as plain as names are.
    pub(crate) fn name(text: impl Into<String>) -> Self {
        let value = text.into();
        Self { shown: shown::name(&value).into(), value }
    }

    /// The value of a variable that should have been a word or a number, or a list of them, shown with its length where it
    /// is not as short and plain as those are.
    pub(crate) fn word(text: impl Into<String>) -> Self {
        let value = text.into();
        Self { shown: shown::word(&value).into(), value }
    }
}

impl Secret<PathBuf> {
    /// The path of a file, shown unless it looks like the content of one.
    pub(crate) fn path(path: impl Into<PathBuf>) -> Self {
        let value = path.into();
        Self { shown: shown::path(&value.to_string_lossy()).into(), value }
    }
}

/// The harmless form of a path, as a path.
pub(crate) fn shown_path(path: &Path) -> PathBuf {
    shown::path(&path.to_string_lossy()).into()
}

/// The harmless form of a URL.
#[cfg(feature = "http-client")]
pub(crate) fn shown_url(text: &str) -> String {
    shown::url(text)
}

impl<T> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.shown, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_its_harmless_form_only() {
        let key = Secret::hidden(b"S3CRET".to_vec());
        assert_eq!(
            (format!("{key:?}"), key.to_string()),
            (format!("{HIDDEN:?}"), HIDDEN.to_owned())
        );
        assert_eq!(key.expose(), b"S3CRET");
        let url = Secret::url("http://collector:4318/v1?key=S3CRET");
        assert_eq!(url.to_string(), "http://collector:4318/v1");
        assert_eq!(url.expose(), "http://collector:4318/v1?key=S3CRET");
    }
}
