//! What of a request must not be told.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::kit::secret::{
    QueryRule, SecretKeys, hashed, may_hold_secrets, write_path, write_query, write_text,
};

/// What of a request does not reach its span: the secrets of its URL, and what a program wants to keep for itself.
///
/// Given to [`HttpServerLayer::with_redaction`](super::HttpServerLayer::with_redaction) and
/// [`HttpClientLayer::with_redaction`](super::HttpClientLayer::with_redaction). By default credentials in URLs and
/// the values of secret keys of the query are replaced by `REDACTED`: the signatures, credentials and tokens of the
/// large clouds' signed URLs; of OAuth `access_token`, `code`, `client_secret` and all other tokens;
/// `api_key`, `key`, `password`, `session` and what is spelled like them. Keys are compared decoded, by their
/// letters and digits, without case. A value that holds such a pair itself, as an encoded URL does, is replaced as a
/// whole. Parameters of paths, as `;jsessionid=`, and the text of an error go through the same.
///
/// URLs in the spans of other libraries lose the same by [`Redact::with_url_secrets`](crate::model::Redact::with_url_secrets).
///
/// Of a path and of a query the first 16 KiB are looked at; `REDACTED` stands for what is behind them.
///
/// The default costs a look at the path and at the keys of the query, and a copy of a path with `=`, `%`, `@`, `:` or `+`
/// in it. What a program adds costs, for each request, a comparison of each tag with the names that were added, and for a tag that is hashed the hash and its text.
///
/// ```
/// use tailtrace::layer::http::{HttpServerLayer, Redaction};
/// let redaction = Redaction::new()
///     .with_secret_key("voucher")
///     .without_tag("user_agent.original")
///     .with_hashed_tag("url.path");
/// let layer = HttpServerLayer::new().with_redaction(redaction);
/// # let _ = layer;
/// ```
#[derive(Clone, Default)]
pub struct Redaction {
    /// `None` stands for the default, which costs no allocation and no reference count.
    rules: Option<Arc<Rules>>,
}

#[derive(Clone, Debug)]
struct Rules {
    keys: SecretKeys,
    query: QueryRule,
    dropped: Vec<String>,
    hashed: Vec<String>,
}

static DEFAULT: Rules = Rules {
    keys: SecretKeys::new(),
    query: QueryRule::SecretsReplaced,
    dropped: Vec::new(),
    hashed: Vec::new(),
};

impl Redaction {
    /// What is redacted by default.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key of queries whose values are secret. It counts decoded, by its letters and digits,
    /// without case.
    #[must_use]
    pub fn with_secret_key(mut self, key: impl AsRef<str>) -> Self {
        self.rules_mut().keys.add(key.as_ref());
        self
    }

    /// Adds several [secret keys](Self::with_secret_key).
    #[must_use]
    pub fn with_secret_keys(self, keys: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        keys.into_iter().fold(self, Self::with_secret_key)
    }

    /// Leaves queries out as a whole: there is no `url.query`, and `url.full` and the texts of errors end their URLs
    /// before the `?`.
    #[must_use]
    pub fn without_query(mut self) -> Self {
        self.rules_mut().query = QueryRule::LeftOut;
        self
    }

    /// Leaves a tag out: one of `url.path`, `url.query`, `url.full`, `server.address`, `client.address`,
    /// `user_agent.original`, `http.request.method_original`, `rpc.service`, `rpc.method`, and `otel.status_description`,
    /// which is the text of an error. `rpc.method` begins with the service: without it there is no `rpc.service`, and
    /// the span's name is `grpc`.
    #[must_use]
    pub fn without_tag(mut self, name: impl Into<String>) -> Self {
        self.rules_mut().dropped.push(name.into());
        self
    }

    /// Sends a hash in place of the value of a tag, one of those of [`without_tag`](Self::without_tag).
    ///
    /// The hash is keyed by random bits of this process: equal values are equal within it, and cannot be guessed
    /// from the hash nor be found again by other processes.
    #[must_use]
    pub fn with_hashed_tag(mut self, name: impl Into<String>) -> Self {
        self.rules_mut().hashed.push(name.into());
        self
    }

    fn rules_mut(&mut self) -> &mut Rules {
        Arc::make_mut(self.rules.get_or_insert_with(|| Arc::new(DEFAULT.clone())))
    }

    fn rules(&self) -> &Rules {
        self.rules.as_deref().unwrap_or(&DEFAULT)
    }

    fn is_dropped(&self, tag: &str) -> bool {
        self.rules().dropped.iter().any(|name| name == tag)
    }

    fn is_hashed(&self, tag: &str) -> bool {
        self.rules().hashed.iter().any(|name| name == tag)
    }

    /// The value of a tag as it may be told; `None` if it may not.
    pub(super) fn text<'t>(&self, tag: &str, value: &'t str) -> Option<Cow<'t, str>> {
        if self.is_dropped(tag) {
            None
        } else if self.is_hashed(tag) {
            Some(hashed(value).into())
        } else {
            Some(value.into())
        }
    }

    /// The same for a value that is formatted only where a subscriber reads it.
    pub(super) fn shown<T: fmt::Display>(&self, tag: &str, value: T) -> Option<ShownTag<T>> {
        (!self.is_dropped(tag)).then(|| ShownTag { value, is_hashed: self.is_hashed(tag) })
    }

    /// A query, if queries may be told.
    pub(super) fn query<'a>(&'a self, query: &'a str) -> Option<Query<'a>> {
        let is_wanted = self.rules().query != QueryRule::LeftOut;
        is_wanted.then_some(Query { query, keys: &self.rules().keys })
    }

    /// A path without the values of secret parameters.
    pub(super) fn path<'p>(&self, path: &'p str) -> Cow<'p, str> {
        if !may_hold_secrets(path) {
            return path.into();
        }
        let mut shown = String::with_capacity(path.len());
        // Text takes whatever is written to it.
        let _written = write_path(path, &self.rules().keys, &mut shown);
        shown.into()
    }

    /// The text of an error.
    pub(super) fn error<'a, E: fmt::Display>(
        &'a self,
        error: &'a E,
    ) -> Option<ShownTag<ErrorText<'a, E>>> {
        self.shown("otel.status_description", ErrorText { error, rules: self.rules() })
    }
}

impl fmt::Debug for Redaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rules().fmt(f)
    }
}

/// The value of a tag that may be told, or its hash.
pub(super) struct ShownTag<T> {
    value: T,
    is_hashed: bool,
}

impl<T: fmt::Display> fmt::Display for ShownTag<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_hashed {
            f.write_str(&hashed(&self.value.to_string()))
        } else {
            self.value.fmt(f)
        }
    }
}

/// A query whose secret values are replaced.
pub(super) struct Query<'a> {
    query: &'a str,
    keys: &'a SecretKeys,
}

impl fmt::Display for Query<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_query(self.query, self.keys, f)
    }
}

/// The text of an error without the secrets of the URLs in it.
pub(super) struct ErrorText<'a, E> {
    error: &'a E,
    rules: &'a Rules,
}

impl<E: fmt::Display> fmt::Display for ErrorText<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_text(&self.error.to_string(), &self.rules.keys, self.rules.query, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(redaction: &Redaction, text: &str) -> Option<String> {
        redaction.query(text).map(|query| query.to_string())
    }

    #[test]
    fn secret_values_of_a_query_are_left_out_and_their_keys_stay() {
        let redaction = Redaction::new();
        for (text, expected) in [
            ("color=blue&sig=secret", "color=blue&sig=REDACTED"),
            ("Signature=a=b&AWSAccessKeyId=c", "Signature=REDACTED&AWSAccessKeyId=REDACTED"),
            ("x-goog-signature=1&SIG=", "x-goog-signature=REDACTED&SIG=REDACTED"),
            ("access%5Ftoken=1&%63ode=2", "access%5Ftoken=REDACTED&%63ode=REDACTED"),
            ("design=1&sig&&=", "design=1&sig&&="),
            ("a=1;token=S3CRET", "a=1;token=REDACTED"),
            ("", ""),
        ] {
            assert_eq!(query(&redaction, text).as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_program_adds_keys_drops_tags_and_hashes_them() {
        let redaction = Redaction::new().with_secret_keys(["voucher", "seat"]);
        assert_eq!(
            query(&redaction, "Voucher=1&seat=2").unwrap(),
            "Voucher=REDACTED&seat=REDACTED"
        );
        assert_eq!(query(&redaction.clone().without_query(), "a=1"), None);
        let redaction = redaction.without_tag("url.path").with_hashed_tag("url.query");
        assert_eq!(redaction.text("url.path", "/a"), None);
        let hash = redaction.text("url.query", "a=1").unwrap();
        assert!(
            hash.len() == 16 && hash == redaction.shown("url.query", "a=1").unwrap().to_string()
        );
        assert_eq!(redaction.text("url.full", "x").as_deref(), Some("x"));
    }

    #[test]
    fn the_text_of_an_error_goes_through_the_same() {
        let error = "GET http://u:p@h/?voucher=1&b=2 failed";
        let redaction = Redaction::new().with_secret_key("voucher");
        let shown = redaction.error(&error).unwrap().to_string();
        assert_eq!(shown, "GET http://REDACTED@h/?voucher=REDACTED&b=2 failed");
        assert!(redaction.without_tag("otel.status_description").error(&error).is_none());
    }
}
