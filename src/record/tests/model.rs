//! Random programs against a naive model, which has no buffers, shards or pools.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::model::TraceId;
use crate::time::Tick;

#[derive(Clone, Debug)]
enum Step {
    Root,
    Child(usize),
    /// A child by the parent's context, as it is made on another thread.
    ChildOfContext(usize),
    Fail(usize),
    Finish(usize),
    Advance(u64),
    Keep(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let which = 0..1_000_usize;
    let step = prop_oneof![
        2 => Just(Step::Root),
        4 => which.clone().prop_map(Step::Child),
        2 => which.clone().prop_map(Step::ChildOfContext),
        1 => which.clone().prop_map(Step::Fail),
        6 => which.clone().prop_map(Step::Finish),
        1 => (0..12_u64).prop_map(Step::Advance),
        1 => which.prop_map(Step::Keep),
    ];
    prop::collection::vec(step, 0..120)
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Undecided,
    Kept,
    Dropped,
}

/// A local trace as a person would keep book of it.
#[derive(Debug)]
struct Book {
    id: TraceId,
    fate: Fate,
    open: BTreeSet<usize>,
    ended: BTreeSet<usize>,
    root: usize,
    root_ended: Option<Tick>,
    is_asked: bool,
    /// Dropped spans that can still be kept.
    held: BTreeSet<usize>,
}

#[derive(Debug, Default)]
struct Model {
    books: Vec<Book>,
    trace_of: BTreeMap<usize, usize>,
    failed: BTreeSet<usize>,
    exported: BTreeSet<usize>,
    /// Spans that have no record: their trace was dropped before they ended.
    unrecorded: BTreeSet<usize>,
}

impl Model {
    fn start(&mut self, span: usize, book: usize) {
        self.trace_of.insert(span, book);
        match self.books[book].fate {
            Fate::Dropped => {
                self.unrecorded.insert(span);
            }
            _ => {
                self.books[book].open.insert(span);
            }
        }
    }

    fn fail(&mut self, span: usize) {
        if self.books[self.trace_of[&span]].open.contains(&span) {
            self.failed.insert(span);
        }
    }

    fn finish(&mut self, span: usize, now: Tick) {
        let index = self.trace_of[&span];
        let book = &mut self.books[index];
        if !book.open.remove(&span) {
            return;
        }
        book.ended.insert(span);
        if span == book.root {
            book.root_ended = Some(now);
        }
        if book.open.is_empty() {
            self.settle(index);
        }
    }

    fn settle(&mut self, index: usize) {
        let book = &mut self.books[index];
        if book.fate == Fate::Undecided {
            let is_kept = book.is_asked || book.ended.iter().any(|span| self.failed.contains(span));
            book.fate = if is_kept { Fate::Kept } else { Fate::Dropped };
        }
        if book.fate == Fate::Kept {
            self.exported.append(&mut book.ended);
        } else {
            book.held.append(&mut book.ended);
            self.unrecorded.append(&mut book.open);
        }
    }

    fn poll(&mut self, now: Tick, linger: Duration) {
        for index in 0..self.books.len() {
            let book = &self.books[index];
            let is_due = book.root_ended.is_some_and(|end| end.after(linger) <= now);
            if is_due && book.fate == Fate::Undecided {
                self.settle(index);
            }
        }
    }

    fn keep(&mut self, id: TraceId) {
        for book in self.books.iter_mut().filter(|book| book.id == id) {
            self.exported.append(&mut book.held);
            book.is_asked |= !book.open.is_empty();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_exported_is_what_the_model_says(steps in steps()) {
        let limits = RecordLimits { ring_age: Duration::from_secs(3_600), ..RecordLimits::default() };
        let bench = Bench::keeping_errors(limits);
        let mut model = Model::default();
        let mut spans: Vec<ActiveSpan> = Vec::new();
        for step in steps {
            let now = bench.clock.clock().now();
            let pick = |which: usize| (!spans.is_empty()).then(|| which % spans.len());
            match step {
                Step::Root => {
                    let (span, name) = (spans.len(), spans.len().to_string());
                    spans.push(bench.start(name));
                    model.books.push(Book {
                        id: spans[span].context().trace_id,
                        fate: Fate::Undecided,
                        open: BTreeSet::new(),
                        ended: BTreeSet::new(),
                        root: span,
                        root_ended: None,
                        is_asked: false,
                        held: BTreeSet::new(),
                    });
                    model.start(span, model.books.len() - 1);
                }
                Step::Child(which) | Step::ChildOfContext(which) => {
                    let Some(parent) = pick(which) else { continue };
                    let (span, name) = (spans.len(), spans.len().to_string());
                    let by_context = matches!(step, Step::ChildOfContext(_));
                    // By context, what was refused cannot be told from a foreign trace.
                    if by_context && !spans[parent].is_recording() {
                        continue;
                    }
                    let context = spans[parent].context();
                    let child = if by_context {
                        bench.recorder.start(SpanStart::under(name.into(), &context))
                    } else {
                        spans[parent].child(name.into())
                    };
                    prop_assert_eq!(child.context().trace_id, context.trace_id);
                    spans.push(child);
                    model.start(span, model.trace_of[&parent]);
                }
                Step::Fail(which) => {
                    let Some(span) = pick(which) else { continue };
                    fail(&spans[span]);
                    model.fail(span);
                }
                Step::Finish(which) => {
                    let Some(span) = pick(which) else { continue };
                    spans[span].finish(None);
                    model.finish(span, now);
                }
                Step::Advance(seconds) => {
                    bench.clock.advance(Duration::from_secs(seconds));
                    bench.poll();
                    model.poll(bench.clock.clock().now(), limits.linger);
                }
                Step::Keep(which) => {
                    let Some(span) = pick(which) else { continue };
                    let id = spans[span].context().trace_id;
                    bench.recorder.keep(id);
                    model.keep(id);
                }
            }
            let stats = bench.recorder.stats();
            prop_assert!(stats.balances(), "{}", stats);
        }
        let (total, now) = (spans.len(), bench.clock.clock().now());
        for (span, guard) in spans.into_iter().enumerate() {
            drop(guard);
            model.finish(span, now);
        }
        let exported: BTreeSet<usize> =
            bench.exported().concat().iter().map(|name| name.parse().unwrap()).collect();
        prop_assert_eq!(&exported, &model.exported);
        let stats = bench.recorder.stats();
        prop_assert!(stats.balances(), "{}", stats);
        prop_assert_eq!((stats.started, stats.live), (total as u64, 0));
        prop_assert_eq!(stats.exported, exported.len() as u64, "no span was exported twice");
    }

    #[test]
    fn no_limit_is_exceeded_and_no_span_unaccounted_for(
        steps in steps(),
        live_traces in 1..6_usize,
        spans_per_trace in 1..6_u32,
        live_bytes in 500..4_000_usize,
    ) {
        let limits = RecordLimits { live_traces, spans_per_trace, live_bytes, ..RecordLimits::default() };
        let bench = Bench::keeping_errors(limits);
        let mut spans: Vec<ActiveSpan> = Vec::new();
        for step in steps {
            let pick = |which: usize| spans.get(which % spans.len().max(1));
            let started = match step {
                Step::Root => Some(bench.start("root")),
                Step::Child(which) => pick(which).map(|parent| parent.child("child".into())),
                Step::ChildOfContext(which) => pick(which).map(|parent| {
                    bench.recorder.start(SpanStart::under("child".into(), &parent.context()))
                }),
                Step::Fail(which) => pick(which).and_then(|span| { fail(span); None }),
                Step::Finish(which) => pick(which).and_then(|span| { span.finish(None); None }),
                Step::Advance(seconds) => {
                    bench.clock.advance(Duration::from_secs(seconds));
                    bench.poll();
                    None
                }
                Step::Keep(_) => None,
            };
            spans.extend(started);
            prop_assert!(bench.recorder.traces.count() <= live_traces);
            let stats = bench.recorder.stats();
            prop_assert!(stats.balances(), "{}", stats);
        }
        let total = spans.len() as u64;
        drop(spans);
        let stats = bench.recorder.stats();
        prop_assert!(stats.balances(), "{}", stats);
        prop_assert_eq!((stats.started, stats.live), (total, 0));
        let most = spans_per_trace + (spans_per_trace / 8).max(1);
        for trace in lock(&bench.exported).iter() {
            prop_assert!(trace.span_count() <= most as usize);
        }
    }
}
