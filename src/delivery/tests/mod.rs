//! Delivery with exporters that follow a script.

mod async_exporter;
mod hangs;
mod outcomes;
mod partial_batches;
mod retries;
mod runtimes;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;

use super::{Delivery, DeliveryConfig, Retry};
use crate::export::{Batch, Batching, ExportError, Exporter};
use crate::kit::unwind_safe::lock;
use crate::kit::{Random, reentrancy};
use crate::ledger::{Ledger, Stats};
use crate::model::{SpanId, Status, TraceContext, TraceId};
use crate::time::Clock;
use crate::trace::{Span, Trace};

/// Longer than anything here takes: only a hang uses it up.
const LONG: Duration = Duration::from_secs(60);

/// What one call of `export` does.
pub(super) enum Step {
    Accept,
    Fail(ExportError),
    /// Fails and returns the whole batch, with the time that the peer asks for.
    Busy {
        message: &'static str,
        wait: Option<Duration>,
    },
    /// Says that so many spans were accepted and so many rejected, then fails and returns the rest.
    Partly {
        accepted: usize,
        rejected: usize,
    },
    /// The same, then never ready.
    PartlyPending {
        accepted: usize,
        rejected: usize,
    },
    /// The same, then panics.
    PartlyPanic {
        accepted: usize,
        rejected: usize,
    },
    /// Takes the traces out and is never ready.
    TakeAndHang,
    /// Says that so many spans were accepted, takes the traces out, then fails and returns an empty batch.
    TakeAndFail {
        accepted: usize,
    },
    Panic,
    /// Never ready, but it gives its thread back.
    Pending,
    /// Keeps its thread until the other end is dropped.
    Block(Receiver<()>),
}

impl Step {
    pub(super) fn down() -> Self {
        Self::Busy { message: "connection refused", wait: None }
    }

    /// A step that keeps its thread until the sender is dropped.
    pub(super) fn block() -> (Sender<()>, Self) {
        let (hold, held) = mpsc::channel();
        (hold, Self::Block(held))
    }
}

/// What an exporter did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A call of `export`, with the spans in its batch.
    Export(usize),
    Flush,
    Shutdown,
    Dropped,
}

/// Follows its script, then accepts everything, and tells what it does.
pub(super) struct Scripted {
    script: Mutex<VecDeque<Step>>,
    flushes: Mutex<VecDeque<Step>>,
    shutdown: Mutex<VecDeque<Step>>,
    tell: Sender<Event>,
}

/// What the test hears of an exporter.
pub(super) struct Heard(Receiver<Event>);

impl Heard {
    pub(super) fn next(&self) -> Event {
        self.0.recv_timeout(LONG).expect("the exporter hangs")
    }

    /// Everything that has happened by now.
    pub(super) fn so_far(&self) -> Vec<Event> {
        self.0.try_iter().collect()
    }
}

impl Scripted {
    pub(super) fn new(script: impl IntoIterator<Item = Step>) -> (Self, Heard) {
        let (tell, heard) = mpsc::channel();
        let scripted = Self {
            script: Mutex::new(script.into_iter().collect()),
            flushes: Mutex::default(),
            shutdown: Mutex::default(),
            tell,
        };
        (scripted, Heard(heard))
    }

    pub(super) fn on_flush(self, step: Step) -> Self {
        lock(&self.flushes).push_back(step);
        self
    }

    pub(super) fn on_shutdown(self, step: Step) -> Self {
        lock(&self.shutdown).push_back(step);
        self
    }

    async fn follow(
        &self,
        script: &Mutex<VecDeque<Step>>,
        event: Event,
        mut batch: Batch,
    ) -> Result<(), ExportError> {
        assert!(reentrancy::is_own_thread(), "not on a thread of ours");
        let step = lock(script).pop_front().unwrap_or(Step::Accept);
        let _ = self.tell.send(event);
        match step {
            Step::Accept => Ok(()),
            Step::Fail(error) => Err(error),
            Step::Busy { message, wait } => {
                let error = ExportError::retryable(message, batch);
                Err(match wait {
                    Some(wait) => error.after(wait),
                    None => error,
                })
            }
            Step::Partly { accepted, rejected } => {
                batch.mark_accepted(accepted);
                batch.mark_rejected(rejected);
                let error = ExportError::retryable("503", batch);
                Err(error.with_rejected_spans(rejected as u64))
            }
            Step::PartlyPending { accepted, rejected } => {
                batch.mark_accepted(accepted);
                batch.mark_rejected(rejected);
                std::future::pending().await
            }
            Step::PartlyPanic { accepted, rejected } => {
                batch.mark_accepted(accepted);
                batch.mark_rejected(rejected);
                panic!("as the script says");
            }
            Step::TakeAndHang => {
                drop(batch.into_traces());
                std::future::pending().await
            }
            Step::TakeAndFail { accepted } => {
                batch.mark_accepted(accepted);
                drop(batch.into_traces());
                Err(ExportError::retryable("503", Batch::default()))
            }
            Step::Panic => panic!("as the script says"),
            Step::Pending => std::future::pending().await,
            Step::Block(held) => {
                let _ = held.recv();
                Ok(())
            }
        }
    }
}

#[async_trait]
impl Exporter for Scripted {
    async fn export(&self, batch: Batch) -> Result<(), ExportError> {
        assert!(!batch.is_empty());
        let spans = batch.span_count();
        self.follow(&self.script, Event::Export(spans), batch).await
    }

    async fn flush(&self) -> Result<(), ExportError> {
        self.follow(&self.flushes, Event::Flush, Batch::default()).await
    }

    async fn shutdown(&self) -> Result<(), ExportError> {
        self.follow(&self.shutdown, Event::Shutdown, Batch::default()).await
    }

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed("scripted")
    }

    fn batching(&self) -> Batching {
        Batching::immediate()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        let _ = self.tell.send(Event::Dropped);
    }
}

/// Waits of a millisecond, so that no test waits for time to pass.
pub(super) fn quick() -> DeliveryConfig {
    DeliveryConfig {
        retry: Retry {
            initial: Duration::from_millis(1),
            max: Duration::from_millis(1),
            ..Retry::default()
        },
        ..DeliveryConfig::default()
    }
}

pub(super) struct Bench {
    pub(super) delivery: Delivery,
    pub(super) ledger: Arc<Ledger>,
}

impl Bench {
    pub(super) fn new(config: DeliveryConfig, exporters: Vec<Box<dyn Exporter>>) -> Self {
        Self::with_clock(config, exporters, Clock::system())
    }

    pub(super) fn one(config: DeliveryConfig, exporter: Scripted) -> Self {
        Self::new(config, vec![Box::new(exporter)])
    }

    pub(super) fn with_clock(
        config: DeliveryConfig,
        exporters: Vec<Box<dyn Exporter>>,
        clock: Clock,
    ) -> Self {
        let ledger = Arc::new(Ledger::default());
        let account = Arc::clone(&ledger);
        let random = Random::seeded(7);
        let (delivery, failed) = Delivery::start(exporters, config, clock, random, account);
        assert!(failed.is_none(), "{failed:?}");
        Self { delivery, ledger }
    }

    /// Sends a trace as the recorder does: its spans have started.
    pub(super) fn send(&self, trace: &Trace) {
        self.ledger.started(trace.span_count() as u64);
        self.delivery.send(trace.clone());
    }

    /// The account, which balances at every moment a test looks at it.
    pub(super) fn stats(&self) -> Stats {
        let stats = self.ledger.counters();
        assert!(stats.balances(), "{stats}");
        stats
    }
}

/// A trace without an error.
pub(super) fn trace(spans: usize) -> Trace {
    let id = TraceId::new();
    let mut trace = Trace::new(id);
    for _ in 0..spans {
        trace.add_span(Span::new("work", TraceContext::new(id, SpanId::new())));
    }
    trace.finish();
    trace
}

/// A trace with an error.
pub(super) fn failed(spans: usize) -> Trace {
    let mut trace = trace(spans);
    let root = trace.root().map(|root| root.span_id()).unwrap();
    let mut root = trace.span_mut(root).unwrap();
    root.set_status(Status::error("boom"));
    assert!(trace.has_errors());
    trace
}
