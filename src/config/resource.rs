//! `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`.

use super::key_value_list;
use super::variables::Variables;
use crate::kit::secret::Secret;
use crate::model::Resource;

/// The service, as the environment describes it.
#[derive(Clone, Debug, Default)]
pub(super) struct Identity {
    name: Option<Secret<String>>,
    attributes: Vec<(Secret<String>, Secret<String>)>,
}

impl Identity {
    pub(super) fn read(vars: &mut Variables<'_>) -> Self {
        let name = vars.text("OTEL_SERVICE_NAME").map(Secret::name);
        let variable = "OTEL_RESOURCE_ATTRIBUTES";
        let text = vars.text(variable).unwrap_or_default();
        let attributes = key_value_list::parse(&text).unwrap_or_else(|error| {
            let cure = format!("{error}; use key=value,.. with `,` and `=` as %2C and %3D");
            vars.warn_about(variable, &Secret::pairs(text), &cure);
            Vec::new()
        });
        let attributes = attributes
            .into_iter()
            .map(|(key, value)| (Secret::name(key), Secret::hidden(value)))
            .collect();
        Self { name, attributes }
    }

    /// The resource. The service is called `name` where the environment does not name it.
    pub(super) fn resource(&self, name: &str) -> Resource {
        let mut resource = Resource::new(name);
        for (key, value) in &self.attributes {
            resource = resource.with_tag(key.expose().clone(), value.expose().clone());
        }
        match &self.name {
            Some(name) => resource.with_tag(Resource::SERVICE_NAME, name.expose().clone()),
            None => resource,
        }
    }
}
