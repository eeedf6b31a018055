//! `set_error` on errors of every sort.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tailtrace::model::TagRef;
use tailtrace::{AlwaysOff, InMemoryExporter, LogLevel, Status, TagValue, Trace, Tracer};

use super::{only, tracer};

/// An error that says something and may have a cause.
#[derive(Debug)]
struct Failure {
    text: String,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}

fn failure(text: &str) -> Failure {
    Failure { text: text.to_owned(), cause: None }
}

fn chain(texts: &[&str]) -> Failure {
    let mut failure = failure(texts[0]);
    failure.cause = texts.get(1).map(|_| Box::new(chain(&texts[1..])).into());
    failure
}

/// A trace of one span with this error.
fn traced<E: Error + ?Sized>(error: &E) -> Trace {
    let (tracer, memory) = tracer();
    let span = tracer.start_span("span");
    span.set_error(error);
    drop(span);
    only(&tracer, &memory)
}

fn field(trace: &Trace, key: &str) -> Option<TagValue> {
    let root = trace.root().unwrap();
    let log = root.logs().next().unwrap();
    assert_eq!((log.level(), log.message()), (LogLevel::Error, "exception"));
    log.fields().find(|(known, _)| *known == key).map(|(_, value)| value.to_value())
}

#[test]
fn an_error_becomes_the_status_and_a_log_entry_with_its_type() {
    let trace = traced(&failure("card declined"));
    assert!(trace.has_errors());
    assert_eq!(trace.root().unwrap().status(), Status::error("card declined"));
    assert_eq!(field(&trace, "exception.message"), Some("card declined".into()));
    let kind = field(&trace, "exception.type").unwrap().to_string();
    assert!(kind.ends_with("Failure"), "{kind}");
    assert_eq!(field(&trace, "exception.causes"), None);
}

#[test]
fn its_causes_are_told_the_nearest_first() {
    let trace = traced(&chain(&["order failed", "payment failed", "timed out"]));
    let causes = TagValue::from(vec!["payment failed", "timed out"]);
    assert_eq!(field(&trace, "exception.causes"), Some(causes));
}

#[test]
fn an_endless_chain_of_causes_is_told_in_part() {
    #[derive(Debug)]
    struct Endless;
    impl fmt::Display for Endless {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("again")
        }
    }
    impl Error for Endless {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&Endless)
        }
    }
    let trace = traced(&Endless);
    let Some(TagValue::StringArray(causes)) = field(&trace, "exception.causes") else {
        panic!("there are causes");
    };
    assert!((1..=16).contains(&causes.len()), "{}", causes.len());
}

#[test]
fn an_error_behind_a_pointer_has_no_type_to_tell() {
    let boxed: Box<dyn Error + Send + Sync> = Box::new(failure("boxed"));
    let trace = traced(&*boxed);
    assert_eq!(field(&trace, "exception.message"), Some("boxed".into()));
    assert_eq!(field(&trace, "exception.type"), None);
}

#[test]
fn a_panicking_display_is_told_and_survived() {
    #[derive(Debug)]
    struct Panics;
    impl fmt::Display for Panics {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("no words")
        }
    }
    impl Error for Panics {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            panic!("no cause")
        }
    }
    let trace = traced(&Panics);
    assert!(trace.has_errors());
    let told = field(&trace, "exception.message").unwrap().to_string();
    assert!(told.contains("panicked"), "{told}");
}

#[test]
fn a_huge_text_is_stopped_at_the_length_limit() {
    /// Would write without end.
    #[derive(Debug)]
    struct Huge(AtomicU32);
    impl fmt::Display for Huge {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            loop {
                self.0.fetch_add(1, Ordering::Relaxed);
                f.write_str("🦀 0123456789")?;
            }
        }
    }
    impl Error for Huge {}
    let huge = Huge(AtomicU32::new(0));
    let trace = traced(&huge);
    let root = trace.root().unwrap();
    let text = root.status_description();
    assert!(text.len() <= 16 * 1024 && text.len() > 16 * 1024 - 4, "{}", text.len());
    assert!(huge.0.load(Ordering::Relaxed) < 4_000);
}

#[test]
fn a_span_that_is_not_recorded_costs_no_display() {
    #[derive(Debug, Clone)]
    struct Counted(Arc<AtomicU32>);
    impl fmt::Display for Counted {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.fetch_add(1, Ordering::Relaxed);
            f.write_str("counted")
        }
    }
    impl Error for Counted {}
    let counted = Counted(Arc::default());
    let off = Tracer::new("test", AlwaysOff, InMemoryExporter::new());
    let span = off.start_span("span");
    span.set_error(&counted);
    span.child("child").set_error(&counted);
    assert_eq!(counted.0.load(Ordering::Relaxed), 0);
    traced(&counted);
    assert!(counted.0.load(Ordering::Relaxed) > 0);
}

#[test]
fn an_error_whose_display_traces_does_not_deadlock() {
    struct Traces<'s>(&'s tailtrace::SpanGuard);
    impl fmt::Debug for Traces<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Traces")
        }
    }
    impl fmt::Display for Traces<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.set_tag("displayed", true);
            drop(self.0.child("while displaying"));
            f.write_str("traces")
        }
    }
    impl Error for Traces<'_> {}
    let (tracer, memory) = tracer();
    let span = tracer.start_span("span");
    span.set_error(&Traces(&span));
    drop(span);
    let trace = only(&tracer, &memory);
    assert_eq!(trace.root().unwrap().tag("displayed"), Some(TagRef::Bool(true)));
    assert!(trace.span_count() > 1);
}

#[test]
fn several_errors_leave_the_last_status_and_every_entry() {
    let (tracer, memory) = tracer();
    let span = tracer.start_span("span");
    span.set_error(&failure("first"));
    span.set_error(&failure("second"));
    drop(span);
    let trace = only(&tracer, &memory);
    let root = trace.root().unwrap();
    assert_eq!((root.status(), root.logs().count()), (Status::error("second"), 2));
}

#[test]
fn an_error_is_told_even_when_the_log_is_full() {
    let (tracer, memory) = tracer();
    let span = tracer.start_span("span");
    for _ in 0..200 {
        span.log(LogLevel::Info, "chatter");
    }
    span.set_error(&failure("at last"));
    drop(span);
    let trace = only(&tracer, &memory);
    let root = trace.root().unwrap();
    let last = root.logs().last().unwrap();
    assert_eq!((root.logs().count(), last.message()), (128, "exception"));
    assert_eq!(last.fields().count(), 2);
    assert_eq!(root.dropped_logs(), 73);
}
