//! The thread that feeds one exporter.
//!
//! Each exporter has a thread and a tokio runtime of its own, so that it works whatever the program
//! runs on and whatever becomes of the other exporters. All of the exporter's code runs here.

use std::io;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use super::DeliveryConfig;
use super::backoff::{Backoff, Next};
use super::health::{Health, Line};
use super::lane::{Job, Lane, Outcome, Pause};
use super::waiter::ExporterFailure;
use crate::export::{Batch, ExportError, Exporter};
use crate::kit::{Random, guarded, notice, own_work};
use crate::ledger::Reason;

pub(super) struct Worker {
    pub(super) exporter: Box<dyn Exporter>,
    pub(super) lane: Arc<Lane>,
    pub(super) config: DeliveryConfig,
    pub(super) random: Random,
}

/// How one call of the exporter ended.
enum Called {
    Returned(Result<(), ExportError>),
    /// The time limit, which had passed.
    TimedOut(Duration),
    Panicked,
    /// The lane has ended; nobody asks any more.
    Abandoned,
}

impl Worker {
    /// Starts the thread; returns when it has a runtime.
    ///
    /// # Errors
    /// When the system refuses a thread or what a runtime needs.
    pub(super) fn start(self, index: usize) -> io::Result<()> {
        let (tell, told) = mpsc::sync_channel(1);
        let name = format!("tailtrace-export-{index}");
        let body = move || {
            own_work::mark_thread();
            // Made here because a runtime must not be dropped where the caller may be: inside another.
            let mut builder = Builder::new_current_thread();
            // What would block runs on threads of the runtime: names are looked up there.
            builder.enable_all().on_thread_start(own_work::mark_thread);
            let runtime = match builder.build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(tell.send(Err(error))),
            };
            if tell.send(Ok(())).is_ok() {
                let lane = Arc::clone(&self.lane);
                let ran = guarded::call(|| self.run(runtime));
                // A bug of ours must not leave anybody waiting.
                if ran.is_none() {
                    lane.end(None);
                }
            }
        };
        #[expect(clippy::disallowed_methods, reason = "delivery owns the exporting threads")]
        thread::Builder::new().name(name).spawn(body)?;
        told.recv().unwrap_or_else(|_| Err(io::Error::other("the export thread ended at once")))
    }

    fn run(self, runtime: Runtime) {
        let mut health = Health::default();
        let failure = loop {
            match self.lane.next() {
                Job::Send(batch) => {
                    if let Some(outcome) = self.send(&runtime, batch, &mut health) {
                        self.lane.settle(outcome);
                    }
                }
                Job::Flush => {
                    let limit = Some(self.config.export_timeout);
                    let failure =
                        self.failure(self.call(&runtime, limit, || self.exporter.flush()));
                    self.lane.flushed(failure.as_ref());
                }
                // Its time limit is that of whoever asked for it.
                Job::Stop => {
                    break self.failure(self.call(&runtime, None, || self.exporter.shutdown()));
                }
                Job::Quit => break None,
            }
        };
        tell(health.last_words());
        let Self { exporter, lane, .. } = self;
        guarded::call(|| {
            let _inside = runtime.enter();
            drop(exporter);
        });
        // What the exporter left running there must not hold anybody up.
        runtime.shutdown_background();
        lane.end(failure.as_ref());
        lane.clear();
    }

    /// Sends a batch, again and again if need be; `None` when it was abandoned.
    fn send(&self, runtime: &Runtime, batch: Batch, health: &mut Health) -> Option<Outcome> {
        let now = || self.lane.clock.now();
        let limit = Some(self.config.export_timeout);
        let mut urgency = self.lane.urgency();
        let mut backoff = Backoff::new(self.config.retry, now());
        let mut batch = batch;
        loop {
            let called = self.call(runtime, limit, move || self.exporter.export(batch));
            let (error, left) = match called {
                Called::Returned(Ok(())) => {
                    tell(health.worked(now(), &self.lane.name));
                    return Some(Outcome::Sent { rejected: 0 });
                }
                Called::Returned(Err(mut error)) => {
                    let left = error.take_left();
                    (Arc::new(error), Some(left))
                }
                Called::TimedOut(limit) => (Arc::new(too_late(limit)), self.lane.reclaim()),
                Called::Panicked => {
                    let error = Arc::new(ExportError::permanent("it panicked"));
                    self.lane.failed(Arc::clone(&error));
                    tell(health.failed(now(), &self.lane.name, &error));
                    return Some(Outcome::Lost(Reason::ExporterPanicked));
                }
                Called::Abandoned => return None,
            };
            self.lane.failed(Arc::clone(&error));
            tell(health.failed(now(), &self.lane.name, &error));
            if !error.is_retryable() {
                let partly = error.rejected_spans().map(|rejected| Outcome::Sent { rejected });
                return Some(partly.unwrap_or(Outcome::Lost(Reason::Refused)));
            }
            let Some(left) = left else {
                // The exporter had taken the traces out: they went with it.
                tell(health.gave_up(now(), &self.lane.name, &error));
                return Some(Outcome::Lost(Reason::RetriesExhausted));
            };
            let rejected = error.rejected_spans().unwrap_or(0);
            batch = self.lane.retry(left, rejected)?;
            let next = backoff.failed(now(), error.retry_after(), self.random.next_u64());
            let (wait, asked) = match next {
                Next::Wait(wait) => (wait, false),
                Next::WaitAsAsked(wait) => (wait, true),
                Next::GiveUp => {
                    tell(health.gave_up(now(), &self.lane.name, &error));
                    return Some(Outcome::Lost(Reason::RetriesExhausted));
                }
            };
            match self.lane.pause(wait, asked, &mut urgency) {
                Pause::Over => {}
                Pause::Urged => backoff.urge(),
                Pause::Abandoned => return None,
            }
        }
    }

    /// Runs one of the exporter's futures to its end, its time limit, its panic or the lane's end.
    fn call<F>(
        &self,
        runtime: &Runtime,
        limit: Option<Duration>,
        make: impl FnOnce() -> F,
    ) -> Called
    where
        F: Future<Output = Result<(), ExportError>>,
    {
        let ended = guarded::call(|| {
            runtime.block_on(self.lane.unless_abandoned(async {
                let Some(limit) = limit else {
                    return Ok(make().await);
                };
                tokio::time::timeout(limit, make()).await.map_err(|_| limit)
            }))
        });
        match ended {
            Some(Some(Ok(result))) => Called::Returned(result),
            Some(Some(Err(limit))) => Called::TimedOut(limit),
            Some(None) => Called::Abandoned,
            None => {
                self.lane.ledger.panicked(1);
                Called::Panicked
            }
        }
    }

    /// What whoever waits for a flush or the shutdown hears.
    fn failure(&self, called: Called) -> Option<ExporterFailure> {
        let error = match called {
            Called::Returned(Ok(())) | Called::Abandoned => return None,
            Called::Returned(Err(error)) => error,
            Called::TimedOut(limit) => too_late(limit),
            Called::Panicked => ExportError::permanent("it panicked"),
        };
        Some(ExporterFailure { exporter: Arc::clone(&self.lane.name), error: Arc::new(error) })
    }
}

/// The error of a call that ran out of time; what is left of its batch is known elsewhere.
fn too_late(limit: Duration) -> ExportError {
    ExportError::retryable(format!("no answer within {limit:?}"), Batch::default())
}

fn tell(line: Option<Line>) {
    match line {
        Some(Line::Warning(text)) => notice::warn(&text),
        Some(Line::Notice(text)) => notice::info(&text),
        None => {}
    }
}
