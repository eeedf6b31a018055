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
    fn a_key_set_again_replaces_its_value() {
        let resource = Resource::new("a").with_tag("x", 1).with_tag("x", 2);
        assert_eq!(resource.get("x"), Some(&TagValue::I64(2)));
        assert_eq!(resource.iter().count(), 2);
    }
}
