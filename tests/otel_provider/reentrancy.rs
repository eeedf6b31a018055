//! Code of the application that runs inside of ours, or inside of OpenTelemetry's borrows.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock, mpsc};

use async_trait::async_trait;
use opentelemetry::trace::{
    Span as _, TraceContextExt, Tracer as _, TracerProvider as _, get_active_span,
};
use opentelemetry::{Context, KeyValue};
use tailtrace::export::{Batch, Batching, ExportError};
use tailtrace::ledger::Reason;
use tailtrace::otel::{Tracer, TracerProvider};
use tailtrace::{Exporter, Pipeline, SamplingRequest, SamplingResult, TraceView, Verdict};
use tracing::{info_span, warn};

use super::world::{start, trace, trace_with};
use crate::support::{PATIENCE, keeping};

/// What instrumented code may do wherever it is called. Attaching a context is not among it where
/// contexts are borrowed, for OpenTelemetry itself.
fn chat(tracer: &Tracer) {
    let _span = info_span!("chat").entered();
    let span = tracer.start("chat");
    assert!(!span.span_context().is_sampled());
    warn!("chatting");
    let context = Context::new().with_span(span);
    context.span().set_attribute(KeyValue::new("k", 1));
    drop(tracer.start_with_context("chat", &context));
    let seen = Context::current().span().span_context().clone();
    drop(tracer.start_with_context("chat", &Context::new().with_remote_span_context(seen)));
}

/// A decider that traces, once it has a tracer.
#[derive(Clone, Default)]
struct Chatty {
    tracer: Arc<OnceLock<Tracer>>,
    asked: Arc<AtomicU32>,
}

impl Chatty {
    fn chat(&self) {
        if let Some(tracer) = self.tracer.get() {
            self.asked.fetch_add(1, Ordering::Relaxed);
            chat(tracer);
        }
    }
}

/// How often a program's decider was asked, and how many spans it caused that were refused.
fn count(
    program: impl FnOnce(&Tracer),
    decide: impl FnOnce(Chatty) -> tailtrace::pipeline::PipelineBuilder,
) -> (u32, u64) {
    let chatty = Chatty::default();
    let outcome = trace_with(decide(chatty.clone()), |_, tracer| {
        chatty.tracer.set(tracer.clone()).unwrap();
        program(tracer);
    });
    assert_eq!(outcome.stats.panics, 0);
    (chatty.asked.load(Ordering::Relaxed), outcome.stats.dropped_by(Reason::OwnWork))
}

fn sampler(chatty: Chatty) -> tailtrace::pipeline::PipelineBuilder {
    Pipeline::builder("t").with_sampler(move |_: &SamplingRequest<'_>| {
        chatty.chat();
        SamplingResult::sample()
    })
}

fn tail(chatty: Chatty) -> tailtrace::pipeline::PipelineBuilder {
    Pipeline::builder("t").with_tail(move |_: &TraceView<'_>| {
        chatty.chat();
        Verdict::keep()
    })
}

/// How many spans `chat` starts.
const CHAT: u64 = 4;

#[test]
fn a_sampler_may_trace_though_the_contexts_are_borrowed() {
    // `start` asks it under a borrow of the thread's contexts.
    assert_eq!(count(|tracer| drop(tracer.start("s")), sampler), (1, CHAT));
    assert_eq!(count(|_| info_span!("s").in_scope(|| ()), sampler), (1, CHAT));
}

#[test]
fn a_policy_may_trace_while_the_span_that_ends_is_locked() {
    let end = |tracer: &Tracer| {
        let context = Context::current_with_span(tracer.start("s"));
        context.span().end();
    };
    assert_eq!(count(end, tail), (1, CHAT));
    let end_current = |tracer: &Tracer| {
        let _guard = Context::current_with_span(tracer.start("s")).attach();
        Context::current().span().end();
    };
    assert_eq!(count(end_current, tail), (1, CHAT));
}

#[test]
fn a_policy_may_trace_while_the_contexts_are_borrowed_too() {
    let end = |tracer: &Tracer| {
        let _guard = Context::current_with_span(tracer.start("s")).attach();
        get_active_span(|span| span.end());
    };
    assert_eq!(count(end, tail), (1, CHAT));
}

#[test]
fn an_error_may_trace_while_it_is_displayed_and_its_span_is_locked() {
    struct Chats(Tracer);
    impl fmt::Debug for Chats {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Chats")
        }
    }
    impl fmt::Display for Chats {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.in_span("inside", |_| drop(info_span!("below")));
            f.write_str("said")
        }
    }
    impl std::error::Error for Chats {}
    let outcome = trace(|tracer| {
        let error = Chats(tracer.clone());
        tracer.start("direct").record_error(&error);
        tracer.in_span("current", |context| context.span().record_error(&error));
        info_span!("entered").in_scope(|| Context::current().span().record_error(&error));
    });
    let exception = "error: \"exception\" exception.message=\"said\"";
    let tree = format!(
        "\
current
│    {exception}
└─ inside
   └─ below
direct
     {exception}
entered
│    {exception}
└─ inside
   └─ below
inside
└─ below"
    );
    assert_eq!(outcome.trees(), tree);
}

#[test]
fn a_span_may_be_entered_while_the_application_borrows_its_contexts() {
    let outcome = trace(|tracer| {
        tracer.in_span("outer", |_| {
            get_active_span(|_| info_span!("inner").in_scope(|| drop(tracer.start("client"))));
        });
    });
    // It cannot be made current meanwhile: what is started inside has the nearest that could.
    assert_eq!(outcome.trees(), "outer\n├─ inner\n└─ client");
}

/// An exporter that is instrumented.
struct Instrumented(mpsc::Sender<()>, Arc<OnceLock<Tracer>>);

#[async_trait]
impl Exporter for Instrumented {
    async fn export(&self, _: Batch) -> Result<(), ExportError> {
        if let Some(tracer) = self.1.get() {
            chat(tracer);
            let span = tracer.start("export");
            assert!(!span.is_recording() && !span.span_context().is_sampled());
        }
        let _ = self.0.send(());
        Ok(())
    }

    fn batching(&self) -> Batching {
        Batching::immediate()
    }
}

#[test]
fn an_instrumented_exporter_does_not_trace_itself() {
    let (sender, exported) = mpsc::channel();
    let chatty = Arc::new(OnceLock::new());
    let run = start(keeping().with_exporter(Instrumented(sender, Arc::clone(&chatty))));
    let tracer = TracerProvider::new(&run.pipeline).tracer("");
    chatty.set(tracer.clone()).unwrap();
    drop(tracer.start("s"));
    exported.recv_timeout(PATIENCE).unwrap();
    let outcome = run.stop();
    assert_eq!(outcome.names(), ["s"]);
    assert_eq!(outcome.stats.panics, 0);
    // `chat` here has no subscriber: its OpenTelemetry spans and `export`.
    assert_eq!(outcome.stats.dropped_by(Reason::OwnWork), CHAT);
}
