//! The instrumentation scope of a span: the library that made it.
//!
//! Our spans have no place for a scope, so that it stands in tags, by the names that OpenTelemetry's mapping for formats
//! without scopes gives them. An exporter puts it into the place that its protocol has for it.

use crate::model::TagRef;
use crate::trace::SpanRef;

/// The scope of spans that no other library made.
const OWN_NAME: &str = "tailtrace";
const OWN_VERSION: &str = env!("CARGO_PKG_VERSION");

const PREFIX: &str = "otel.scope.";
const NAME: &str = "otel.scope.name";
const VERSION: &str = "otel.scope.version";
const SCHEMA_URL: &str = "otel.scope.schema_url";
const ATTRIBUTE: &str = "otel.scope.attributes.";

/// Whether a tag is a part of a span's scope.
pub(super) fn is_scope_tag(name: &str) -> bool {
    name.starts_with(PREFIX)
        && (matches!(name, NAME | VERSION | SCHEMA_URL) || name.starts_with(ATTRIBUTE))
}

/// The scope of a span.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scope<'a> {
    /// Ours.
    Own,
    /// That of the library that made this span.
    Of(SpanRef<'a>),
}

impl<'a> Scope<'a> {
    pub(super) fn of(span: SpanRef<'a>) -> Self {
        if span.tags().any(|(name, _)| is_scope_tag(name)) { Self::Of(span) } else { Self::Own }
    }

    pub(super) fn name(self) -> &'a str {
        match self {
            Self::Own => OWN_NAME,
            Self::Of(span) => text(span, NAME),
        }
    }

    /// Empty where the library gave none.
    pub(super) fn version(self) -> &'a str {
        match self {
            Self::Own => OWN_VERSION,
            Self::Of(span) => text(span, VERSION),
        }
    }

    /// Empty where the library gave none.
    #[cfg(feature = "otlp")]
    pub(super) fn schema_url(self) -> &'a str {
        match self {
            Self::Own => "",
            Self::Of(span) => text(span, SCHEMA_URL),
        }
    }

    /// The scope's own attributes.
    #[cfg(feature = "otlp")]
    pub(super) fn attributes(self) -> impl Iterator<Item = (&'a str, TagRef<'a>)> {
        self.tags().filter_map(|(name, value)| Some((name.strip_prefix(ATTRIBUTE)?, value)))
    }

    /// Whether both are the same library's.
    #[cfg(feature = "otlp")]
    pub(super) fn is_same(self, other: Self) -> bool {
        match (self, other) {
            (Self::Own, Self::Own) => true,
            (Self::Of(_), Self::Of(_)) => self.tags().eq(other.tags()),
            _ => false,
        }
    }

    #[cfg(feature = "otlp")]
    fn tags(self) -> impl Iterator<Item = (&'a str, TagRef<'a>)> {
        let span = match self {
            Self::Own => None,
            Self::Of(span) => Some(span),
        };
        span.into_iter().flat_map(SpanRef::tags).filter(|(name, _)| is_scope_tag(name))
    }
}

fn text<'a>(span: SpanRef<'a>, name: &str) -> &'a str {
    match span.tag(name) {
        Some(TagRef::Str(text)) => text,
        _ => "",
    }
}
