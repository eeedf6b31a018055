//! Resources.

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource as OtelResource;

use super::super::release_line;
use super::{from_value, to_key_value};
use crate::model::{Resource, TagValue};

/// The resource, its keys in alphabetical order behind the service's name.
///
/// Without `service.name`, which the specification asks for, it is `unknown_service`.
#[must_use]
pub fn from_resource(resource: &OtelResource) -> Resource {
    let mut attributes: Vec<_> = resource.iter().collect();
    attributes.sort_by(|(one, _), (other, _)| one.as_str().cmp(other.as_str()));
    let mut made = Resource::new("unknown_service");
    for (key, value) in attributes {
        made = made.with_tag(key.as_str().to_owned(), from_value(value).as_ref().to_value());
    }
    match resource.schema_url() {
        Some(url) => made.with_schema_url(url.to_owned()),
        None => made,
    }
}

/// The resource.
#[must_use]
pub fn to_resource(resource: &Resource) -> OtelResource {
    let attribute = |(key, value): (&str, &TagValue)| to_key_value(key, value.as_ref());
    let attributes: Vec<KeyValue> = resource.iter().map(attribute).collect();
    release_line::resource(attributes, resource.schema_url().map(str::to_owned))
}
