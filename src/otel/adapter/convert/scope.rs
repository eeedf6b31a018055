//! The library that made a span.
//!
//! Our spans have no place for it, so it stands in tags: those of the specification's mapping for
//! formats without scopes, and a key of the same kind for the rest of it.

use opentelemetry::KeyValue;

use super::super::line::{self, Scope};
use super::{from_value, to_key_value};
use crate::model::{SpanMut, TagRef};

const NAME: &str = "otel.scope.name";
const VERSION: &str = "otel.scope.version";
const SCHEMA_URL: &str = "otel.scope.schema_url";
const ATTRIBUTE: &str = "otel.scope.attributes.";

/// Writes the scope into the tags of a span; one without a name leaves none.
pub(super) fn write_scope(scope: &Scope, span: &mut SpanMut<'_>) {
    let (name, version, schema_url) = line::scope_names(scope);
    if !name.is_empty() {
        span.set_tag(NAME, name);
    }
    if let Some(version) = version {
        span.set_tag(VERSION, version);
    }
    if let Some(url) = schema_url {
        span.set_tag(SCHEMA_URL, url);
    }
    for attribute in line::scope_attributes(scope) {
        let key = format!("{ATTRIBUTE}{}", attribute.key.as_str());
        span.set_tag(key, from_value(&attribute.value));
    }
}

/// The scope that is read from tags, one at a time.
#[derive(Default)]
pub(super) struct ScopeReader {
    name: String,
    version: Option<String>,
    schema_url: Option<String>,
    attributes: Vec<KeyValue>,
}

impl ScopeReader {
    /// Takes what a tag says about the scope; false when it says nothing.
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
