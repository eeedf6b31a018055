//! The ids of the instance and of its container, by OpenTelemetry's own detectors.

use opentelemetry_resource_detectors::{
    ContainerResourceDetector, ServiceInstanceIdResourceDetector,
};
use opentelemetry_sdk::resource::ResourceDetector;

use crate::kit::Random;
use crate::model::TagValue;

pub(super) fn service_instance() -> Option<TagValue> {
    first(&ServiceInstanceIdResourceDetector)
}

/// A random UUID (RFC 9562, version 4), as the detector draws them.
pub(super) fn another_instance() -> String {
    let random = Random::thread();
    let high = random.next_u64();
    let low = random.next_u64();
    let time = high >> 32;
    let middle = (high >> 16) & 0xffff;
    let rest = high & 0xfff;
    let variant = ((low >> 48) & 0x3fff) | 0x8000;
    let node = low & 0xffff_ffff_ffff;
    format!("{time:08x}-{middle:04x}-4{rest:03x}-{variant:04x}-{node:012x}")
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
