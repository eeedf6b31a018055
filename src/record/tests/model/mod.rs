//! Random programs against the table of states and events in the chapter `record` of the manual.

mod bounds;
mod rows;
mod table;

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use self::rows::{Head, Request};
use self::table::StateTable;
use super::*;
use crate::ledger::Reason;
use crate::model::Incoming;

#[derive(Clone, Debug)]
enum Step {
    Root(Head),
    Child(usize),
    /// A child by the parent's context, as it is made on another thread.
    ChildOfContext(usize),
    Draft,
    FailDraft(usize),
    /// Settles a draft as a root.
    SettleDraft(usize),
    /// Settles a draft under a parent.
    JoinDraft(usize, usize),
    Fail(usize),
    Finish(usize),
    Advance(u64),
    Keep(usize),
    /// A request that a notice of another service makes.
    Notice(usize),
    /// What is open and failed is sent, or all that is open.
    SendOpen(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let which = 0..1_000_usize;
    let head =
        prop_oneof![4 => Just(Head::Tail), 1 => Just(Head::Sample), 1 => Just(Head::OnPurpose)];
    let step = prop_oneof![
        2 => head.prop_map(Step::Root),
        4 => which.clone().prop_map(Step::Child),
        2 => which.clone().prop_map(Step::ChildOfContext),
        1 => Just(Step::Draft),
        1 => which.clone().prop_map(Step::FailDraft),
        1 => which.clone().prop_map(Step::SettleDraft),
        1 => (which.clone(), which.clone()).prop_map(|(draft, parent)| Step::JoinDraft(draft, parent)),
        1 => which.clone().prop_map(Step::Fail),
        6 => which.clone().prop_map(Step::Finish),
        1 => (0..12_u64).prop_map(Step::Advance),
        1 => which.clone().prop_map(Step::Keep),
        1 => which.prop_map(Step::Notice),
        1 => any::<bool>().prop_map(Step::SendOpen),
    ];
    prop::collection::vec(step, 0..120)
}

/// A recorder whose tail keeps errors, but drops on purpose what is named so.
fn bench(live_traces: usize) -> Bench {
    let limits = RecordLimits::default()
        .with_live_traces(live_traces)
        .with_part_age(Duration::from_secs(5))
        .with_ring_age(Duration::from_secs(3_600));
    Bench::new(limits, |trace| {
        if trace.root().is_some_and(|root| root.operation_name().starts_with("purpose")) {
            Verdict::drop()
        } else if trace.has_errors() {
            Verdict::keep()
        } else {
            Verdict::pass()
        }
    })
}

/// A recorder and the table beside it.
struct Pair {
    bench: Bench,
    table: StateTable,
    /// The spans and their numbers, which their names end with.
    spans: Vec<(usize, ActiveSpan)>,
    drafts: Vec<(usize, Draft)>,
    next: usize,
}

impl Pair {
    fn new(live_traces: usize) -> Self {
        let bench = bench(live_traces);
        let table = StateTable::new(&bench.recorder.limits);
        Self { bench, table, spans: Vec::new(), drafts: Vec::new(), next: 0 }
    }

    fn number(&mut self) -> usize {
        self.next += 1;
        self.next
    }

    fn pick(&self, which: usize) -> Option<usize> {
        (!self.spans.is_empty()).then(|| which % self.spans.len())
    }

    fn root(&mut self, head: Head) {
        let number = self.number();
        let span = self.bench.start(format!("{} {number}", head.prefix()));
        self.table.start_root(number, span.context().trace_id, head, self.bench.now());
        self.spans.push((number, span));
    }

    fn child(&mut self, which: usize, by_context: bool) {
        let Some(parent) = self.pick(which) else { return };
        let number = self.number();
        let (parent_number, parent) = &self.spans[parent];
        let context = parent.context();
        let span = if by_context {
            self.bench.recorder.start(SpanStart::under(format!("child {number}").into(), &context))
        } else {
            parent.child(format!("child {number}").into())
        };
        assert_eq!(span.context().trace_id, context.trace_id);
        self.table.start_child(number, *parent_number, self.bench.now());
        self.spans.push((number, span));
    }

    fn draft(&mut self) {
        let number = self.number();
        let name: &'static str = Box::leak(format!("draft {number}").into_boxed_str());
        match Draft::start(&self.bench.recorder, name) {
            DraftStart::Draft(draft) => {
                let id = draft.provisional_context().trace_id;
                self.table.start_root(number, id, Head::Tail, self.bench.now());
                self.drafts.push((number, draft));
            }
            // There are so many that are worth keeping that nothing goes for it.
            DraftStart::Started(span) => {
                let id = span.context().trace_id;
                self.table.start_root(number, id, Head::Tail, self.bench.now());
                self.spans.push((number, span));
            }
        }
    }

    fn settle(&mut self, which: usize, parent: Option<usize>) {
        if self.drafts.is_empty() {
            return;
        }
        let (number, draft) = self.drafts.swap_remove(which % self.drafts.len());
        let parent = parent.and_then(|parent| self.pick(parent)).map(|index| &self.spans[index]);
        let incoming = parent.map(|(_, span)| Incoming::from(span.context()));
        let outcome = draft.request(incoming.as_ref()).ask().unwrap();
        let span = draft.settle(outcome);
        if let Some((parent, _)) = parent {
            self.table.join_draft(number, *parent);
        }
        self.spans.push((number, span));
    }

    fn step(&mut self, step: Step) {
        let now = self.bench.clock.clock().now();
        match step {
            Step::Root(head) => self.root(head),
            Step::Child(which) => self.child(which, false),
            Step::ChildOfContext(which) => self.child(which, true),
            Step::Draft => self.draft(),
            Step::FailDraft(which) => {
                let count = self.drafts.len().max(1);
                if let Some((number, draft)) = self.drafts.get_mut(which % count) {
                    draft.write(|span| {
                        span.set_status(Status::error("it failed"));
                    });
                    self.table.fail(*number);
                }
            }
            Step::SettleDraft(which) => self.settle(which, None),
            Step::JoinDraft(which, parent) => self.settle(which, Some(parent)),
            Step::Fail(which) => {
                let Some(index) = self.pick(which) else { return };
                fail(&self.spans[index].1);
                self.table.fail(self.spans[index].0);
            }
            Step::Finish(which) => {
                let Some(index) = self.pick(which) else { return };
                self.spans[index].1.finish(None);
                self.table.finish(self.spans[index].0, now);
            }
            Step::Advance(seconds) => {
                self.bench.clock.advance(Duration::from_secs(seconds));
                self.bench.poll();
                self.table.poll(self.bench.clock.clock().now());
            }
            Step::Keep(which) => self.keep(which, Request::ByPerson),
            Step::Notice(which) => self.keep(which, Request::ByNotice),
            Step::SendOpen(is_all) => {
                self.bench.recorder.send_open(is_all, now);
                self.table.send_open(is_all);
            }
        }
    }

    fn keep(&mut self, which: usize, request: Request) {
        let Some(index) = self.pick(which) else { return };
        let id = self.spans[index].1.context().trace_id;
        let outcome = match request {
            Request::ByNotice => self.bench.hear(id),
            _ => self.bench.keep(id),
        };
        assert_eq!(outcome, self.table.keep(id, request, self.bench.now()));
    }

    /// Compares each column of the ledger.
    fn compare(&self) -> Result<(), TestCaseError> {
        let stats = self.bench.recorder.stats();
        prop_assert!(stats.balances(), "{}", stats);
        let columns = self.table.columns();
        prop_assert_eq!(stats.started, columns.started, "started");
        prop_assert_eq!(stats.live, columns.live, "live");
        prop_assert_eq!(stats.held, columns.held, "held");
        prop_assert_eq!(stats.exported, columns.exported, "exported");
        prop_assert_eq!(stats.late, columns.late, "late");
        for reason in Reason::ALL {
            let expected = columns.dropped.get(&(reason as usize)).copied().unwrap_or_default();
            prop_assert_eq!(stats.dropped_by(reason), expected, "dropped: {:?}", reason);
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_recorder_does_what_the_table_says(
        steps in steps(),
        live_traces in prop_oneof![2 => Just(100_000_usize), 1 => 1..6_usize],
        shuts_down in any::<bool>(),
    ) {
        let mut pair = Pair::new(live_traces);
        for step in steps {
            pair.step(step);
            pair.compare()?;
        }
        if shuts_down {
            let unfinished = pair.bench.recorder.shutdown(pair.bench.clock.clock().now());
            prop_assert_eq!(unfinished, Some(pair.table.shutdown(pair.bench.now())));
            pair.compare()?;
            for which in 0..pair.spans.len().min(3) {
                pair.child(which, which == 1);
                pair.compare()?;
            }
            pair.root(Head::Sample);
            pair.compare()?;
        }
        let now = pair.bench.clock.clock().now();
        for (number, draft) in std::mem::take(&mut pair.drafts) {
            drop(draft);
            pair.table.cancel_draft(number);
        }
        for (number, span) in std::mem::take(&mut pair.spans) {
            drop(span);
            pair.table.finish(number, now);
        }
        pair.compare()?;
        prop_assert_eq!(pair.bench.recorder.stats().live, 0);
        prop_assert_eq!(pair.bench.recorder.traces.registered(), 0, "no trace and no draft is left");
        let number = |name: &String| name.rsplit(' ').next().unwrap().parse().unwrap();
        let numbers: Vec<usize> = pair.bench.exported().concat().iter().map(number).collect();
        let exported: BTreeSet<usize> = numbers.iter().copied().collect();
        prop_assert_eq!(numbers.len(), exported.len(), "no span was exported twice");
        prop_assert_eq!(exported, pair.table.exported());
    }
}
