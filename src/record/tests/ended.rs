//! What is written to a span that has ended.

use super::*;
use crate::ledger::Reason;
use crate::model::{LogLevel, TagRef};
use crate::trace::ErrorDetails;

fn write_to(span: &ActiveSpan) {
    span.set_tag("key".into(), TagRef::I64(1));
    span.log(LogLevel::Error, "after", vec![("key".into(), 1.into())]);
    span.set_error(&ErrorDetails::of(&std::io::Error::other("after"), 100));
    span.set_status(Status::error("after"));
    span.write(|span| {
        span.set_name("after");
    });
    span.finish(None);
}

#[test]
fn a_span_that_has_ended_is_not_changed() {
    let bench = Bench::new(RecordLimits::default(), |_| Verdict::keep());
    let root = bench.start("root");
    let span = root.child("span".into());
    let context = span.context();
    span.finish(None);
    write_to(&span);
    assert_eq!(span.context(), context);
    drop((span, root));
    let traces = lock(&bench.exported);
    let span = traces[0].spans().find(|span| span.operation_name() == "span").unwrap();
    assert_eq!((span.tags().count(), span.logs().count(), span.is_error()), (0, 0, false));
}

#[test]
fn a_span_over_the_limit_that_has_ended_is_not_put_on_record() {
    let limits = RecordLimits::default().with_spans_per_trace(1);
    let bench = Bench::keeping_errors(limits);
    let root = bench.start("root");
    fail(&root);
    let ended = root.child("ended".into());
    let open = root.child("open".into());
    ended.finish(None);
    write_to(&ended);
    drop((ended, root));
    assert_eq!(bench.stats().live, 2, "one span is still open");
    drop(open);
    assert_eq!(bench.exported(), [["root"]]);
    assert_eq!(bench.stats().dropped_by(Reason::SpansPerTrace), 2);
}
