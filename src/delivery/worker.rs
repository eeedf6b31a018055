//! The thread that feeds one exporter.
//!
//! Each exporter has a thread and a tokio runtime of its own, so that it works whatever the program
//! runs on and whatever becomes of the other exporters. All of the exporter's code runs here.

use std::io;
use std::pin::pin;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use super::DeliveryConfig;
use super::backoff::{Backoff, RetryDecision};
use super::channel::{BatchOutcome, Channel, Job, PauseEnd};
use super::health::{Health, LogLine};
use super::queued_batch::QueuedBatch;
use super::shared_exporter::SharedExporter;
use super::waiter::ExporterFailure;
use crate::export::{Batch, ExportError, Exporter};
use crate::kit::{Random, reentrancy, unwind_safe};
use crate::ledger::Reason;

pub(super) struct Worker {
    pub(super) exporter: Arc<Box<dyn Exporter>>,
    /// Where the child of a fork finds the exporter.
    pub(super) shared: SharedExporter,
    pub(super) channel: Arc<Channel>,
    pub(super) config: DeliveryConfig,
    pub(super) random: Random,
}

/// How one call of the exporter ended.
enum CallOutcome {
    Returned(Result<(), ExportError>),
    /// The time limit, which had passed.
    TimedOut(Duration),
    Panicked,
    /// The channel has ended, and nothing waits for the call any more.
    Abandoned,
}

impl Worker {
    /// Starts the thread; returns when it has a runtime.
    ///
    /// # Errors
    /// When the system refuses a thread or what a runtime needs.
    pub(super) fn start(self, index: usize) -> io::Result<()> {
        let (report, reported) = mpsc::sync_channel(1);
        let name = format!("tailtrace-export-{index}");
        let body = move || {
            reentrancy::mark_own_thread();
            // Made here because a runtime must not be dropped where the caller may be: inside another.
            let mut builder = Builder::new_current_thread();
            // What would block runs on threads of the runtime: names are looked up there.
            builder.enable_all().on_thread_start(reentrancy::mark_own_thread);
            let runtime = match builder.build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(report.send(Err(error))),
            };
            if report.send(Ok(())).is_ok() {
                let channel = Arc::clone(&self.channel);
                let ran = unwind_safe::call(|| self.run(runtime));
                // A bug here must not leave a flush or a shutdown waiting.
                if ran.is_none() {
                    channel.end(None);
                }
            }
        };
        #[expect(clippy::disallowed_methods, reason = "delivery owns the exporting threads")]
        thread::Builder::new().name(name).spawn(body)?;
        reported.recv().unwrap_or_else(|_| Err(io::Error::other("the export thread ended at once")))
    }

    fn run(self, runtime: Runtime) {
        let mut health = Health::default();
        let failure = loop {
            match self.channel.next() {
                Job::Send(batch) => self.send(&runtime, batch, &mut health),
                Job::Flush => {
                    let limit = Some(self.config.export_timeout);
                    let failure =
                        self.failure(self.call(&runtime, limit, || self.exporter.flush()));
                    self.channel.flushed(failure.as_ref());
                }
                // Its time limit is that of the caller of the shutdown.
                Job::Stop => {
                    break self.failure(self.call(&runtime, None, || self.exporter.shutdown()));
                }
                Job::Quit => break None,
            }
        };
        LogLine::tell(health.final_line());
        let Self { exporter, shared, channel, .. } = self;
        shared.release();
        unwind_safe::call(|| {
            let _inside = runtime.enter();
            drop(exporter);
        });
        // Tasks that the exporter left running there must not hold up the shutdown.
        runtime.shutdown_background();
        channel.end(failure.as_ref());
        channel.clear();
    }

    fn send(&self, runtime: &Runtime, batch: QueuedBatch, health: &mut Health) {
        // The adapter of another tracer unpacks what is that tracer's.
        let outcome = match self.channel.ledger.call_user(|| batch.unpack()) {
            Some(batch) => self.try_to_send(runtime, batch, health),
            None => Some(BatchOutcome::Lost(Reason::ExporterPanicked)),
        };
        if let Some(outcome) = outcome {
            self.channel.settle(outcome);
        }
    }

    /// Sends a batch, again and again if need be; `None` when it was abandoned.
    fn try_to_send(
        &self,
        runtime: &Runtime,
        batch: Batch,
        health: &mut Health,
    ) -> Option<BatchOutcome> {
        let now = || self.channel.clock.now();
        let limit = Some(self.config.export_timeout);
        let mut urgency = self.channel.urgency();
        let mut backoff = Backoff::new(self.config.retry, now());
        let mut open = batch.span_count();
        let mut batch = batch;
        loop {
            let began = now();
            let called = self.call(runtime, limit, move || self.exporter.export(batch));
            let (error, left) = match called {
                CallOutcome::Returned(Ok(())) => {
                    LogLine::tell(health.worked(now(), &self.channel.name));
                    return Some(BatchOutcome::Sent { rejected: 0 });
                }
                CallOutcome::Returned(Err(mut error)) => {
                    let left = error.take_left();
                    (Arc::new(error), Some(left))
                }
                CallOutcome::TimedOut(limit) => {
                    (Arc::new(timed_out(limit)), self.channel.reclaim())
                }
                CallOutcome::Panicked => {
                    let error = Arc::new(ExportError::permanent("it panicked"));
                    self.channel.failed(Arc::clone(&error));
                    LogLine::tell(health.failed(now(), &self.channel.name, &error));
                    return Some(BatchOutcome::Lost(Reason::ExporterPanicked));
                }
                CallOutcome::Abandoned => return None,
            };
            self.channel.failed(Arc::clone(&error));
            let is_empty = left.as_ref().is_some_and(|left| left.span_count() == 0);
            if error.is_retryable() && is_empty && self.channel.unmarked() > 0 {
                // The exporter took the traces out and returned none: nothing can be tried again.
                LogLine::tell(health.returned_nothing(now(), &self.channel.name, &error));
                return Some(BatchOutcome::Lost(Reason::Refused));
            }
            if !error.is_retryable() {
                LogLine::tell(health.failed(now(), &self.channel.name, &error));
                let partly = error.rejected_spans().map(|rejected| BatchOutcome::Sent { rejected });
                return Some(partly.unwrap_or(BatchOutcome::Lost(Reason::Refused)));
            }
            let Some(left) = left else {
                // The exporter had taken the traces out: they went with it.
                LogLine::tell(health.gave_up(now(), &self.channel.name, &error));
                return Some(BatchOutcome::Lost(Reason::RetriesExhausted));
            };
            let rejected = error.rejected_spans().unwrap_or(0);
            let spans = left.span_count();
            if spans < open {
                backoff.progressed(now());
                open = spans;
            }
            let next = backoff.failed(began, now(), error.retry_after(), self.random.next_u64());
            // One line: of spans that are lost now nothing is told that they wait.
            LogLine::tell(if next == RetryDecision::GiveUp && spans > 0 {
                health.gave_up(now(), &self.channel.name, &error)
            } else {
                health.failed(now(), &self.channel.name, &error)
            });
            batch = self.channel.retry(left, rejected)?;
            let (wait, asked) = match next {
                RetryDecision::Wait(wait) => (wait, false),
                RetryDecision::WaitAsAsked(wait) => (wait, true),
                RetryDecision::GiveUp => return Some(BatchOutcome::Lost(Reason::RetriesExhausted)),
            };
            match self.channel.pause(wait, asked, &mut urgency) {
                PauseEnd::Elapsed => {}
                PauseEnd::Urged => backoff.urge(),
                PauseEnd::Abandoned => return None,
            }
        }
    }

    /// Runs one of the exporter's futures to its end, its time limit, its panic or the channel's end.
    fn call<F>(
        &self,
        runtime: &Runtime,
        limit: Option<Duration>,
        make: impl FnOnce() -> F,
    ) -> CallOutcome
    where
        F: Future<Output = Result<(), ExportError>>,
    {
        let ended = self.channel.ledger.call_user(|| {
            runtime.block_on(self.channel.unless_abandoned(async {
                let Some(limit) = limit else {
                    return Ok(make().await);
                };
                let mut work = pin!(make());
                loop {
                    let marked = self.channel.unmarked();
                    match tokio::time::timeout(limit, &mut work).await {
                        Ok(result) => return Ok(result),
                        // A slow link that still carries spans is cut off in the middle of none.
                        Err(_) if self.channel.unmarked() < marked => {}
                        Err(_) => return Err(limit),
                    }
                }
            }))
        });
        match ended {
            Some(Some(Ok(result))) => CallOutcome::Returned(result),
            Some(Some(Err(limit))) => CallOutcome::TimedOut(limit),
            Some(None) => CallOutcome::Abandoned,
            None => CallOutcome::Panicked,
        }
    }

    /// What the callers of a flush or the shutdown are told.
    fn failure(&self, called: CallOutcome) -> Option<ExporterFailure> {
        let error = match called {
            CallOutcome::Returned(Ok(())) | CallOutcome::Abandoned => return None,
            CallOutcome::Returned(Err(error)) => error,
            CallOutcome::TimedOut(limit) => timed_out(limit),
            CallOutcome::Panicked => ExportError::permanent("it panicked"),
        };
        Some(ExporterFailure { exporter: Arc::clone(&self.channel.name), error: Arc::new(error) })
    }
}

/// The error of a call that ran out of time; what is left of its batch is known elsewhere.
fn timed_out(limit: Duration) -> ExportError {
    ExportError::retryable(format!("no answer within {limit:?}"), Batch::default())
}
