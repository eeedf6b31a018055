//! What becomes of a part, by whichever way its spans come in: the native tracer, `tracing` with the layer or our own
//! subscriber, OpenTelemetry's SDK, and its API without the SDK.

use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::{Status, TraceContextExt, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tailtrace::coherence::MemoryBus;
use tailtrace::otel::TracerProvider;
use tailtrace::record::{KeepOutcome, RecordLimits};
use tailtrace::{SpanGuard, SpanId, TraceContext, TraceId, TraceSpanExt};
use tracing::Dispatch;
use tracing::dispatcher::with_default;
use tracing_subscriber::layer::SubscriberExt;

use crate::parts::sdk;
use crate::support::PLENTY;
use crate::world::{Service, fail, meet};

/// The services `shop` and `bank`, and each way into the first. Providers and subscribers stay as long as it does.
struct Ways {
    shop: Service,
    bank: Service,
    layer: Dispatch,
    subscriber: Dispatch,
    sdk: SdkTracerProvider,
    api: TracerProvider,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Native,
    Layer,
    Subscriber,
    Sdk,
    Api,
}

const ALL: [Way; 5] = [Way::Native, Way::Layer, Way::Subscriber, Way::Sdk, Way::Api];

enum OpenSpan {
    Native(SpanGuard),
    Tracing(tracing::Span, Dispatch),
    Otel(Context),
}

impl Ways {
    fn new() -> Self {
        let bus = MemoryBus::new();
        let (shop, bank) = (Service::start("shop", &bus), Service::start("bank", &bus));
        meet(&[&shop, &bank]);
        Self {
            layer: Dispatch::new(tracing_subscriber::registry().with(shop.pipeline.layer())),
            subscriber: Dispatch::new(shop.pipeline.subscriber()),
            sdk: sdk::provider(&shop),
            api: TracerProvider::new(&shop.pipeline),
            shop,
            bank,
        }
    }

    /// Begins a local root of a trace that another service began.
    fn open(&self, way: Way, name: &'static str, id: TraceId) -> OpenSpan {
        let traced = |dispatch: &Dispatch| {
            let span = with_default(dispatch, || tracing::info_span!("", otel.name = name));
            span.set_parent(TraceContext::new(id, SpanId::new()).remote()).unwrap();
            OpenSpan::Tracing(span, dispatch.clone())
        };
        let caller = sdk::called(id);
        match way {
            Way::Native => OpenSpan::Native(self.shop.root(name, id)),
            Way::Layer => traced(&self.layer),
            Way::Subscriber => traced(&self.subscriber),
            Way::Sdk => {
                let span = self.sdk.tracer("shop").start_with_context(name, &caller);
                OpenSpan::Otel(caller.with_span(span))
            }
            Way::Api => {
                let span = self.api.tracer("shop").start_with_context(name, &caller);
                OpenSpan::Otel(caller.with_span(span))
            }
        }
    }

    /// A child of a span that came in by OpenTelemetry.
    fn child(&self, way: Way, parent: &OpenSpan, name: &'static str) -> OpenSpan {
        let OpenSpan::Otel(parent) = parent else { unreachable!("it came in another way") };
        OpenSpan::Otel(match way {
            Way::Sdk => parent.with_span(self.sdk.tracer("shop").start_with_context(name, parent)),
            _ => parent.with_span(self.api.tracer("shop").start_with_context(name, parent)),
        })
    }
}

impl OpenSpan {
    fn fail(&self) {
        match self {
            Self::Native(span) => fail(span),
            Self::Tracing(span, dispatch) => {
                with_default(dispatch, || span.in_scope(|| tracing::error!("it failed")));
            }
            Self::Otel(context) => context.span().set_status(Status::error("it failed")),
        }
    }

    fn end(self) {
        match self {
            Self::Native(span) => drop(span),
            Self::Tracing(span, dispatch) => with_default(&dispatch, || drop(span)),
            Self::Otel(context) => context.span().end(),
        }
    }
}

#[test]
fn by_every_way_a_part_is_kept_from_the_ring_and_while_it_runs_and_when_it_comes() {
    for way in ALL {
        let ways = Ways::new();
        let Ways { shop, bank, .. } = &ways;
        let (held, runs, comes) = (TraceId::new(), TraceId::new(), TraceId::new());
        ways.open(way, "held", held).end();
        let running = ways.open(way, "runs", runs);
        let before = shop.stats();
        [held, runs, comes].iter().for_each(|id| bank.keep(*id));
        shop.wait(|now| now.heard == before.heard + 3);
        running.end();
        ways.open(way, "comes", comes).end();
        assert_eq!(shop.exported(), [["comes"], ["held"], ["runs"]], "{way:?}");
        for kept in shop.memory.traces() {
            assert_eq!((kept.kept_by(), kept.threshold()), ("Errors of bank", None), "{way:?}");
        }
        assert_eq!(shop.stats().announced, before.announced, "{way:?}");
    }
}

#[test]
fn by_every_way_a_drop_on_purpose_is_beaten_by_a_person_alone() {
    for way in ALL {
        let ways = Ways::new();
        let Ways { shop, bank, .. } = &ways;
        let (gone, told, asked) = (TraceId::new(), TraceId::new(), TraceId::new());
        ways.open(way, "purpose gone", gone).end();
        let open = [told, asked].map(|id| ways.open(way, "purpose running", id));
        let before = shop.stats();
        [gone, told, asked].iter().for_each(|id| bank.keep(*id));
        shop.wait(|now| now.heard == before.heard + 3);
        assert_eq!(shop.pipeline.keep_as(asked, "a ticket"), KeepOutcome::WhenComplete);
        open.into_iter().for_each(OpenSpan::end);
        assert_eq!(shop.pipeline.keep(gone), KeepOutcome::DroppedOnPurpose, "{way:?}");
        assert_eq!(shop.exported(), [["purpose running"]], "{way:?}");
        assert_eq!(shop.memory.traces()[0].kept_by(), "a ticket", "{way:?}");
    }
}

#[test]
fn by_every_way_what_fails_is_announced() {
    for way in ALL {
        let ways = Ways::new();
        let Ways { shop, bank, .. } = &ways;
        let id = TraceId::new();
        drop(bank.root("held", id));
        let before = bank.stats();
        let failed = ways.open(way, "failed", id);
        failed.fail();
        failed.end();
        shop.pipeline.flush(PLENTY).unwrap();
        bank.wait(|now| now.kept_from_ring > before.kept_from_ring);
        assert_eq!(bank.exported(), [["held"]], "{way:?}");
        assert_eq!(bank.memory.traces()[0].kept_by(), "Errors of shop", "{way:?}");
    }
}

#[test]
fn spans_of_opentelemetry_that_were_open_when_their_part_was_dropped_follow() {
    for way in [Way::Sdk, Way::Api] {
        let ways = Ways::new();
        let Ways { shop, bank, .. } = &ways;
        let id = TraceId::new();
        let root = ways.open(way, "root", id);
        let straggler = ways.child(way, &root, "straggler");
        root.end();
        shop.clock.advance(RecordLimits::default().linger + Duration::from_secs(1));
        shop.pipeline.flush(PLENTY).unwrap();
        let before = shop.stats();
        bank.keep(id);
        shop.wait(|now| now.kept_from_ring > before.kept_from_ring);
        straggler.end();
        assert_eq!(shop.exported(), [["root"], ["straggler"]], "{way:?}");
        assert_eq!(shop.memory.traces()[1].kept_by(), "Errors of bank", "{way:?}");
    }
}
