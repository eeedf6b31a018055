//! The handle to a running pipeline.

pub(super) mod builder;
mod changes;
mod group;
#[cfg(feature = "init")]
mod question;
pub(super) mod start_error;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::core::{Core, ShutdownOnDrop, time_limit};
use crate::delivery::{DeliveryReport, FlushError, ShutdownError};
#[cfg(feature = "layer")]
use crate::kit::internal_log::PendingWarnings;
use crate::ledger::{KeptStats, Stats};
use crate::model::TraceId;
use crate::record::{ASKED_FOR, Intake, KeepOutcome, KeepRequest, Recorder, SpanPool};

/// Records, decides, exports and accounts for the traces of a service.
///
/// OpenTelemetry: `TracerProvider`. Clones are handles; when the last one is dropped the pipeline is
/// [shut down](Self::shutdown) with a deadline of five seconds, so a program that binds the pipeline in
/// `main` loses nothing when it returns or panics. [Tracers](Self::tracer) are not handles.
///
/// It runs one thread for time (linger, the ring of recent drops, warnings) and one for each exporter.
///
/// ```
/// use std::time::Duration;
/// use tailtrace::{Errors, Fraction, InMemoryExporter, Pipeline, SlowerThan, TailSampler};
/// let memory = InMemoryExporter::new();
/// let pipeline = Pipeline::builder("checkout")
///     .with_tail(
///         TailSampler::new()
///             .keep(Errors)
///             .keep(SlowerThan(Duration::from_millis(500)))
///             .keep(Fraction::new(0.01)?),
///     )
///     .with_exporter(memory.clone())
///     .start()?;
/// let tracer = pipeline.tracer();
/// let span = tracer.start_span("charge_card");
/// span.set_error(&std::io::Error::other("card declined"));
/// drop(span);
/// pipeline.shutdown(Duration::from_secs(5))?;
/// assert_eq!(memory.traces()[0].kept_by(), "Errors");
/// assert!(pipeline.stats().balances());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use = "the pipeline shuts down when its last handle is dropped"]
pub struct Pipeline {
    core: Arc<Core>,
    /// `None` in tracers and layers, which do not keep the pipeline running.
    _running: Option<Arc<ShutdownOnDrop>>,
}

impl Pipeline {
    /// Decides what lingered, then exports everything that was kept before the call, and waits for it. With
    /// [coherence](crate::pipeline::PipelineBuilder::with_coherence), other services are told of it at once.
    ///
    /// Of traces that are still running, the tail is asked about each subtree that failed and is complete below a span
    /// that is open: what it keeps is exported as a [part](crate::Trace::is_part), and the rest stays. So an error
    /// inside of a root that never ends is out. It blocks the calling thread, as do only
    /// [`shutdown`](Self::shutdown) and the drop of the last handle. Policies that are asked about what
    /// lingered run first; their time counts, but they are not interrupted.
    ///
    /// # Errors
    /// When something was lost meanwhile, or is left when `timeout` is over; the error carries the
    /// same report.
    pub fn flush(&self, timeout: Duration) -> Result<DeliveryReport, FlushError> {
        let core = self.core.here();
        let Core { recorder, delivery, .. } = &**core;
        let start = recorder.clock.now();
        let asked = time_limit(timeout);
        recorder.poll(start);
        recorder.send_complete_parts(start);
        core.flush_notices(start, asked);
        let left = asked.saturating_sub(recorder.clock.now().since(start));
        delivery.flush(left).map_err(|error| error.within(asked))
    }

    /// Exports what is open and failed, with everything that was kept before the call, and waits for it.
    ///
    /// For panic hooks, and for threads that wait for signals; it takes locks and allocates, so that it is not for
    /// signal handlers. Spans that have not ended get the tag `tailtrace.unfinished` and end now; what is written to them
    /// later leads nowhere. No policy is asked.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tailtrace::{Errors, InMemoryExporter, Pipeline, Status, TailSampler};
    /// let memory = InMemoryExporter::new();
    /// let pipeline = Pipeline::builder("shop")
    ///     .with_tail(TailSampler::new().keep(Errors))
    ///     .with_exporter(memory.clone())
    ///     .start()?;
    /// let request = pipeline.tracer().start_span("request");
    /// request.child("charge").set_status(Status::error("declined"));
    /// pipeline.flush_open(Duration::from_secs(5))?;
    /// assert_eq!(memory.traces()[0].span_count(), 2);
    /// # drop(request);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When something was lost meanwhile, or is left when `timeout` is over; the error carries the same report.
    pub fn flush_open(&self, timeout: Duration) -> Result<DeliveryReport, FlushError> {
        self.core.here().flush_open(false, timeout)
    }

    /// Exports everything that is open, failed or not, as [`flush_open`](Self::flush_open) does with what failed.
    ///
    /// # Errors
    /// When something was lost meanwhile, or is left when `timeout` is over; the error carries the same report.
    pub fn flush_open_all(&self, timeout: Duration) -> Result<DeliveryReport, FlushError> {
        self.core.here().flush_open(true, timeout)
    }

    /// Ends recording, decides every live trace on the spans that have ended, exports what is kept,
    /// and stops the threads, all within `timeout`.
    ///
    /// The policies are asked first, on the calling thread, and the sampler about roots that have not
    /// asked it yet; their time counts, but they are not interrupted, so that they alone can exceed
    /// `timeout`.
    ///
    /// Spans that have not ended are counted as [unfinished](crate::ledger::Reason::Unfinished), or with their
    /// trace when that is dropped. Whatever starts later is counted and propagated, but not recorded. A
    /// second call finds nothing to do.
    ///
    /// # Errors
    /// When something was lost meanwhile, or is left when `timeout` is over; the error carries the
    /// same report.
    pub fn shutdown(&self, timeout: Duration) -> Result<DeliveryReport, ShutdownError> {
        self.core.here().shutdown(timeout)
    }

    /// What became of the spans so far.
    ///
    /// Costs a look at every live trace, each under its own lock for some instructions.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let core = self.core.here();
        let mut stats = core.recorder.stats();
        stats.oldest_queued = core.delivery.oldest_queued();
        stats
    }

    /// What was kept so far, by the policy that kept it: traces, spans and bytes sent, in the order of the names.
    ///
    /// The first 64 names are counted apart, the rest as `other`. Costs the copy of the table; a trace that is kept
    /// costs two look-ups and four counts for this and [`stats_by_operation`](Self::stats_by_operation), and two of each
    /// on the exporter's thread; one that is dropped costs nothing.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tailtrace::{Errors, InMemoryExporter, LogLevel, Pipeline};
    /// let pipeline = Pipeline::builder("shop")
    ///     .with_tail(Errors)
    ///     .with_exporter(InMemoryExporter::new())
    ///     .start()?;
    /// pipeline.tracer().start_span("POST /orders").log(LogLevel::Error, "card declined");
    /// pipeline.flush(Duration::from_secs(5))?;
    /// let [errors] = &*pipeline.stats_by_policy() else { unreachable!() };
    /// assert_eq!((&*errors.name, errors.traces, errors.spans), ("Errors", 1, 1));
    /// assert_eq!(pipeline.stats_by_operation()[0].name, "POST /orders");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn stats_by_policy(&self) -> Vec<KeptStats> {
        self.core.here().recorder.ledger.by_policy()
    }

    /// What was kept so far, by the operation of the local root: traces, spans and bytes sent, in the order of the
    /// names.
    ///
    /// As [`stats_by_policy`](Self::stats_by_policy). A trace that is decided in parts counts by the top span of each.
    /// Names come from the spans, so that one with an id in it takes a place each time it differs.
    #[must_use]
    pub fn stats_by_operation(&self) -> Vec<KeptStats> {
        self.core.here().recorder.ledger.by_operation()
    }

    /// Keeps a trace after the fact: one that was dropped and is still in the ring is exported now,
    /// one that is still running will be kept when it is complete.
    ///
    /// For when another service, a support ticket or an alert names a trace. The ring's size and age
    /// are [`RecordLimits`](crate::record::RecordLimits). An index leads to the trace: it costs some microseconds
    /// for each local trace that is found, and a few for an id that is not, whatever the ring holds.
    #[expect(clippy::must_use_candidate, reason = "it is called for what it does")]
    pub fn keep(&self, trace_id: TraceId) -> KeepOutcome {
        self.keep_as(trace_id, ASKED_FOR)
    }

    /// Keeps a trace after the fact, as [`keep`](Self::keep) does, and says why.
    ///
    /// The reason stands where a policy's name does, in [`Trace::kept_by`](crate::Trace::kept_by), for a trace that no
    /// policy keeps; [`keep`](Self::keep) itself says "asked for". What the program asks for is kept whatever the tail
    /// says, a drop on purpose included, as long as that is not done.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tailtrace::record::KeepOutcome;
    /// use tailtrace::{Errors, InMemoryExporter, Pipeline, TailSampler};
    /// let memory = InMemoryExporter::new();
    /// let pipeline = Pipeline::builder("shop")
    ///     .with_tail(TailSampler::new().keep(Errors))
    ///     .with_exporter(memory.clone())
    ///     .start()?;
    /// let id = pipeline.tracer().start_span("checkout").context().trace_id;
    /// assert_eq!(pipeline.keep_as(id, "ticket 4711"), KeepOutcome::Exported);
    /// assert_eq!(pipeline.keep_as(id, "ticket 4711"), KeepOutcome::AlreadyKept);
    /// pipeline.shutdown(Duration::from_secs(5))?;
    /// assert_eq!(memory.traces()[0].kept_by(), "ticket 4711");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Of a reason that is no static text, 256 bytes are kept.
    pub fn keep_as(&self, trace_id: TraceId, reason: impl Into<Cow<'static, str>>) -> KeepOutcome {
        self.core.here().recorder.keep(KeepRequest::by_person(trace_id, reason.into()))
    }

    /// Keeps many traces after the fact, as [`keep`](Self::keep) does with one: what came of each, in the order of
    /// the ids.
    ///
    /// For lists that come from elsewhere. It takes the same locks fewer times than a call for each would, holds none
    /// of them for long, and may be called from any thread.
    ///
    /// ```
    /// use tailtrace::record::KeepOutcome;
    /// use tailtrace::{Errors, InMemoryExporter, Pipeline, TailSampler};
    /// let memory = InMemoryExporter::new();
    /// let pipeline = Pipeline::builder("shop")
    ///     .with_tail(TailSampler::new().keep(Errors))
    ///     .with_exporter(memory.clone())
    ///     .start()?;
    /// let ids = ["checkout", "search"].map(|name| {
    ///     let span = pipeline.tracer().start_span(name);
    ///     span.context().trace_id
    /// });
    /// assert_eq!(pipeline.keep_all(&ids), [KeepOutcome::Exported, KeepOutcome::Exported]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[expect(clippy::must_use_candidate, reason = "it is called for what it does")]
    pub fn keep_all(&self, trace_ids: &[TraceId]) -> Vec<KeepOutcome> {
        self.keep_all_as(trace_ids, ASKED_FOR)
    }

    /// Keeps many traces after the fact, as [`keep_all`](Self::keep_all) does, for a reason, as
    /// [`keep_as`](Self::keep_as) does with one. Costs a copy of the reason for each id, unless it is static.
    pub fn keep_all_as(
        &self,
        trace_ids: &[TraceId],
        reason: impl Into<Cow<'static, str>>,
    ) -> Vec<KeepOutcome> {
        let reason = reason.into();
        let request = |id: &TraceId| KeepRequest::by_person(*id, reason.clone());
        let requests: Vec<KeepRequest> = trace_ids.iter().map(request).collect();
        self.core.here().recorder.keep_all(&requests)
    }

    /// How well buffers are reused: a snapshot.
    #[must_use]
    pub fn span_pool(&self) -> SpanPool {
        self.core.here().recorder.pool()
    }

    /// The way in for spans that another tracer makes, such as OpenTelemetry's SDK.
    ///
    /// For adapters; programs use the layer, the tracer or an adapter that exists. It does not keep the pipeline running.
    #[must_use]
    pub fn intake(&self) -> Intake {
        Intake::new(Arc::clone(&self.core.here().recorder))
    }

    pub(crate) fn recorder(&self) -> &Arc<Recorder> {
        &self.core.here().recorder
    }

    /// The warnings that wait for the program's subscriber.
    #[cfg(feature = "layer")]
    pub(crate) fn pending_warnings(&self) -> &Arc<PendingWarnings> {
        &self.core.pending_warnings
    }

    /// A handle to this pipeline that does not keep it running.
    pub(crate) fn weak(&self) -> Self {
        Self { core: Arc::clone(&self.core), _running: None }
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline").field("stats", &self.stats()).finish_non_exhaustive()
    }
}
