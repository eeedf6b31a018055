//! Programs that trace: one per thread, with spans that the threads hand to each other.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::thread;

use proptest::prelude::*;
use tailtrace::{LogLevel, SpanGuard, SpanId, Status, TagValue, TraceContext, TraceId, Tracer};

/// What one thread does.
pub(crate) type Program = Vec<Step>;

#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A new trace: sampled at the head, dropped there, or left to the tail.
    Root(Head),
    /// A child of one of this thread's spans.
    Child(usize),
    /// A child by the context of a span that any thread may have started.
    Join(usize),
    /// A local trace under a caller in another process.
    Remote(usize),
    Tag(usize, u8, i64),
    Log(usize),
    Fail(usize),
    Finish(usize),
    /// Leaves a span to whichever thread comes first.
    GiveAway(usize),
    Take,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Head {
    Sample,
    Drop,
    Record,
}

fn step() -> impl Strategy<Value = Step> {
    let which = 0..1_000_usize;
    let head = prop_oneof![1 => Just(Head::Sample), 1 => Just(Head::Drop), 5 => Just(Head::Record)];
    prop_oneof![
        3 => head.prop_map(Step::Root),
        6 => which.clone().prop_map(Step::Child),
        3 => which.clone().prop_map(Step::Join),
        1 => which.clone().prop_map(Step::Remote),
        3 => (which.clone(), 0..4_u8, any::<i64>()).prop_map(|(span, key, value)| Step::Tag(span, key, value)),
        2 => which.clone().prop_map(Step::Log),
        1 => which.clone().prop_map(Step::Fail),
        5 => which.clone().prop_map(Step::Finish),
        2 => which.prop_map(Step::GiveAway),
        2 => Just(Step::Take),
    ]
}

/// Programs for so many threads.
pub(crate) fn programs(threads: usize) -> impl Strategy<Value = Vec<Program>> {
    prop::collection::vec(prop::collection::vec(step(), 0..40), 1..=threads)
}

/// What a span was told, by the thread that held it.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) id: SpanId,
    pub(crate) parent: Option<SpanId>,
    pub(crate) trace: TraceId,
    /// The name of the root of its local trace.
    pub(crate) root: String,
    pub(crate) failed: bool,
    pub(crate) tags: Vec<(String, TagValue)>,
    pub(crate) logs: Vec<String>,
}

/// What became of the programs.
#[derive(Debug, Default)]
pub(crate) struct Run {
    /// By their names, of which no two are the same.
    pub(crate) spans: BTreeMap<String, Told>,
}

impl Run {
    /// Whether the local trace with this root is to be kept.
    pub(crate) fn is_kept(&self, root: &str) -> bool {
        let failed = |span: &Told| span.root == root && span.failed;
        root.starts_with("sample") || (!root.starts_with("drop") && self.spans.values().any(failed))
    }
}

/// A span that runs, and what it was told so far.
struct Running {
    name: String,
    guard: SpanGuard,
    told: Told,
}

/// When the roots of local traces end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Roots {
    /// After all programs: no local trace is complete before.
    Last,
    /// Like any other span: the others are stragglers, or late.
    Anytime,
}

/// What the threads share.
#[derive(Default)]
struct Shared {
    contexts: Vec<(TraceContext, String)>,
    given: Vec<Running>,
    done: Run,
    steps: usize,
    /// The roots that end last.
    anchors: Vec<Running>,
}

/// Runs every program on a thread of its own; `between` hears of every step.
///
/// With [`Roots::Last`] what belongs to a local trace does not depend on how the threads take turns.
/// `between` runs on the thread that made the step, under no lock.
pub(crate) fn run(
    tracer: &Tracer,
    programs: &[Program],
    roots: Roots,
    between: impl Fn(usize) + Sync,
) -> Run {
    let shared = Mutex::new(Shared::default());
    thread::scope(|scope| {
        for (number, program) in programs.iter().enumerate() {
            let (shared, between) = (&shared, &between);
            scope.spawn(move || {
                Thread { number, tracer, shared, roots, own: Vec::new(), made: 0 }
                    .run(program, between);
            });
        }
    });
    let mut shared = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
    let (given, anchors) = (std::mem::take(&mut shared.given), std::mem::take(&mut shared.anchors));
    for running in given.into_iter().chain(anchors) {
        running.guard.finish();
        shared.done.spans.insert(running.name, running.told);
    }
    shared.done
}

struct Thread<'a> {
    number: usize,
    tracer: &'a Tracer,
    shared: &'a Mutex<Shared>,
    roots: Roots,
    own: Vec<Running>,
    made: usize,
}

impl Thread<'_> {
    fn run(mut self, program: &Program, between: &(impl Fn(usize) + Sync)) {
        for step in program {
            self.step(step);
            let count = {
                let mut shared = self.shared.lock().unwrap();
                shared.steps += 1;
                shared.steps
            };
            between(count);
        }
        while let Some(running) = self.own.pop() {
            self.finish(running);
        }
    }

    fn name(&mut self, kind: &str) -> String {
        self.made += 1;
        format!("{kind} {}.{}", self.number, self.made)
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Root(head) => {
                let name = self.name(match head {
                    Head::Sample => "sample",
                    Head::Drop => "drop",
                    Head::Record => "record",
                });
                let guard = self.tracer.start_span(name.clone());
                self.anchor(guard, name, None);
            }
            Step::Remote(which) => {
                let Some((context, _)) = self.context(*which) else { return };
                let name = self.name("record");
                let caller = context.remote();
                let guard = self.tracer.start_span_with_context(name.clone(), &caller);
                self.anchor(guard, name, Some(caller.span_id));
            }
            Step::Child(which) => {
                let name = self.name("child");
                let Some(parent) = self.pick(*which) else { return };
                let guard = parent.guard.child(name.clone());
                let (id, root) = (parent.told.id, parent.told.root.clone());
                self.add(guard, name, Some(id), root);
            }
            Step::Join(which) => {
                let Some((context, root)) = self.context(*which) else { return };
                let name = self.name("joined");
                let guard = self.tracer.start_span_with_context(name.clone(), &context);
                self.add(guard, name, Some(context.span_id), root);
            }
            Step::Tag(which, key, value) => {
                let Some(span) = self.pick(*which) else { return };
                let key = format!("key {key}");
                span.guard.set_tag(key.clone(), *value);
                match span.told.tags.iter_mut().find(|(known, _)| *known == key) {
                    Some(tag) => tag.1 = (*value).into(),
                    None => span.told.tags.push((key, (*value).into())),
                }
            }
            Step::Log(which) => {
                let Some(span) = self.pick(*which) else { return };
                let message = format!("entry {}", span.told.logs.len());
                span.guard.log(LogLevel::Info, &message);
                span.told.logs.push(message);
            }
            Step::Fail(which) => {
                let Some(span) = self.pick(*which) else { return };
                span.guard.set_status(Status::error("failed"));
                span.told.failed = true;
            }
            Step::Finish(which) => {
                if let Some(running) = self.take(*which) {
                    self.finish(running);
                }
            }
            Step::GiveAway(which) => {
                if let Some(running) = self.take(*which) {
                    self.shared.lock().unwrap().given.push(running);
                }
            }
            Step::Take => {
                let given = self.shared.lock().unwrap().given.pop();
                self.own.extend(given);
            }
        }
    }

    /// A root that ends last is held by nobody's program; a child of it stands in for it there.
    fn anchor(&mut self, guard: SpanGuard, name: String, parent: Option<SpanId>) {
        if self.roots == Roots::Anytime {
            return self.add(guard, name.clone(), parent, name);
        }
        let stand_in = self.name("first");
        let child = guard.child(stand_in.clone());
        let id = guard.context().span_id;
        let anchor = running(guard, name.clone(), parent, name.clone());
        self.shared.lock().unwrap().anchors.push(anchor);
        self.add(child, stand_in, Some(id), name);
    }

    fn add(&mut self, guard: SpanGuard, name: String, parent: Option<SpanId>, root: String) {
        let running = running(guard, name, parent, root.clone());
        self.shared.lock().unwrap().contexts.push((running.guard.context(), root));
        self.own.push(running);
    }

    fn context(&self, which: usize) -> Option<(TraceContext, String)> {
        let shared = self.shared.lock().unwrap();
        let count = shared.contexts.len();
        (count > 0).then(|| shared.contexts[which % count].clone())
    }

    fn pick(&mut self, which: usize) -> Option<&mut Running> {
        let count = self.own.len().max(1);
        self.own.get_mut(which % count)
    }

    fn take(&mut self, which: usize) -> Option<Running> {
        let count = self.own.len();
        (count > 0).then(|| self.own.swap_remove(which % count))
    }

    fn finish(&self, running: Running) {
        let Running { name, guard, told } = running;
        // By either way, both of which happen in programs.
        if told.tags.is_empty() {
            guard.finish();
        } else {
            drop(guard);
        }
        let known = self.shared.lock().unwrap().done.spans.insert(name, told);
        assert!(known.is_none(), "names are unique");
    }
}

fn running(guard: SpanGuard, name: String, parent: Option<SpanId>, root: String) -> Running {
    let context = guard.context();
    let told = Told {
        id: context.span_id,
        parent,
        trace: context.trace_id,
        root,
        failed: false,
        tags: Vec::new(),
        logs: Vec::new(),
    };
    Running { name, guard, told }
}
