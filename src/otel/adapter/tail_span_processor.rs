//! Our tail where OpenTelemetry's SDK has its span processors.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::{Span as _, TraceContextExt as _};
use opentelemetry_sdk::Resource as OtelResource;
use opentelemetry_sdk::trace::{Span, SpanProcessor};

use super::Recorded;
use super::convert;
use super::early::Early;
use super::line::{self, SdkResult, SpanData};
use crate::model::{Resource, SpanId, TraceContext};
use crate::pipeline::{FlushError, Pipeline, ShutdownError};
use crate::record::{Intake, Started};

/// How long a flush may take; the SDK gives no time of its own.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(30);

/// The tail of a pipeline as OpenTelemetry's span processor: it takes the place of the batch processor.
///
/// Spans of a local trace are kept as they are until the last of them has ended. Then the tail is asked, on
/// the thread that ended it; what is kept goes to the exporters of the pipeline, and what is dropped was
/// never converted. An [`OtelExporter`](super::OtelExporter) there gets the SDK's own spans, flagged as
/// sampled and with `th` in their trace state.
///
/// Give every exporter to the pipeline: a batch processor of the SDK beside this one exports all that is
/// recorded, whatever the tail says of it, because it does not look at the sampled flag.
///
/// It keeps the pipeline running and shuts it down with the provider. Limits, late spans and the account are
/// the pipeline's: see [`record`](crate::record). Policies run while the span that ended may be locked by
/// whoever ended it, so they must not touch the current OpenTelemetry span.
pub struct TailSpanProcessor {
    pipeline: Pipeline,
    intake: Intake,
    /// The same for spans of the SDK's resource, when that is known.
    of_resource: OnceLock<Intake>,
    /// The spans that were announced.
    announced: Early<SpanId>,
    is_shut_down: AtomicBool,
}

impl TailSpanProcessor {
    /// The tail, the limits and the exporters of a pipeline.
    #[must_use]
    pub fn new(pipeline: &Pipeline) -> Self {
        let (pipeline, intake) = (pipeline.clone(), pipeline.intake());
        let (of_resource, is_shut_down) = (OnceLock::new(), AtomicBool::new(false));
        Self { pipeline, intake, of_resource, announced: Early::new(), is_shut_down }
    }
}

impl SpanProcessor for TailSpanProcessor {
    fn on_start(&self, span: &mut Span, parent: &Context) {
        // Older lines tell of spans that are not recorded, too.
        if !span.is_recording() {
            return;
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
        // A parent that records nothing, and was never told of, is yet to come.
        if Early::<SpanId>::IS_NEEDED
            && let Some(parent) = parent.filter(|parent| !parent.is_recording())
            && let Some(parent_id) = convert::from_span_id(parent.span_context().span_id())
            && self.announced.mention(parent_id)
        {
            announce(parent_id, true);
        }
        if self.announced.arrive(span_id) {
            announce(span_id, is_local_root);
        }
    }

    fn on_end(&self, span: SpanData) {
        self.intake_of(&span).ended(Recorded(span));
    }

    fn force_flush(&self) -> SdkResult {
        if self.is_shut_down.load(Ordering::Acquire) {
            return Err(line::already_shut_down());
        }
        self.pipeline.flush(FLUSH_TIMEOUT).map(drop).map_err(|error| match error {
            FlushError::TimedOut { limit, .. } => line::timed_out(limit),
            other => line::failed(other.to_string()),
        })
    }

    #[cfg(before_0_24)]
    fn shutdown(&mut self) -> SdkResult {
        self.shut_down(line::SHUTDOWN_TIMEOUT)
    }

    #[cfg(all(before_0_30, not(before_0_24)))]
    fn shutdown(&self) -> SdkResult {
        self.shut_down(line::SHUTDOWN_TIMEOUT)
    }

    #[cfg(not(before_0_30))]
    fn shutdown_with_timeout(&self, timeout: Duration) -> SdkResult {
        self.shut_down(timeout)
    }

    #[cfg(not(before_0_24))]
    fn set_resource(&mut self, resource: &OtelResource) {
        self.of_resource = OnceLock::from(self.intake_for(resource));
    }
}

impl TailSpanProcessor {
    /// Where a span goes that has ended.
    #[cfg(before_0_24)]
    fn intake_of(&self, span: &SpanData) -> &Intake {
        self.of_resource.get_or_init(|| self.intake_for(&span.resource))
    }

    #[cfg(not(before_0_24))]
    fn intake_of(&self, _: &SpanData) -> &Intake {
        self.of_resource.get().unwrap_or(&self.intake)
    }

    fn intake_for(&self, resource: &OtelResource) -> Intake {
        let ours = Resource::clone(self.intake.resource());
        self.intake.clone().with_resource(merged(ours, resource))
    }

    fn shut_down(&self, timeout: Duration) -> SdkResult {
        if self.is_shut_down.swap(true, Ordering::AcqRel) {
            return Err(line::already_shut_down());
        }
        self.pipeline.shutdown(timeout).map(drop).map_err(|error| match error {
            ShutdownError::TimedOut { limit, .. } => line::timed_out(limit),
            other => line::failed(other.to_string()),
        })
    }
}

/// The SDK's resource over the pipeline's; a service that nobody named keeps the pipeline's name.
fn merged(ours: Resource, sdk: &OtelResource) -> Resource {
    let theirs = convert::from_resource(sdk);
    let is_nameless = theirs.service_name().starts_with("unknown_service");
    let told = theirs.iter().filter(|(key, _)| !is_nameless || *key != Resource::SERVICE_NAME);
    told.fold(ours, |merged, (key, value)| merged.with(key.to_owned(), value.clone()))
}

impl fmt::Debug for TailSpanProcessor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TailSpanProcessor")
            .field("pipeline", &self.pipeline)
            .finish_non_exhaustive()
    }
}
