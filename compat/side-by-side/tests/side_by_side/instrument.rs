//! `#[instrument]`.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use tailtrace_side_by_side::{Sides, Value};
use tracing::{Instrument as _, info, info_span, instrument};

#[instrument(fields(otel.kind = "client", late = tracing::field::Empty))]
fn plain(number: i32, text: &str, list: &[i32]) {
    tracing::Span::current().record("late", true);
    info!("inside");
    skipping(String::new());
}

#[instrument(name = "renamed", level = "debug", target = "elsewhere", skip(_secret))]
fn skipping(_secret: String) {}

#[test]
fn arguments_are_fields() {
    let same = Sides::of(|_| plain(1, "text", &[1, 2])).same();
    assert_eq!(same[0].keys()[6..10], ["number", "text", "list", "late"]);
    assert_eq!(same[0].tag("number"), Some(&Value::I64(1)));
    assert_eq!(same[0].tag("list"), Some(&Value::text("[1, 2]")));
    assert_eq!((&*same[0].kind, &*same[0].log().name), ("client", "inside"));
    assert_eq!((&*same[1].name, same[1].parent.as_deref()), ("renamed", Some("plain")));
    assert_eq!(same[1].tag("target"), Some(&Value::text("elsewhere")));
}

#[instrument(err)]
fn fails(fail: bool) -> Result<(), std::num::ParseIntError> {
    if fail { "x".parse::<i32>().map(drop) } else { Ok(()) }
}

#[test]
fn an_error_that_is_returned_is_an_exception_and_fails_the_span() {
    let same = Sides::of(|_| assert!(fails(true).is_err())).same_in_any_order();
    let text = "invalid digit found in string";
    assert_eq!(same[0].status, format!("error: {text}"));
    assert_eq!(same[0].log().name, "exception");
    assert_eq!(same[0].log().field("exception.message"), Some(&Value::text(text)));
    let same = Sides::of(|_| assert!(fails(false).is_ok())).same();
    assert_eq!((&*same[0].status, same[0].logs.len()), ("unset", 0));
}

#[instrument(err(Debug, level = "info"))]
fn fails_with_debug() -> Result<(), std::fmt::Error> {
    Err(std::fmt::Error)
}

#[test]
fn an_error_that_is_returned_fails_the_span_at_any_level() {
    let same = Sides::of(|_| assert!(fails_with_debug().is_err())).same_in_any_order();
    assert_eq!((&*same[0].status, &*same[0].log().name), ("error: Error", "exception"));
}

#[instrument(ret)]
fn returns(number: i32) -> i32 {
    number + 1
}

#[instrument(ret, err)]
fn returns_or_fails() -> Result<&'static str, std::fmt::Error> {
    Ok("fine")
}

#[test]
fn what_is_returned_is_an_event() {
    let same = Sides::of(|_| {
        returns(1);
        returns_or_fails().unwrap();
    });
    let same = same.same();
    assert_eq!(same[0].log().field("return"), Some(&Value::text("2")));
    assert!(same[0].log().name.starts_with("event "), "{}", same[0].log().name);
    assert_eq!(same[1].log().field("return"), Some(&Value::text("\"fine\"")));
    assert_eq!(same[1].status, "unset");
}

/// Polls until it is ready.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

/// Not ready the first time.
async fn yield_once() {
    let mut first = true;
    std::future::poll_fn(
        |_| {
            if std::mem::take(&mut first) { Poll::Pending } else { Poll::Ready(()) }
        },
    )
    .await;
}

#[instrument(err)]
async fn asynchronous(depth: i32) -> Result<(), std::fmt::Error> {
    yield_once().await;
    info!("woken");
    let inner = async {
        yield_once().await;
        drop(info_span!("leaf"));
    };
    inner.instrument(info_span!("inner")).await;
    Err(std::fmt::Error)
}

#[test]
fn futures_are_entered_each_time_they_are_polled() {
    let same = Sides::of(|_| assert!(block_on(asynchronous(1)).is_err())).same_in_any_order();
    let parents: Vec<_> =
        same.iter().map(|span| (span.name.as_str(), span.parent.as_deref())).collect();
    assert_eq!(
        parents,
        [("asynchronous", None), ("inner", Some("asynchronous")), ("leaf", Some("inner"))]
    );
    assert_eq!(
        same[0].logs.iter().map(|log| &*log.name).collect::<Vec<_>>(),
        ["woken", "exception"]
    );
}
