//! What may be changed while a pipeline runs.

#[cfg(all(unix, feature = "signals"))]
use std::io;
use std::sync::Arc;
#[cfg(all(unix, feature = "signals"))]
use std::time::Duration;

use super::Pipeline;
#[cfg(all(unix, feature = "signals"))]
use crate::pipeline::signals;
use crate::sampling::Sampler;
use crate::tail::TailPolicy;

impl Pipeline {
    /// Replaces the head sampler while the pipeline runs.
    ///
    /// For turning the rate up during an incident, a noisy operation off, or everything off, without a
    /// restart. Local traces that start from now on ask the new one; those that are running keep the
    /// decision they have.
    ///
    /// It may be called from anywhere and waits for no other thread. A thread that is asking the old
    /// sampler at this moment gets its answer, and the last thread to use the old sampler drops it, under
    /// none of the crate's locks. It costs two allocations; asking costs no more than before. A closure or an `Arc` of one
    /// sampler with a setting inside does as well where only a number changes.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tailtrace::{AlwaysOff, AlwaysOn, InMemoryExporter, Pipeline};
    /// let memory = InMemoryExporter::new();
    /// let pipeline = Pipeline::builder("checkout")
    ///     .with_sampler(AlwaysOff)
    ///     .with_exporter(memory.clone())
    ///     .start()?;
    /// let tracer = pipeline.tracer();
    /// drop(tracer.start_span("before"));
    /// pipeline.set_sampler(AlwaysOn);
    /// drop(tracer.start_span("after"));
    /// pipeline.shutdown(Duration::from_secs(5))?;
    /// assert_eq!(memory.traces()[0].root().unwrap().operation_name(), "after");
    /// assert_eq!(pipeline.stats().sampled_out, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_sampler(&self, sampler: impl Sampler + 'static) {
        let sampler: Arc<dyn Sampler> = Arc::new(sampler);
        self.core.here().recorder.set_sampler(&sampler);
    }

    /// Replaces the tail policy while the pipeline runs, or gives it one.
    ///
    /// A trace is decided by the tail that is there when it completes, so this applies to those that
    /// are running too, as far as they were recorded: what the head sampled is kept unless the new tail
    /// drops it on purpose, and what was not recorded stays so. What was decided stays decided, and its
    /// late spans follow.
    ///
    /// Where the program set no sampler, everything that starts from now on is recorded and the tail
    /// decides, as if the pipeline had [started with one](crate::pipeline::PipelineBuilder::with_sampler).
    ///
    /// Threads, drops and costs are those of [`set_sampler`](Self::set_sampler). What the new policy
    /// learns or saves up, such as a percentile or a budget, begins anew.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tailtrace::{Errors, InMemoryExporter, Pipeline, SlowerThan, TailSampler};
    /// let memory = InMemoryExporter::new();
    /// let pipeline = Pipeline::builder("checkout")
    ///     .with_tail(TailSampler::new().keep(Errors))
    ///     .with_exporter(memory.clone())
    ///     .start()?;
    /// let running = pipeline.tracer().start_span("POST /orders");
    /// pipeline.set_tail(TailSampler::new().keep(Errors).keep(SlowerThan(Duration::ZERO)));
    /// drop(running);
    /// pipeline.shutdown(Duration::from_secs(5))?;
    /// assert_eq!(memory.traces()[0].kept_by(), "SlowerThan");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_tail(&self, tail: impl TailPolicy + 'static) {
        let tail: Arc<dyn TailPolicy> = Arc::new(tail);
        self.core.here().recorder.set_tail(Some(&tail));
    }

    /// Takes the tail policy away while the pipeline runs: from now on the head decides alone.
    ///
    /// This ends the cost of recording what the head does not sample;
    /// `set_tail(TailSampler::new())` would go on recording it and keep none of it. Running traces that
    /// were recorded only for the tail are dropped when they complete, and can be
    /// [kept](Self::keep) while the ring holds them. Where the program set no sampler, callers are
    /// followed and new traces kept.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tailtrace::{Errors, FixedRateSampler, InMemoryExporter, Pipeline};
    /// let pipeline = Pipeline::builder("checkout")
    ///     .with_sampler(FixedRateSampler::new(0.0)?)
    ///     .with_tail(Errors)
    ///     .with_exporter(InMemoryExporter::new())
    ///     .start()?;
    /// let tracer = pipeline.tracer();
    /// assert!(tracer.start_span("GET /cart").is_recording());
    /// pipeline.clear_tail();
    /// assert!(!tracer.start_span("GET /cart").is_recording());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn clear_tail(&self) {
        self.core.here().recorder.set_tail(None);
    }

    /// Switches recording off, and on again, while the pipeline runs. Default: on.
    ///
    /// Switched off, local traces that begin record nothing and ask neither sampler nor tail; what callers decided
    /// goes on as it came, and traces that begin here go on as not sampled. Their spans are counted as sampled out.
    /// Local traces that are running stay recorded and are decided as ever, and what is queued is still exported. It
    /// costs a store, and a span nothing. Without effect where the pipeline was started
    /// [without recording](crate::pipeline::PipelineBuilder::with_recording) or has nothing to export to.
    ///
    /// ```
    /// use tailtrace::{AlwaysOn, InMemoryExporter, Pipeline};
    /// let pipeline = Pipeline::builder("shop")
    ///     .with_sampler(AlwaysOn)
    ///     .with_exporter(InMemoryExporter::new())
    ///     .start()?;
    /// pipeline.set_enabled(false);
    /// assert!(!pipeline.tracer().start_span("GET /cart").is_recording());
    /// pipeline.set_enabled(true);
    /// assert!(pipeline.tracer().start_span("GET /cart").is_recording());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_enabled(&self, enabled: bool) {
        self.core.here().recorder.switch.set(enabled);
    }

    /// Flushes when SIGTERM or SIGINT comes, within `deadline`, and then lets the signal end the process as it would
    /// have.
    ///
    /// For programs that handle neither themselves. A server that drains on SIGTERM must not use it: the process
    /// would end under its requests. Such a server returns from `main`, and the pipeline's last handle flushes. Starts a
    /// thread, which does not keep the pipeline running. Feature `signals`, on Unix.
    ///
    /// # Errors
    /// When the system refuses the handler or the thread.
    #[cfg(all(unix, feature = "signals"))]
    pub fn flush_on_signals(&self, deadline: Duration) -> io::Result<()> {
        let pipeline = self.weak();
        signals::flush_on_signals(move || pipeline.flush(deadline))
    }
}
