//! Exporters that trace.

use crate::way;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use super::process::{alone, trace_under};
use crate::support::{PATIENCE, keeping};
use async_trait::async_trait;
use tailtrace::export::{Batch, Batching, ExportError};
use tailtrace::ledger::Reason;
use tailtrace::{Exporter, Pipeline, TraceSpanExt};
use tracing::dispatcher::with_default;
use tracing::{Dispatch, Span, error, info, info_span, trace, trace_span};
use tracing_log::log;

/// Traces whatever it does, under the application's subscriber.
#[derive(Clone, Default)]
struct Chatty {
    dispatch: Arc<Mutex<Option<Dispatch>>>,
    /// A span of the application.
    of_the_application: Arc<Mutex<Option<Span>>>,
    exports: Arc<AtomicU32>,
}

impl Chatty {
    /// Says all that can be said.
    fn chat(&self) {
        // Under a global default this is it; under a scoped one the test has to bring it here.
        let dispatch = self.dispatch.lock().unwrap().clone().unwrap();
        let of_the_application = self.of_the_application.lock().unwrap().clone();
        with_default(&dispatch, || chat(of_the_application.as_ref()));
        chat(of_the_application.as_ref());
    }
}

fn chat(of_the_application: Option<&Span>) {
    let _span = trace_span!("exporting", size = 1).entered();
    trace!("sending");
    error!("failed");
    log::trace!("sending");
    log::error!("failed");
    assert!(Span::current().context().is_none_or(|context| !context.flags.is_sampled()));
    if let Some(span) = of_the_application {
        info!(parent: span, "from the exporter");
        drop(info_span!(parent: span, "exporting below"));
        span.in_scope(|| {
            error!("from the exporter");
            log::error!("from the exporter");
            drop(info_span!("exporting inside"));
        });
    }
}

#[async_trait]
impl Exporter for Chatty {
    async fn export(&self, _: Batch) -> Result<(), ExportError> {
        self.exports.fetch_add(1, Ordering::Relaxed);
        self.chat();
        tokio::task::yield_now().await;
        self.chat();
        let blocking = self.clone();
        tokio::task::spawn_blocking(move || blocking.chat()).await.unwrap();
        let spawned = self.clone();
        tokio::spawn(async move { spawned.chat() }).await.unwrap();
        Ok(())
    }

    fn batching(&self) -> Batching {
        Batching::immediate()
    }
}

/// What `tracing_log` does, where it is not installed.
struct Forward;

impl log::Log for Forward {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        tracing_log::format_trace(record).unwrap();
    }

    fn flush(&self) {}
}

#[test]
fn what_an_exporter_traces_never_comes_back_in() {
    alone(what_an_exporter_traces_never_comes_back_in, |default| {
        log::set_logger(&Forward).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
        let chatty = Chatty::default();
        let layered = |pipeline: &Pipeline| way::under(way::plain(pipeline));
        let builder = keeping().with_exporter(chatty.clone());
        let outcome = trace_under(default, builder, layered, |pipeline| {
            let current = tracing::dispatcher::get_default(Dispatch::clone);
            *chatty.dispatch.lock().unwrap() = Some(current);
            let open = info_span!("open");
            *chatty.of_the_application.lock().unwrap() = Some(open.clone());
            drop(info_span!(parent: None, "exported first"));
            for _ in 0..20 {
                pipeline.flush(PATIENCE).unwrap();
            }
            assert_eq!(chatty.exports.load(Ordering::Relaxed), 1);
            let held = chatty.of_the_application.lock().unwrap().take();
            drop((held, open));
            for _ in 0..20 {
                pipeline.flush(PATIENCE).unwrap();
            }
        });
        assert_eq!(chatty.exports.load(Ordering::Relaxed), 2);
        assert_eq!(outcome.trees(), "exported first\nopen");
        let own = outcome.stats.dropped_by(Reason::OwnWork);
        assert_eq!(outcome.stats.started, own + 2, "{}", outcome.stats);
        assert!(own > 0);
    });
}

/// Closes a span that the application left to it.
struct Closes(Arc<Mutex<Option<Span>>>);

#[async_trait]
impl Exporter for Closes {
    async fn export(&self, _: Batch) -> Result<(), ExportError> {
        let left = self.0.lock().unwrap().take();
        drop(left);
        Ok(())
    }

    fn batching(&self) -> Batching {
        Batching::immediate()
    }
}

#[test]
fn a_span_of_the_application_that_an_exporter_closes_is_recorded() {
    alone(a_span_of_the_application_that_an_exporter_closes_is_recorded, |default| {
        let left: Arc<Mutex<Option<Span>>> = Arc::default();
        let layered = |pipeline: &Pipeline| way::under(way::plain(pipeline));
        let builder = keeping().with_exporter(Closes(Arc::clone(&left)));
        let outcome = trace_under(default, builder, layered, |pipeline| {
            *left.lock().unwrap() = Some(info_span!("left to the exporter"));
            drop(info_span!("exported first"));
            pipeline.flush(PATIENCE).unwrap();
        });
        assert_eq!(outcome.trees(), "exported first\nleft to the exporter");
    });
}
