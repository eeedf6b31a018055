//! Our samplers where OpenTelemetry asks for one.

use std::borrow::Cow;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use opentelemetry::trace as api;
use opentelemetry::trace::TraceContextExt as _;
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace as sdk;

use super::convert;
use super::early::Early;
use super::line::{SamplingDecision as SdkDecision, SamplingResult as SdkResult};
use crate::model::{Link, TagValue, TraceId};
use crate::pipeline::Pipeline;
use crate::record::Intake;
use crate::sampling::{Sampler, SamplingDecision, SamplingRequest, SamplingResult};
use crate::time::{Clock, Tick};

/// The head of a pipeline, or a [`Sampler`] alone, as OpenTelemetry's sampler.
///
/// It is asked once for each local root; the spans below follow their parent. Spans that are recorded for the
/// tail alone are `RecordOnly`: they carry no sampled flag, so that other services do not take them for kept.
/// Use it together with [`TailSpanProcessor`](super::TailSpanProcessor), which decides about them.
///
/// | decision | local root | below it |
/// |---|---|---|
/// | [`Sample`](SamplingDecision::Sample) | `RecordAndSample`, `th` in the trace state | `RecordAndSample` |
/// | [`Record`](SamplingDecision::Record) | `RecordOnly` | `RecordOnly` |
/// | [`Drop`](SamplingDecision::Drop) | `Drop` | `Drop` |
#[derive(Clone)]
pub struct HeadSampler {
    source: Source,
    records_as_sampled: bool,
    /// The traces that were left to the tail.
    recorded: Early<TraceId>,
}

#[derive(Clone)]
enum Source {
    Pipeline(Intake),
    Alone(Arc<dyn Sampler>, Clock),
}

impl HeadSampler {
    /// The head of a pipeline: its sampler or, without one, what its tail needs.
    #[must_use]
    pub fn new(pipeline: &Pipeline) -> Self {
        Self::of(Source::Pipeline(pipeline.intake()))
    }

    /// A sampler without a pipeline. What it says to record is recorded, and no tail of ours decides about it.
    #[must_use]
    pub fn from_sampler(sampler: impl Sampler + 'static) -> Self {
        Self::of(Source::Alone(Arc::new(sampler), Clock::system()))
    }

    fn of(source: Source) -> Self {
        Self { source, records_as_sampled: false, recorded: Early::new() }
    }

    /// Whether spans that are recorded for the tail carry the sampled flag. Default: no.
    ///
    /// With it, services downstream that follow their caller record their part of every trace; use it when
    /// they have a tail too, or a collector behind them decides.
    #[must_use]
    pub fn with_recorded_as_sampled(mut self, sampled: bool) -> Self {
        self.records_as_sampled = sampled;
        self
    }

    /// Decides about a span below one of this process.
    fn follow(&self, trace_id: api::TraceId, parent: &api::SpanRef<'_>) -> SdkResult {
        let context = parent.span_context();
        let intake = self.source.intake();
        let known = intake.zip(convert::from_trace_id(trace_id));
        let decision = if intake.is_some_and(Intake::refuses) {
            SdkDecision::Drop
        } else if context.is_sampled() {
            SdkDecision::RecordAndSample
        } else if self.is_recorded(trace_id) {
            SdkDecision::RecordOnly
        } else if known.is_some_and(|(intake, id)| intake.is_dropped(id)) {
            SdkDecision::Drop
        } else if intake.is_some_and(Intake::is_asking) || parent.is_recording() {
            // A span that is just being ended may be locked on this thread, so it is asked last, and not by
            // what a policy traces.
            SdkDecision::RecordOnly
        } else {
            if let Some(intake) = intake {
                intake.sampled_out();
            }
            SdkDecision::Drop
        };
        let trace_state = context.trace_state().clone();
        SdkResult { decision, attributes: Vec::new(), trace_state }
    }

    /// Whether spans of this trace are recorded here, or will be as soon as they are told of.
    fn is_recorded(&self, trace_id: api::TraceId) -> bool {
        convert::from_trace_id(trace_id).is_some_and(|id| {
            let known = self.source.intake().is_some_and(|intake| intake.is_recorded(id));
            known || self.recorded.knows(id)
        })
    }

    /// Decides about a local root.
    fn ask(
        &self,
        trace_id: TraceId,
        parent: Option<&api::SpanContext>,
        root: &Root<'_>,
    ) -> SdkResult {
        let caller = parent.and_then(convert::from_span_context);
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
        let answer = self.source.decide(&request);
        if answer.decision == SamplingDecision::Record {
            self.recorded.mention(trace_id);
        }
        let state = parent.map_or(&api::TraceState::NONE, api::SpanContext::trace_state);
        let tags = answer.tags.iter().map(|(key, tag)| convert::to_key_value(key, tag.as_ref()));
        SdkResult {
            decision: match answer.decision {
                SamplingDecision::Drop => SdkDecision::Drop,
                SamplingDecision::Record if !self.records_as_sampled => SdkDecision::RecordOnly,
                SamplingDecision::Record | SamplingDecision::Sample => SdkDecision::RecordAndSample,
            },
            attributes: tags.collect(),
            // What is not sampled promises no probability to whoever continues it.
            trace_state: convert::set_threshold(
                state,
                answer.threshold.filter(|_| answer.is_sampled()),
            ),
        }
    }
}

/// What is known of a local root besides its ids.
struct Root<'a> {
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
    ) -> SdkResult {
        let parent = parent_context.filter(|context| context.has_active_span());
        let parent = parent.map(Context::span).filter(|span| span.span_context().is_valid());
        let root = Root { name, kind: span_kind, attributes, links };
        match (&parent, convert::from_trace_id(trace_id)) {
            (Some(parent), _) if !parent.span_context().is_remote() => {
                self.follow(trace_id, parent)
            }
            (parent, Some(id)) => {
                self.ask(id, parent.as_ref().map(api::SpanRef::span_context), &root)
            }
            // Whoever made such an id must not be followed by others.
            (_, None) => SdkResult {
                decision: SdkDecision::Drop,
                attributes: Vec::new(),
                trace_state: api::TraceState::default(),
            },
        }
    }
}

impl Source {
    fn intake(&self) -> Option<&Intake> {
        match self {
            Self::Pipeline(intake) => Some(intake),
            Self::Alone(..) => None,
        }
    }

    fn now(&self) -> Tick {
        match self {
            Self::Pipeline(intake) => intake.now(),
            Self::Alone(_, clock) => clock.now(),
        }
    }

    fn decide(&self, request: &SamplingRequest<'_>) -> SamplingResult {
        match self {
            Self::Pipeline(intake) => intake.sample(request),
            // A sampler that panics has no opinion.
            Self::Alone(sampler, _) => {
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
