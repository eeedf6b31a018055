//! Instrumentation scopes: the libraries that make spans.
//!
//! Our spans have no place for a scope, so it stands in tags: those of the specification's mapping for
//! formats without scopes, and keys of the same kind for the scope's own attributes.

use std::borrow::Cow;

use opentelemetry::KeyValue;

use super::super::release_line::{self, Scope};
use super::{from_value, to_key_value};
use crate::model::{TagRef, TagValue};
use crate::trace::SpanMut;

const NAME: &str = "otel.scope.name";
const VERSION: &str = "otel.scope.version";
const SCHEMA_URL: &str = "otel.scope.schema_url";
const ATTRIBUTE: &str = "otel.scope.attributes.";

/// The tags that a scope becomes; one without a name has no tag for it.
#[must_use]
pub fn scope_tags(scope: &Scope) -> Vec<(Cow<'static, str>, TagValue)> {
    let mut tags = Vec::new();
    let (name, version, schema_url) = release_line::scope_names(scope);
    if !name.is_empty() {
        tags.push((NAME.into(), name.into()));
    }
    if let Some(version) = version {
        tags.push((VERSION.into(), version.into()));
    }
    if let Some(url) = schema_url {
        tags.push((SCHEMA_URL.into(), url.into()));
    }
    for attribute in release_line::scope_attributes(scope) {
        let key = format!("{ATTRIBUTE}{}", attribute.key.as_str());
        tags.push((key.into(), from_value(&attribute.value).as_ref().to_value()));
    }
    tags
}

/// Writes the scope into the tags of a span.
pub(super) fn write_scope(scope: &Scope, span: &mut SpanMut<'_>) {
    for (key, value) in scope_tags(scope) {
        span.set_tag(key, value);
    }
}

/// A scope that is read from tags, one after the other.
#[derive(Default)]
pub(super) struct ScopeReader {
    name: String,
    version: Option<String>,
    schema_url: Option<String>,
    attributes: Vec<KeyValue>,
}

impl ScopeReader {
    /// Takes a tag that belongs to the scope; false when it is another.
    pub(super) fn take(&mut self, key: &str, value: TagRef<'_>) -> bool {
        match (key, value) {
            (NAME, TagRef::Str(name)) => name.clone_into(&mut self.name),
            (VERSION, TagRef::Str(version)) => self.version = Some(version.to_owned()),
            (SCHEMA_URL, TagRef::Str(url)) => self.schema_url = Some(url.to_owned()),
            _ => match key.strip_prefix(ATTRIBUTE) {
                Some(key) => self.attributes.push(to_key_value(key, value)),
                None => return false,
            },
        }
        true
    }

    pub(super) fn finish(self) -> Scope {
        let mut scope = Scope::builder(self.name).with_attributes(self.attributes);
        if let Some(version) = self.version {
            scope = scope.with_version(version);
        }
        if let Some(url) = self.schema_url {
            scope = scope.with_schema_url(url);
        }
        scope.build()
    }
}
