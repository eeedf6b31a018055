//! The ids of the instance and of its container, by OpenTelemetry's own detectors.

use opentelemetry_resource_detectors::{
    ContainerResourceDetector, ServiceInstanceIdResourceDetector,
};
use opentelemetry_sdk::resource::ResourceDetector;

use crate::model::TagValue;

pub(super) fn service_instance() -> Option<TagValue> {
    first(&ServiceInstanceIdResourceDetector)
}

pub(super) fn container() -> Option<TagValue> {
    first(&ContainerResourceDetector)
}

/// The one text that a detector finds. The detectors of the host, the process and Kubernetes are not asked: the first
/// starts a program, the second tells the arguments, and the third takes every `HOSTNAME` for a pod's.
fn first(detector: &dyn ResourceDetector) -> Option<TagValue> {
    let found = detector.detect();
    let (_, value) = found.iter().next()?;
    Some(value.as_str().into_owned().into())
}
