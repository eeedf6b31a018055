//! The trait of the head.

use std::sync::Arc;

use super::{SamplingRequest, SamplingResult};

/// Decides at the start of a local trace what becomes of it.
///
/// OpenTelemetry: `ShouldSample`. Closures are samplers, and so are `Arc` and `Box` of one. It is
/// called on the thread that starts the root, never under a lock of ours; a panic is caught, counted
/// and taken for "the tail decides".
///
/// ```
/// use tailtrace::{Sampler, SamplingRequest, SamplingResult};
/// let no_probes = |request: &SamplingRequest<'_>| match request.name {
///     "GET /healthz" => SamplingResult::drop(),
///     _ => SamplingResult::record(),
/// };
/// let sampler: Box<dyn Sampler> = Box::new(no_probes);
/// # let _ = sampler;
/// ```
pub trait Sampler: Send + Sync {
    /// Says what becomes of the local trace whose root `request` describes.
    fn should_sample(&self, request: &SamplingRequest<'_>) -> SamplingResult;

    /// Whether it drops every trace whatever it is told, so that nothing needs to be prepared to ask it.
    ///
    /// Default: no. Say yes only where [`should_sample`](Self::should_sample) always drops, as
    /// [`AlwaysOff`](super::AlwaysOff) does: spans of existing `tracing` instrumentation are then not looked at.
    fn drops_everything(&self) -> bool {
        false
    }
}

impl<F> Sampler for F
where
    F: Fn(&SamplingRequest<'_>) -> SamplingResult + Send + Sync,
{
    fn should_sample(&self, request: &SamplingRequest<'_>) -> SamplingResult {
        self(request)
    }
}

impl<S: Sampler + ?Sized> Sampler for Arc<S> {
    fn should_sample(&self, request: &SamplingRequest<'_>) -> SamplingResult {
        (**self).should_sample(request)
    }

    fn drops_everything(&self) -> bool {
        (**self).drops_everything()
    }
}

impl Sampler for Box<dyn Sampler> {
    fn should_sample(&self, request: &SamplingRequest<'_>) -> SamplingResult {
        (**self).should_sample(request)
    }

    fn drops_everything(&self) -> bool {
        (**self).drops_everything()
    }
}
