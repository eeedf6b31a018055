//! The trait of the head.

use std::sync::Arc;

use super::{SamplingDecision, SamplingRequest, SamplingResult};

/// Decides at the start of a local trace what becomes of it.
///
/// OpenTelemetry: `ShouldSample`. Closures are samplers, and so are `Arc` and `Box` of one.
///
/// - **When.** At the root of a local trace: the first span of a new trace, or the first of
///   this process under a caller. Children follow their root.
/// - **How often.** Once for each local trace. About a root of `tracing` instrumentation the sampler is
///   asked when its first child starts, when the program reads its ids, when it gets a parent, or when
///   it closes, so that the request has its fields; a parent that comes after that asks once more.
/// - **On which thread.** On the one that starts the root.
/// - **Under which locks.** Under none of the crate's. Many threads may ask at the same time.
/// - **A panic** is caught and counted, and the tail decides.
/// - **Spans that a sampler starts** itself in the same pipeline are not recorded.
///
/// Give the closure's argument its type, `|request: &SamplingRequest<'_>|`. Without it rustc infers one lifetime instead of
/// all of them, and says "implementation of `FnOnce` is not general enough".
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
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a sampler",
    label = "expected a `Sampler`",
    note = "constructors that check a setting return a `Result`: is a `?` missing, as in `FixedRateSampler::new(0.1)?`",
    note = "a closure needs the type of its argument, or rustc says \
            \"implementation of `FnOnce` is not general enough\": `|request: &SamplingRequest<'_>| SamplingResult::record()`"
)]
pub trait Sampler: Send + Sync {
    /// Decides what becomes of the local trace whose root `request` describes.
    fn should_sample(&self, request: &SamplingRequest<'_>) -> SamplingResult;

    /// The answer to every request, where the sampler looks at none, so that the layer need not prepare requests
    /// for it.
    ///
    /// Default: `None`. Give one only where [`should_sample`](Self::should_sample) always answers the same, as
    /// [`AlwaysOn`](super::AlwaysOn) does.
    fn fixed_answer(&self) -> Option<SamplingResult> {
        None
    }

    /// Whether the sampler drops every trace: spans of existing `tracing` instrumentation are then not looked at.
    ///
    /// Default: whether that is its [fixed answer](Self::fixed_answer), as it is of
    /// [`AlwaysOff`](super::AlwaysOff).
    fn drops_everything(&self) -> bool {
        self.fixed_answer().is_some_and(|answer| answer.decision == SamplingDecision::Drop)
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

    fn fixed_answer(&self) -> Option<SamplingResult> {
        (**self).fixed_answer()
    }

    fn drops_everything(&self) -> bool {
        (**self).drops_everything()
    }
}

impl Sampler for Box<dyn Sampler> {
    fn should_sample(&self, request: &SamplingRequest<'_>) -> SamplingResult {
        (**self).should_sample(request)
    }

    fn fixed_answer(&self) -> Option<SamplingResult> {
        (**self).fixed_answer()
    }

    fn drops_everything(&self) -> bool {
        (**self).drops_everything()
    }
}
