//! Futures that move between threads.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context as Poll, Waker};
use std::thread;

use opentelemetry::Context;
use opentelemetry::trace::{FutureExt, TraceContextExt, Tracer as _};
use tailtrace::otel::Tracer;
use tokio::task::yield_now;
use tracing::{Dispatch, Instrument, dispatcher, info_span};

use super::world::{assert_nothing_is_current, trace};

/// A request whose steps are traced by both.
async fn handle(tracer: Tracer) {
    for _ in 0..2 {
        yield_now().await;
        let here = Context::current().span().span_context().span_id();
        let client = Context::current_with_span(tracer.start("client"));
        async {
            yield_now().await;
            async { yield_now().await }.instrument(info_span!("encode")).await;
        }
        .with_context(client)
        .await;
        assert_eq!(Context::current().span().span_context().span_id(), here);
    }
}

const TREE: &str = "\
request
├─ client
│  └─ encode
└─ client
   └─ encode";

#[test]
fn each_poll_enters_and_leaves_on_whichever_thread_it_runs() {
    let outcome = trace(|tracer| {
        let dispatch = dispatcher::get_default(Dispatch::clone);
        let mut future = Box::pin(handle(tracer.clone()).instrument(info_span!("request")));
        // Every poll on a thread of its own.
        loop {
            let polled = thread::scope(|scope| {
                let poll = || {
                    let polled = dispatcher::with_default(&dispatch, || {
                        future.as_mut().poll(&mut Poll::from_waker(Waker::noop()))
                    });
                    assert_nothing_is_current();
                    polled
                };
                scope.spawn(poll).join().unwrap()
            });
            if polled.is_ready() {
                break;
            }
        }
        drop(future);
    });
    assert_eq!(outcome.trees(), TREE);
}

#[test]
fn requests_that_share_threads_do_not_mix() {
    let outcome = trace(|tracer| {
        let dispatch = dispatcher::get_default(Dispatch::clone);
        let entering = dispatch.clone();
        // `with_default` is for one thread; workers get it when they start.
        let guards = Arc::new(Mutex::new(0));
        let counting = Arc::clone(&guards);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(4)
            .on_thread_start(move || {
                *counting.lock().unwrap() += 1;
                // For the thread's life.
                std::mem::forget(dispatcher::set_default(&entering));
            })
            .build()
            .unwrap();
        let all: Vec<_> = (0..50)
            .map(|_| {
                let request = dispatcher::with_default(&dispatch, || info_span!("request"));
                runtime.spawn(handle(tracer.clone()).instrument(request))
            })
            .collect();
        runtime.block_on(async {
            for request in all {
                request.await.unwrap();
            }
        });
        drop(runtime);
        assert!(*guards.lock().unwrap() >= 1);
    });
    assert_eq!(outcome.traces.len(), 50);
    for trace in &outcome.traces {
        assert_eq!(tailtrace::testing::tree(trace), TREE);
    }
}

#[test]
fn a_future_that_is_dropped_half_way_leaves_nothing_current() {
    let outcome = trace(|tracer| {
        {
            let mut future = pin!(handle(tracer.clone()).instrument(info_span!("request")));
            for _ in 0..2 {
                assert!(future.as_mut().poll(&mut Poll::from_waker(Waker::noop())).is_pending());
            }
        }
        assert_nothing_is_current();
    });
    assert_eq!(outcome.trees(), "request\n└─ client");
}
