//! Our tail behind OpenTelemetry's trait for span processors.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::{Span as _, TraceContextExt as _};
use opentelemetry_sdk::Resource as OtelResource;
use opentelemetry_sdk::trace::{Span, SpanProcessor};

use super::SdkSpan;
use super::convert;
use super::length_limits;
use super::propagator::context_values;
use super::recent_ids::RecentIds;
use super::release_line::{self, SdkResult, SpanData};
use super::sdk_span;
use super::span_weight;
use crate::model::{Resource, SpanId, TraceContext};
use crate::pipeline::{FlushError, Pipeline, ShutdownError};
use crate::record::{Ended, Intake, Started};

/// How long a flush may take; the SDK gives no time of its own.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(30);

/// The tail of a pipeline as OpenTelemetry's span processor, in the place of the batch processor.
///
/// Spans of a local trace are kept as they are until the last of them has ended. Then the tail is asked, on
/// the thread that ended it. A kept trace goes to the exporters of the pipeline; a dropped one was never
/// converted. An [`OtelExporter`](super::OtelExporter) there gets the SDK's own spans, flagged as
/// sampled and, where only some traces like theirs are kept, with `th` in their trace state.
///
/// Give every exporter to the pipeline: a batch processor of the SDK beside this one exports every recorded
/// span, also those of dropped traces, because it does not look at the sampled flag.
///
/// The processor keeps the pipeline running and shuts it down with the provider. Limits, late spans and the
/// account are the pipeline's: see its module `record`. Policies may run while the thread that ended
/// the span still has it locked, so they must not touch the current OpenTelemetry span.
pub struct TailSpanProcessor {
    /// `None` where the program alone keeps the pipeline running, and ends it.
    pipeline: Option<Pipeline>,
    intake: Intake,
    /// The intake for spans with the SDK's resource, when that is known.
    resource_intake: OnceLock<Intake>,
    /// The spans that the recorder waits for.
    announced: RecentIds<SpanId>,
    is_shut_down: AtomicBool,
    /// How much memory a span may take beside itself before a text of it can be too long.
    shortest_bytes: usize,
}

impl TailSpanProcessor {
    /// A processor that records into a pipeline: with its tail, its limits and its exporters.
    #[must_use]
    pub fn new(pipeline: &Pipeline) -> Self {
        Self { pipeline: Some(pipeline.clone()), ..Self::beside(pipeline) }
    }

    /// A processor that neither keeps the pipeline running nor ends it.
    pub(super) fn beside(pipeline: &Pipeline) -> Self {
        let intake = pipeline.intake();
        Self {
            pipeline: None,
            shortest_bytes: intake.limits().shortest_bytes(),
            intake,
            resource_intake: OnceLock::new(),
            announced: RecentIds::new(),
            is_shut_down: AtomicBool::new(false),
        }
    }
}

impl SpanProcessor for TailSpanProcessor {
    fn on_start(&self, span: &mut Span, parent: &Context) {
        // Up to line 0.30 the SDK also passes spans that are not recorded.
        if !span.is_recording() {
            return;
        }
        // Asked first, because it is cheap, and most spans have one.
        if !parent.has_active_span()
            && let Some(caller) = context_values::arrived_link(parent)
        {
            span.add_link(caller.clone(), Vec::new());
        }
        let context = span.span_context();
        let ids = convert::from_trace_id(context.trace_id())
            .zip(convert::from_span_id(context.span_id()));
        let Some((trace_id, span_id)) = ids else { return };
        let parent = parent.has_active_span().then(|| parent.span());
        let parent = parent.filter(|parent| {
            let parent = parent.span_context();
            parent.is_valid() && !parent.is_remote()
        });
        let is_local_root = parent.is_none();
        let announce = |span_id, is_local_root| {
            let started = Started { trace_id, span_id, is_local_root };
            self.intake.started(started, || {
                let known = convert::from_span_context(context);
                known.unwrap_or_else(|| TraceContext::new(trace_id, span_id))
            });
        };
        // A parent that records nothing, and was never announced, is yet to start: see `RecentIds`.
        if RecentIds::<SpanId>::IS_NEEDED
            && let Some(parent) = parent.filter(|parent| !parent.is_recording())
            && let Some(parent_id) = convert::from_span_id(parent.span_context().span_id())
            && self.announced.announce_ahead(parent_id)
        {
            announce(parent_id, true);
        }
        if self.announced.announce(span_id) {
            announce(span_id, is_local_root);
        }
    }

    fn on_end(&self, span: SpanData) {
        if let Some(ended) = sdk_span::ended_without_state(&span)
            && !self.may_be_cut(&ended)
        {
            self.intake_of(&span).ended_as(ended, span, SdkSpan);
        } else {
            self.end_at_length(span);
        }
    }

    fn force_flush(&self) -> SdkResult {
        // Relaxed: the flag guards no data; the pipeline has its own order between flush and shutdown.
        if self.is_shut_down.load(Ordering::Relaxed) {
            return Err(release_line::already_shut_down());
        }
        let Some(pipeline) = &self.pipeline else { return Ok(()) };
        pipeline.flush(FLUSH_TIMEOUT).map(drop).map_err(|error| match error {
            // The SDK's own error for this has no room for what was lost.
            error @ FlushError::TimedOut { .. } => {
                release_line::failed(format!("timed out: {error}"))
            }
            other => release_line::failed(other.to_string()),
        })
    }

    #[cfg(before_0_24)]
    fn shutdown(&mut self) -> SdkResult {
        self.shut_down(release_line::SHUTDOWN_TIMEOUT)
    }

    #[cfg(all(before_0_30, not(before_0_24)))]
    fn shutdown(&self) -> SdkResult {
        self.shut_down(release_line::SHUTDOWN_TIMEOUT)
    }

    #[cfg(not(before_0_30))]
    fn shutdown_with_timeout(&self, timeout: Duration) -> SdkResult {
        self.shut_down(timeout)
    }

    #[cfg(not(before_0_24))]
    fn set_resource(&mut self, resource: &OtelResource) {
        self.resource_intake = OnceLock::from(self.intake_for(resource));
    }
}

impl TailSpanProcessor {
    /// A static name or description takes no memory of the span, and is cut only where something else is long.
    #[inline]
    fn may_be_cut(&self, ended: &Ended) -> bool {
        ended.bytes - size_of::<SdkSpan>() > self.shortest_bytes
    }

    /// Hands over a span that has a trace state, or texts that may be too long.
    // Apart from `on_end`: where the address of a span is given to code that the compiler does not see through, or the span
    // is changed, it is copied once more.
    #[inline(never)]
    fn end_at_length(&self, mut span: SpanData) {
        if let Some(mut ended) = sdk_span::ended(&span) {
            let intake = self.intake_of(&span);
            if self.may_be_cut(&ended) {
                intake.count_cut_values(length_limits::cut(&mut span, intake.limits()));
                ended.bytes = span_weight::bytes_of(&span);
            }
            intake.ended_as(ended, span, SdkSpan);
        }
    }

    /// The intake of a span that has ended.
    #[cfg(before_0_24)]
    fn intake_of(&self, span: &SpanData) -> &Intake {
        self.resource_intake.get_or_init(|| self.intake_for(&span.resource))
    }

    #[cfg(not(before_0_24))]
    fn intake_of(&self, _: &SpanData) -> &Intake {
        self.resource_intake.get().unwrap_or(&self.intake)
    }

    fn intake_for(&self, resource: &OtelResource) -> Intake {
        let pipeline = Resource::clone(self.intake.resource());
        self.intake.clone().with_resource(merged(pipeline, resource))
    }

    fn shut_down(&self, timeout: Duration) -> SdkResult {
        // Relaxed: a swap alone makes one caller the first; the flag guards no data.
        if self.is_shut_down.swap(true, Ordering::Relaxed) {
            return Err(release_line::already_shut_down());
        }
        let Some(pipeline) = &self.pipeline else { return Ok(()) };
        pipeline.shutdown(timeout).map(drop).map_err(|error| match error {
            error @ ShutdownError::TimedOut { .. } => {
                release_line::failed(format!("timed out: {error}"))
            }
            other => release_line::failed(other.to_string()),
        })
    }
}

/// The SDK's resource over the pipeline's. Where the SDK has only its default name for the service, the
/// pipeline's name stays.
fn merged(pipeline: Resource, sdk: &OtelResource) -> Resource {
    let sdk = convert::from_resource(sdk);
    let is_nameless = sdk.service_name().starts_with("unknown_service");
    let attributes = sdk.iter().filter(|(key, _)| !is_nameless || *key != Resource::SERVICE_NAME);
    attributes.fold(pipeline, |merged, (key, value)| merged.with_tag(key.to_owned(), value.clone()))
}

impl fmt::Debug for TailSpanProcessor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TailSpanProcessor")
            .field("pipeline", &self.pipeline)
            .finish_non_exhaustive()
    }
}
