//! What of a trace must not be told.

use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::Arc;

use super::TagRef;
use super::pattern::Pattern;
use crate::kit::secret::{QueryRule, REDACTED, SecretKeys, write_text};
#[cfg(feature = "regex")]
use crate::model::SettingError;

/// Takes personal data out of kept traces, before anything else sees them: queues, exporters, a spool on disk.
///
/// Given to [`PipelineBuilder::with_redact`](crate::pipeline::PipelineBuilder::with_redact). Keys are those of tags, of
/// fields of log entries and of tags of links. With a list of allowed keys every other one is removed; keys that are
/// denied are removed always. A value that is text and matches a denied pattern becomes `REDACTED`, and so do the name
/// of a span, the message of a log entry and the description of an error. In a pattern `*` stands for any text. A hash is
/// keyed by random bits of the process: equal values are equal within it, and cannot be guessed from the hash. What
/// describes the service is the program's own, and stays.
///
/// Policies of the tail see traces as they were recorded. Costs a look at each key and text of a kept trace, and a copy of
/// the traces in which something is found; nothing for a dropped one. The ledger counts
/// [what was redacted](crate::ledger::Stats::redacted).
///
/// ```
/// use std::time::Duration;
/// use tailtrace::model::{Redact, TagRef};
/// use tailtrace::{InMemoryExporter, Pipeline};
///
/// let memory = InMemoryExporter::new();
/// let redact = Redact::new()
///     .with_denied_key("*password*")
///     .with_hashed_key("user.id")
///     .with_denied_value("*@*");
/// let pipeline = Pipeline::builder("shop")
///     .with_redact(redact)
///     .with_exporter(memory.clone())
///     .start()?;
/// pipeline.tracer().start_span("login").set_tag("db.password", "s3cret").set_tag("to", "a@example.org");
/// pipeline.shutdown(Duration::from_secs(5))?;
/// let trace = &memory.traces()[0];
/// let login = trace.root().unwrap();
/// assert_eq!(login.tag("db.password"), None);
/// assert_eq!(login.tag("to"), Some(TagRef::Str("REDACTED")));
/// assert_eq!(pipeline.stats().redacted, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Redact {
    allowed_keys: Option<Vec<Pattern>>,
    denied_keys: Vec<Pattern>,
    denied_values: Vec<Pattern>,
    hashed_keys: Vec<Pattern>,
    /// The keys whose values are taken out of URLs, if they are.
    url_keys: Option<SecretKeys>,
    hasher: Arc<RandomState>,
}

/// What becomes of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RedactedValue {
    Kept,
    Removed,
    Replaced(String),
}

impl Redact {
    /// Redacts nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps these keys, and those that were allowed before, and removes every other one.
    #[must_use]
    pub fn with_allowed_keys(mut self, keys: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let keys = keys.into_iter().map(|key| Pattern::glob(key.as_ref()));
        self.allowed_keys.get_or_insert_default().extend(keys);
        self
    }

    /// Removes a key, allowed or not.
    #[must_use]
    pub fn with_denied_key(mut self, key: impl AsRef<str>) -> Self {
        self.denied_keys.push(Pattern::glob(key.as_ref()));
        self
    }

    /// Replaces text that matches as a whole by `REDACTED`.
    #[must_use]
    pub fn with_denied_value(mut self, pattern: impl AsRef<str>) -> Self {
        self.denied_values.push(Pattern::glob(pattern.as_ref()));
        self
    }

    /// Replaces text by `REDACTED` of which some part matches a regular expression. Feature `regex`.
    ///
    /// # Errors
    /// If the expression is longer than 1 KiB, is none, or is too large compiled.
    #[cfg(feature = "regex")]
    pub fn with_denied_value_regex(mut self, expression: &str) -> Result<Self, SettingError> {
        self.denied_values.push(Pattern::regex(expression)?);
        Ok(self)
    }

    /// Replaces the value of a key by a hash. The key counts as allowed.
    #[must_use]
    pub fn with_hashed_key(mut self, key: impl AsRef<str>) -> Self {
        self.hashed_keys.push(Pattern::glob(key.as_ref()));
        self
    }

    /// Replaces credentials of URLs and the values of secret keys by `REDACTED` inside of text: in `url.full`, `http.url`,
    /// `http.target` and every other tag, in names, messages and descriptions of errors.
    ///
    /// For the spans of other libraries; the layers of `layer::http` do so by themselves, with the same
    /// list of keys. Costs a copy of each text of a kept trace that has an `=`, `:`, `@` or `%`.
    #[must_use]
    pub fn with_url_secrets(mut self) -> Self {
        self.url_keys.get_or_insert_default();
        self
    }

    /// Adds a key to those whose values in URLs [are secret](Self::with_url_secrets). It counts decoded, by its letters
    /// and digits, without case. It turns [`with_url_secrets`](Self::with_url_secrets) on.
    #[must_use]
    pub fn with_secret_key(mut self, key: impl AsRef<str>) -> Self {
        self.url_keys.get_or_insert_default().add(key.as_ref());
        self
    }

    /// What becomes of the value of a key.
    pub(crate) fn value(&self, key: &str, value: TagRef<'_>) -> RedactedValue {
        let is_of = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(key));
        if is_of(&self.denied_keys) {
            return RedactedValue::Removed;
        }
        if is_of(&self.hashed_keys) {
            return RedactedValue::Replaced(self.hash(value));
        }
        if self.allowed_keys.as_deref().is_some_and(|allowed| !is_of(allowed)) {
            return RedactedValue::Removed;
        }
        let is_secret = |text: &str| self.text(text).is_some();
        let replaced = match value {
            TagRef::Str(text) => self.text(text),
            TagRef::StringArray(texts) if texts.iter().any(|text| is_secret(text)) => {
                Some(REDACTED.to_owned())
            }
            TagRef::Bytes(bytes) if str::from_utf8(bytes).is_ok_and(is_secret) => {
                Some(REDACTED.to_owned())
            }
            _ => None,
        };
        replaced.map_or(RedactedValue::Kept, RedactedValue::Replaced)
    }

    /// What stands in the place of a text that must not be told as it is.
    pub(crate) fn text(&self, text: &str) -> Option<String> {
        if self.denied_values.iter().any(|pattern| pattern.matches(text)) {
            return Some(REDACTED.to_owned());
        }
        let keys = self.url_keys.as_ref().filter(|_| text.contains(['=', ':', '@', '%']))?;
        let mut shown = String::with_capacity(text.len());
        // Text takes whatever is written to it.
        let _written = write_text(text, keys, QueryRule::SecretsReplaced, &mut shown);
        (shown != text).then_some(shown)
    }

    fn hash(&self, value: TagRef<'_>) -> String {
        let half = |part: u8| {
            let mut hasher = self.hasher.build_hasher();
            part.hash(&mut hasher);
            match value {
                TagRef::Str(text) => text.hash(&mut hasher),
                value => format!("{value:?}").hash(&mut hasher),
            }
            hasher.finish()
        };
        format!("{:016x}{:016x}", half(0), half(1))
    }
}

impl fmt::Debug for Redact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redact")
            .field("allowed_keys", &self.allowed_keys)
            .field("denied_keys", &self.denied_keys)
            // A pattern may be the secret itself.
            .field("denied_values", &self.denied_values.len())
            .field("hashed_keys", &self.hashed_keys)
            .field("url_keys", &self.url_keys)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_denied_goes_what_is_hashed_is_equal_and_the_rest_must_be_allowed() {
        let redact = Redact::new()
            .with_allowed_keys(["http.*", "db.system"])
            .with_denied_key("http.request.header.*")
            .with_hashed_key("user.*");
        let of = |key: &str| redact.value(key, TagRef::Str("x"));
        assert_eq!(of("http.route"), RedactedValue::Kept);
        assert_eq!(of("http.request.header.cookie"), RedactedValue::Removed);
        assert_eq!(of("db.statement"), RedactedValue::Removed);
        let RedactedValue::Replaced(hash) = of("user.id") else { panic!("it is hashed") };
        assert_eq!(of("user.name"), RedactedValue::Replaced(hash.clone()));
        assert!(hash.len() == 32 && !hash.contains('x'), "{hash}");
        let other = redact.value("user.id", TagRef::Str("y"));
        assert_ne!(other, RedactedValue::Replaced(hash));
        assert_eq!(Redact::new().value("any", TagRef::Bool(true)), RedactedValue::Kept);
    }

    #[test]
    fn denied_text_is_found_in_lists_and_bytes() {
        let redact = Redact::new().with_denied_value("*@*");
        let gone = RedactedValue::Replaced(REDACTED.to_owned());
        let list = ["a".to_owned(), "b@c".to_owned()];
        for value in [TagRef::Str("b@c"), TagRef::StringArray(&list), TagRef::Bytes(b"b@c")] {
            assert_eq!(redact.value("k", value), gone);
        }
        assert_eq!(redact.value("k", TagRef::Str("b")), RedactedValue::Kept);
        assert!(redact.text("b@c").is_some() && redact.text("b").is_none());
    }

    #[test]
    fn secrets_of_urls_are_replaced_inside_of_text() {
        let redact = Redact::new().with_url_secrets().with_secret_key("voucher");
        let of = |key: &str, text: &str| redact.value(key, TagRef::Str(text));
        let replaced = |text: &str| RedactedValue::Replaced(text.to_owned());
        for (key, given, expected) in [
            ("http.url", "http://u:p@h/?sig=1&a=2", "http://REDACTED@h/?sig=REDACTED&a=2"),
            ("http.target", "/cart?voucher=1", "/cart?voucher=REDACTED"),
            ("url.query", "ACCESS_TOKEN=1", "ACCESS_TOKEN=REDACTED"),
            ("db.connection_string", "postgres://u:p@db/x", "postgres://REDACTED@db/x"),
        ] {
            assert_eq!(of(key, given), replaced(expected));
        }
        assert_eq!(of("db.statement", "SELECT a FROM b WHERE c = 1"), RedactedValue::Kept);
        assert_eq!(of("url.full", "http://h/p?a=1"), RedactedValue::Kept);
        let list = ["/?token=1".to_owned()];
        assert_eq!(redact.value("urls", TagRef::StringArray(&list)), replaced(REDACTED));
        assert_eq!(Redact::new().value("http.url", TagRef::Str("/?token=1")), RedactedValue::Kept);
    }

    #[cfg(feature = "regex")]
    #[test]
    fn a_regular_expression_denies_text_by_a_part_of_it() {
        let redact = Redact::new().with_denied_value_regex(r"\d{16}").unwrap();
        assert!(redact.text("card 4111111111111111.").is_some());
        assert!(redact.text("card 4111").is_none());
        assert!(Redact::new().with_denied_value_regex("(").is_err());
    }
}
