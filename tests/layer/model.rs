//! Random programs against a naive model: who is whose parent, what each span was expected last, who logged
//! what.

use crate::way;
use std::collections::BTreeMap;

use proptest::prelude::*;

use super::program::{
    Adopts, KEYS, Parent, Step, THREADS, Threads, Under, What, adopt, enter, exit, open, remote,
    say, steps,
};
use super::support::{Outcome, Run, keeping};
use tailtrace::model::TagRef;
use tailtrace::{SpanId, TraceSpanExt};
use tracing::{Span, span};

/// What a span should turn out to be.
#[derive(Default)]
struct ExpectedSpan {
    parent: Option<ExpectedParent>,
    /// The span that the registry takes for its parent, which cannot close before it.
    holds: Option<usize>,
    /// Whether its parent is final: it has children, or its ids were read.
    is_settled: bool,
    is_held: bool,
    tags: BTreeMap<usize, i64>,
    logs: Vec<String>,
    links: usize,
    failed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum ExpectedParent {
    Span(usize),
    Remote(u64),
}

struct Harness {
    threads: Threads,
    run: Run,
    spans: Vec<(Option<Span>, span::Id)>,
    expected: Vec<ExpectedSpan>,
    /// The spans that each thread entered and has not exited.
    entered: [Vec<usize>; THREADS],
    messages: usize,
}

impl Harness {
    fn new() -> Self {
        let run = Run::start(keeping(), |pipeline| way::under(way::plain(pipeline)));
        let threads = Threads::start(&run.dispatch);
        Self {
            threads,
            run,
            spans: Vec::new(),
            expected: Vec::new(),
            entered: Default::default(),
            messages: 0,
        }
    }

    /// A span of which the program holds a handle.
    fn pick(&self, which: usize) -> Option<usize> {
        let held: Vec<_> =
            (0..self.expected.len()).filter(|span| self.expected[*span].is_held).collect();
        (!held.is_empty()).then(|| held[which % held.len()])
    }

    fn handle(&self, span: usize) -> Span {
        self.spans[span].0.clone().unwrap()
    }

    /// Whether it is open: the program holds it, or where parents wait, a child of it is open.
    fn is_open(&self, span: usize) -> bool {
        let below = |child: usize| self.expected[child].holds == Some(span) && self.is_open(child);
        self.expected[span].is_held
            || way::PARENTS_WAIT && (span + 1..self.expected.len()).any(below)
    }

    /// The innermost open span that a thread is inside of.
    fn current(&self, thread: usize) -> Option<usize> {
        self.entered[thread].iter().rev().copied().find(|span| self.is_open(*span))
    }

    /// The same as the registry sees it: a span that is entered again stays where it was.
    fn current_of_registry(&self, thread: usize) -> Option<usize> {
        let inside = &self.entered[thread];
        let first = |at: usize| !inside[..at].contains(&inside[at]);
        let innermost = (0..inside.len()).rev().find(|at| first(*at)).map(|at| inside[at]);
        innermost.filter(|span| self.is_open(*span))
    }

    fn under(&self, thread: usize, under: Under) -> (Parent, Option<usize>, Option<usize>) {
        let named = match under {
            Under::Current => {
                let current = self.current(thread);
                return (Parent::Current, current, self.current_of_registry(thread));
            }
            Under::Nothing => None,
            Under::Span(which) => self.pick(which),
        };
        let parent = named.map_or(Parent::Nothing, |span| Parent::Span(self.handle(span)));
        (parent, named, named)
    }

    fn step(&mut self, Step { thread, what }: Step) -> Option<()> {
        match what {
            What::Open(under) => {
                let (parent, above, holds) = self.under(thread, under);
                let name = format!("s{}", self.expected.len());
                let span = self.threads.on(thread, move || open(name, parent));
                if let Some(above) = above {
                    self.expected[above].is_settled = true;
                }
                let parent = above.map(ExpectedParent::Span);
                self.expected.push(ExpectedSpan {
                    parent,
                    holds,
                    is_held: true,
                    ..ExpectedSpan::default()
                });
                let id = span.id().unwrap();
                self.spans.push((Some(span), id));
            }
            What::Enter(which) => {
                let span = self.pick(which)?;
                self.entered[thread].push(span);
                let (dispatch, id) = (self.run.dispatch.clone(), self.spans[span].1.clone());
                self.threads.on(thread, move || enter(&dispatch, &id));
            }
            What::Exit(which) => {
                let count = self.entered[thread].len().max(1);
                let span = *self.entered[thread].get(which % count)?;
                self.leave(thread, span);
            }
            What::Close(which) => {
                let span = self.pick(which)?;
                self.close(thread, span);
            }
            What::Record(which, key, value) => {
                let span = self.pick(which)?;
                self.expected[span].tags.insert(key, value);
                let handle = self.handle(span);
                self.threads.on(thread, move || {
                    handle.record(KEYS[key], value);
                });
            }
            What::Event(under, fails) => {
                let (parent, to, _) = self.under(thread, under);
                let message = format!("event {}", self.messages);
                self.messages += 1;
                if let Some(to) = to {
                    self.expected[to].logs.push(message.clone());
                    self.expected[to].failed |= fails;
                }
                self.threads.on(thread, move || say(&message, parent, fails));
            }
            What::SetParent(which, adopts) => {
                let span = self.pick(which)?;
                self.set_parent(thread, span, adopts);
            }
            What::Follow(which, other) => {
                let (span, other) = (self.pick(which)?, self.pick(other)?);
                self.expected[other].is_settled = true;
                self.expected[span].links += 1;
                let (handle, other) = (self.handle(span), self.handle(other));
                self.threads.on(thread, move || {
                    handle.follows_from(&other);
                });
            }
            What::ReadContext(which) => {
                let span = self.pick(which)?;
                self.expected[span].is_settled = true;
                let handle = self.handle(span);
                assert!(self.threads.on(thread, move || handle.context()).is_some());
            }
        }
        Some(())
    }

    fn set_parent(&mut self, thread: usize, span: usize, adopts: Adopts) {
        let (above, context) = match adopts {
            Adopts::Span(which) => {
                let Some(other) = self.pick(which) else { return };
                self.expected[other].is_settled = true;
                (ExpectedParent::Span(other), self.handle(other).context().unwrap())
            }
            Adopts::Remote(number) => (ExpectedParent::Remote(number), remote(number)),
        };
        let handle = self.handle(span);
        let adopted = self.threads.on(thread, move || adopt(&handle, &context));
        assert_eq!(adopted, !self.expected[span].is_settled, "s{span}");
        if adopted {
            self.expected[span].parent = Some(above);
        } else {
            self.expected[span].links += 1;
        }
    }

    fn leave(&mut self, thread: usize, span: usize) {
        let at = self.entered[thread].iter().rposition(|inside| *inside == span).unwrap();
        self.entered[thread].remove(at);
        let (dispatch, id) = (self.run.dispatch.clone(), self.spans[span].1.clone());
        self.threads.on(thread, move || exit(&dispatch, &id));
    }

    fn close(&mut self, thread: usize, span: usize) {
        self.expected[span].is_held = false;
        let handle = self.spans[span].0.take();
        self.threads.on(thread, move || drop(handle));
    }

    /// Closes what is open; what arrived, and what should have.
    fn end(mut self) -> (Outcome, Vec<ExpectedSpan>) {
        while let Some(span) = self.pick(0) {
            self.close(0, span);
        }
        for thread in 0..THREADS {
            while let Some(span) = self.entered[thread].last() {
                self.leave(thread, *span);
            }
        }
        self.threads.end();
        (self.run.end(), self.expected)
    }
}

fn check(outcome: &Outcome, expected: &[ExpectedSpan]) {
    assert_eq!(outcome.stats.started, expected.len() as u64, "{}", outcome.stats);
    assert_eq!(outcome.stats.exported, expected.len() as u64, "{}", outcome.stats);
    assert_eq!(outcome.stats.late, 0);
    for (number, expected) in expected.iter().enumerate() {
        let name = format!("s{number}");
        let span = outcome.span(&name);
        let (parent, trace) = match expected.parent {
            None => (None, None),
            Some(ExpectedParent::Remote(number)) => {
                (SpanId::from_bits(number), Some(remote(number).trace_id))
            }
            Some(ExpectedParent::Span(above)) => {
                let above = outcome.span(&format!("s{above}"));
                (Some(above.span_id()), Some(above.trace_id()))
            }
        };
        assert_eq!(span.parent_span_id(), parent, "parent of {name}: {:?}", expected.parent);
        assert!(trace.is_none_or(|trace| trace == span.trace_id()), "trace of {name}");
        let tags = |key: &str| span.tag(key);
        for (key, name) in KEYS.iter().enumerate() {
            assert_eq!(
                tags(name),
                expected.tags.get(&key).map(|value| TagRef::I64(*value)),
                "{name}"
            );
        }
        assert_eq!(outcome.logs(&name), expected.logs, "logs of {name}");
        assert_eq!(span.links().count(), expected.links, "links of {name}");
        assert_eq!(span.is_error(), expected.failed, "status of {name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_program_leaves_what_a_naive_model_says(steps in steps()) {
        let mut machine = Harness::new();
        for step in steps {
            machine.step(step);
        }
        let (outcome, expected) = machine.end();
        check(&outcome, &expected);
    }
}
