//! What happens to a long trace while a part of it is decided on another thread.

use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use tailtrace::time::ManualClock;
use tailtrace::{InMemoryExporter, Pipeline, TailPolicy, TraceView, Verdict};

use super::support::{PLENTY, exported, pipeline, settled};

const MINUTE: Duration = Duration::from_secs(60);

fn start(tail: impl TailPolicy + 'static) -> (Pipeline, ManualClock, InMemoryExporter) {
    let (builder, clock, memory) = pipeline();
    (builder.with_tail(tail).start().unwrap(), clock, memory)
}

/// A tail that says when it is asked about a message, and waits for the answer.
fn asking() -> (impl TailPolicy, Receiver<()>, Sender<Verdict>) {
    let (asks, asked) = mpsc::channel();
    let (answer, answers) = mpsc::channel();
    let (asks, answers) = (Mutex::new(asks), Mutex::new(answers));
    let tail = move |trace: &TraceView<'_>| {
        if trace.root().is_none_or(|root| root.operation_name() != "message") {
            return Verdict::pass();
        }
        asks.lock().unwrap().send(()).unwrap();
        answers.lock().unwrap().recv().unwrap()
    };
    (tail, asked, answer)
}

#[test]
fn what_ends_while_a_part_below_it_is_decided_elsewhere_waits_for_that() {
    for ends_all in [true, false] {
        let (tail, asked, answer) = asking();
        let (pipeline, clock, memory) = start(tail);
        let main = pipeline.tracer().start_span("main");
        let consumer = main.child("consumer");
        clock.advance(MINUTE);
        pipeline.flush(PLENTY).unwrap();
        let message = consumer.child("message");
        let main = thread::scope(|scope| {
            scope.spawn(|| drop(message));
            asked.recv().unwrap();
            drop(consumer);
            let main = (!ends_all).then_some(main);
            answer.send(Verdict::keep()).unwrap();
            main
        });
        pipeline.flush(PLENTY).unwrap();
        let rest = if ends_all { vec!["main", "consumer"] } else { vec!["consumer"] };
        assert_eq!(exported(&memory), [rest, vec!["message"]]);
        drop(main);
        pipeline.flush(PLENTY).unwrap();
        assert_eq!(exported(&memory).concat().len(), 3);
        assert_eq!(settled(&pipeline).live, 0);
    }
}

#[test]
fn a_late_span_of_a_part_that_is_decided_elsewhere_follows_it() {
    let (tail, asked, answer) = asking();
    let (pipeline, clock, memory) = start(tail);
    let root = pipeline.tracer().start_span("loop");
    clock.advance(MINUTE);
    pipeline.flush(PLENTY).unwrap();
    let message = root.child("message");
    let context = message.context();
    thread::scope(|scope| {
        scope.spawn(|| drop(message));
        asked.recv().unwrap();
        drop(pipeline.tracer().start_span_with_context("late", &context));
        answer.send(Verdict::keep()).unwrap();
    });
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["late"], ["message"]]);
    drop(root);
    settled(&pipeline);
}
