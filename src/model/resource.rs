//! Who made the spans.

use std::borrow::Cow;

use super::{TagKey, TagValue};

/// The service that made the spans: its name and whatever else describes it.
///
/// OpenTelemetry: `Resource`. Setting a key again replaces its value.
///
/// ```
/// use tailtrace::model::Resource;
/// let resource = Resource::new("checkout").with_tag("deployment.environment.name", "staging");
/// assert_eq!(resource.service_name(), "checkout");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    tags: Vec<(Cow<'static, str>, TagValue)>,
    schema_url: Option<Cow<'static, str>>,
}

/// The name of a service that has none (specification, "Resource semantic conventions").
const UNKNOWN: &str = "unknown_service";

impl Resource {
    /// The key of the service's name.
    pub const SERVICE_NAME: &'static str = "service.name";

    /// A resource with only the service's name. An empty one is none: it becomes `unknown_service`.
    pub fn new(service_name: impl Into<String>) -> Self {
        let name = service_name.into();
        let name = if name.trim().is_empty() { UNKNOWN.to_owned() } else { name };
        let name = TagValue::String(name);
        Self { tags: vec![(Self::SERVICE_NAME.into(), name)], schema_url: None }
    }

    /// This resource with one more tag, or with another value for a key that is there. An empty name of the service
    /// changes nothing.
    #[must_use]
    pub fn with_tag<'k>(mut self, key: impl Into<TagKey<'k>>, value: impl Into<TagValue>) -> Self {
        let key = key.into().into_owned();
        let value = value.into();
        let is_empty = matches!(&value, TagValue::String(text) if text.trim().is_empty());
        if key == Self::SERVICE_NAME && is_empty {
            return self;
        }
        match self.tags.iter_mut().find(|(known, _)| *known == key) {
            Some((_, old)) => *old = value,
            None => self.tags.push((key, value)),
        }
        self
    }

    /// This resource with what tells backends which library recorded the spans (specification, "Telemetry SDK"). What
    /// is set already stays. The name `opentelemetry` is reserved for the SDK of OpenTelemetry.
    #[must_use]
    pub(crate) fn with_library(self) -> Self {
        let library = [
            ("telemetry.sdk.name", env!("CARGO_PKG_NAME")),
            ("telemetry.sdk.language", "rust"),
            ("telemetry.sdk.version", env!("CARGO_PKG_VERSION")),
        ];
        let tags = library.map(|(key, value)| (key.into(), value.into()));
        self.or(Self { tags: tags.into(), schema_url: None })
    }

    /// This resource with what another one says beside it. What is set already stays.
    #[must_use]
    pub(crate) fn or(mut self, other: Self) -> Self {
        self.schema_url = self.schema_url.or(other.schema_url);
        for (key, value) in other.tags {
            if self.get(&key).is_none() {
                self.tags.push((key, value));
            }
        }
        self
    }

    /// This resource with the address of the schema that its keys follow; an empty one is none.
    #[must_use]
    pub fn with_schema_url(mut self, url: impl Into<Cow<'static, str>>) -> Self {
        self.schema_url = Some(url.into()).filter(|url| !url.is_empty());
        self
    }

    /// The address of the schema that its keys follow, if one was given.
    #[must_use]
    pub fn schema_url(&self) -> Option<&str> {
        self.schema_url.as_deref()
    }

    /// The service's name; `unknown_service` when it was replaced by something that is not text.
    #[must_use]
    pub fn service_name(&self) -> &str {
        match self.get(Self::SERVICE_NAME) {
            Some(TagValue::String(name)) => name,
            _ => UNKNOWN,
        }
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&TagValue> {
        self.tags.iter().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    /// Every key with its value, in the order they were set.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &TagValue)> {
        self.tags.iter().map(|(key, value)| (key.as_ref(), value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_name_of_the_service_is_none() {
        for name in ["", " "] {
            assert_eq!(Resource::new(name).service_name(), "unknown_service");
            let named = Resource::new("a").with_tag(Resource::SERVICE_NAME, name);
            assert_eq!(named.service_name(), "a");
        }
    }

    #[test]
    fn the_library_names_itself_where_the_program_does_not() {
        let named = Resource::new("a").with_tag("telemetry.sdk.name", "mine").with_library();
        let text = |key| named.get(key).and_then(TagValue::as_str);
        assert_eq!(text("telemetry.sdk.name"), Some("mine"));
        assert_eq!(text("telemetry.sdk.language"), Some("rust"));
        assert_eq!(text("telemetry.sdk.version"), Some(env!("CARGO_PKG_VERSION")));
    }

    #[test]
    fn a_key_set_again_replaces_its_value() {
        let resource = Resource::new("a").with_tag("x", 1).with_tag("x", 2);
        assert_eq!(resource.get("x"), Some(&TagValue::I64(2)));
        assert_eq!(resource.iter().count(), 2);
    }
}
