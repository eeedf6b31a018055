//! Our samplers behind OpenTelemetry's trait for samplers.

use std::borrow::Cow;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use opentelemetry::trace as api;
use opentelemetry::trace::TraceContextExt as _;
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace as sdk;

use super::convert;
use super::propagator::context_values;
use super::recent_ids::RecentIds;
use super::release_line::{SdkSamplingDecision, SdkSamplingResult};
use crate::model::{Link, TagValue, TraceFlags, TraceId};
use crate::pipeline::Pipeline;
use crate::record::Intake;
use crate::sampling::{Sampler, SamplingDecision, SamplingRequest, SamplingResult};
use crate::time::{Clock, Tick};

/// The head of a pipeline, or a [`Sampler`] alone, as OpenTelemetry's sampler.
///
/// The sampler decides about each local root; the spans below follow their parent. Spans that are recorded for the
/// tail alone are `RecordOnly`: they carry no sampled flag, so that other services do not take them for kept.
/// Use it together with [`TailSpanProcessor`](super::TailSpanProcessor), which decides about them.
///
/// | decision | local root | below it |
/// |---|---|---|
/// | [`Sample`](SamplingDecision::Sample) | `RecordAndSample`, `th` in the trace state | `RecordAndSample` |
/// | [`Record`](SamplingDecision::Record) | `RecordOnly` | `RecordOnly` |
/// | [`Drop`](SamplingDecision::Drop) | `Drop` | `Drop` |
///
/// Where another service has told that it kept a trace, or a person asked for it, spans that start below its root from
/// then on are `RecordAndSample`: their calls carry the flag, and services that follow their caller keep their parts.
#[derive(Clone)]
pub struct HeadSampler {
    source: HeadSource,
    records_as_sampled: bool,
    /// The traces that were left to the tail, and whose spans the processor may not know yet.
    recorded: RecentIds<TraceId>,
}

/// Where the decisions come from.
#[derive(Clone)]
enum HeadSource {
    Pipeline(Intake),
    Sampler(Arc<dyn Sampler>, Clock),
}

impl HeadSampler {
    /// The head of a pipeline: its sampler or, without one, what its tail needs.
    #[must_use]
    pub fn new(pipeline: &Pipeline) -> Self {
        Self::of(HeadSource::Pipeline(pipeline.intake()))
    }

    /// A sampler without a pipeline. Spans that it records are recorded by the SDK, and no tail of ours decides
    /// about them.
    #[must_use]
    pub fn from_sampler(sampler: impl Sampler + 'static) -> Self {
        Self::of(HeadSource::Sampler(Arc::new(sampler), Clock::system()))
    }

    fn of(source: HeadSource) -> Self {
        Self { source, records_as_sampled: false, recorded: RecentIds::new() }
    }

    /// Whether spans that are recorded for the tail carry the sampled flag. Default: `false`.
    ///
    /// With it, services downstream that follow their caller record their part of every trace; use it when
    /// they have a tail too, or a collector behind them decides.
    #[must_use]
    pub fn with_recorded_as_sampled(mut self, sampled: bool) -> Self {
        self.records_as_sampled = sampled;
        self
    }

    /// Decides about a span below one of this process.
    fn follow(&self, trace_id: api::TraceId, parent: &api::SpanRef<'_>) -> SdkSamplingResult {
        let context = parent.span_context();
        let intake = self.source.intake();
        let known = intake.zip(convert::from_trace_id(trace_id));
        let decision = if intake.is_some_and(Intake::reject) {
            SdkSamplingDecision::Drop
        } else if context.is_sampled() {
            SdkSamplingDecision::RecordAndSample
        } else if let Some(is_kept) = self.recorded_as_kept(trace_id) {
            // Whom the span calls follows the flag, with any propagator: another service has told of the trace.
            match is_kept {
                true => SdkSamplingDecision::RecordAndSample,
                false => SdkSamplingDecision::RecordOnly,
            }
        } else if known.is_some_and(|(intake, id)| intake.count_if_dropped(id)) {
            SdkSamplingDecision::Drop
        } else if intake.is_some_and(Intake::is_any_decider_running) || parent.is_recording() {
            // The parent may be locked by this thread while it ends, which is when policies run. So
            // `is_recording`, which takes that lock, comes last, and is not reached from inside of a policy.
            SdkSamplingDecision::RecordOnly
        } else {
            if let Some(intake) = intake {
                intake.sampled_out();
            }
            SdkSamplingDecision::Drop
        };
        let trace_state = context.trace_state().clone();
        SdkSamplingResult { decision, attributes: Vec::new(), trace_state }
    }

    /// Whether a trace is known to be kept; `None` where its spans are not recorded here, and will not be as soon as the
    /// processor sees them.
    fn recorded_as_kept(&self, trace_id: api::TraceId) -> Option<bool> {
        let id = convert::from_trace_id(trace_id)?;
        let known = self.source.intake().and_then(|intake| intake.recorded_as_kept(id));
        known.or_else(|| self.recorded.contains(id).then_some(false))
    }

    /// Decides about a local root.
    fn decide(
        &self,
        trace_id: TraceId,
        parent: Option<&api::SpanContext>,
        flags: Option<TraceFlags>,
        root: &RootSpan<'_>,
    ) -> SdkSamplingResult {
        let mut caller = parent.and_then(convert::from_span_context);
        if let (Some(caller), Some(flags)) = (&mut caller, flags) {
            caller.flags = flags;
        }
        let tags: Vec<(Cow<'static, str>, TagValue)> =
            root.attributes.iter().map(convert::from_attribute).collect();
        let links: Vec<Link> = root.links.iter().filter_map(convert::from_link).collect();
        let mut request = SamplingRequest::new(trace_id, root.name, self.source.now())
            .with_kind(convert::from_span_kind(root.kind))
            .with_tags(&tags)
            .with_links(&links);
        if let Some(caller) = &caller {
            request = request.with_parent(caller);
        }
        let result = self.source.sample(&request);
        if result.decision == SamplingDecision::Record {
            self.recorded.announce_ahead(trace_id);
        }
        let state = parent.map_or(&api::TraceState::NONE, api::SpanContext::trace_state);
        let tags = result.tags.iter().map(|(key, tag)| convert::to_key_value(key, tag.as_ref()));
        SdkSamplingResult {
            decision: match result.decision {
                SamplingDecision::Drop => SdkSamplingDecision::Drop,
                SamplingDecision::Record if !self.records_as_sampled => {
                    SdkSamplingDecision::RecordOnly
                }
                SamplingDecision::Record | SamplingDecision::Sample => {
                    SdkSamplingDecision::RecordAndSample
                }
            },
            attributes: tags.collect(),
            // A service that continues an unsampled trace must not count on a probability.
            trace_state: convert::set_threshold(
                state,
                result.threshold.filter(|_| result.is_sampled()),
            ),
        }
    }
}

/// A local root before it starts, without its ids.
struct RootSpan<'a> {
    name: &'a str,
    kind: &'a api::SpanKind,
    attributes: &'a [KeyValue],
    links: &'a [api::Link],
}

impl sdk::ShouldSample for HeadSampler {
    fn should_sample(
        &self,
        parent_context: Option<&Context>,
        trace_id: api::TraceId,
        name: &str,
        span_kind: &api::SpanKind,
        attributes: &[KeyValue],
        links: &[api::Link],
    ) -> SdkSamplingResult {
        let parent = parent_context.filter(|context| context.has_active_span());
        let parent = parent.map(Context::span).filter(|span| span.span_context().is_valid());
        let root = RootSpan { name, kind: span_kind, attributes, links };
        match (&parent, convert::from_trace_id(trace_id)) {
            (Some(parent), _) if !parent.span_context().is_remote() => {
                self.follow(trace_id, parent)
            }
            (parent, Some(id)) => {
                let flags = parent_context.and_then(context_values::arrived_flags);
                self.decide(id, parent.as_ref().map(api::SpanRef::span_context), flags, &root)
            }
            // No sampler can decide consistently about an invalid id.
            (_, None) => SdkSamplingResult {
                decision: SdkSamplingDecision::Drop,
                attributes: Vec::new(),
                trace_state: api::TraceState::default(),
            },
        }
    }
}

impl HeadSource {
    fn intake(&self) -> Option<&Intake> {
        match self {
            Self::Pipeline(intake) => Some(intake),
            Self::Sampler(..) => None,
        }
    }

    fn now(&self) -> Tick {
        match self {
            Self::Pipeline(intake) => intake.now(),
            Self::Sampler(_, clock) => clock.now(),
        }
    }

    fn sample(&self, request: &SamplingRequest<'_>) -> SamplingResult {
        match self {
            Self::Pipeline(intake) => intake.sample(request),
            // A sampler that panics has no opinion, so its trace is recorded without the sampled flag.
            Self::Sampler(sampler, _) => {
                catch_unwind(AssertUnwindSafe(|| sampler.should_sample(request)))
                    .unwrap_or_else(|_| SamplingResult::record())
            }
        }
    }
}

impl fmt::Debug for HeadSampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeadSampler")
            .field("records_as_sampled", &self.records_as_sampled)
            .finish_non_exhaustive()
    }
}
