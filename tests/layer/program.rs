//! Programs of a few spans on two threads, and what runs them.

use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};

use proptest::prelude::*;
use tailtrace::layer::SetParentError;
use tailtrace::{SpanId, TraceContext, TraceId, TraceSpanExt};
use tracing::dispatcher::with_default;
use tracing::{Dispatch, Span, error, field, info, info_span, span};

pub(crate) const THREADS: usize = 2;
pub(crate) const KEYS: [&str; 3] = ["k0", "k1", "k2"];

#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) thread: usize,
    pub(crate) what: What,
}

/// Spans are meant by numbers that wrap around.
#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    Open(Under),
    Enter(usize),
    Exit(usize),
    Close(usize),
    Record(usize, usize, i64),
    Event(Under, bool),
    SetParent(usize, Adopts),
    Follow(usize, usize),
    ReadContext(usize),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Under {
    /// What the thread is inside of.
    Current,
    Nothing,
    Span(usize),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Adopts {
    Remote(u64),
    Span(usize),
}

fn what() -> impl Strategy<Value = What> {
    let which = || 0..100_usize;
    let under = || {
        prop_oneof![
            4 => Just(Under::Current),
            1 => Just(Under::Nothing),
            2 => which().prop_map(Under::Span),
        ]
    };
    let adopts =
        prop_oneof![(1..1_000_u64).prop_map(Adopts::Remote), which().prop_map(Adopts::Span)];
    prop_oneof![
        8 => under().prop_map(What::Open),
        8 => which().prop_map(What::Enter),
        6 => which().prop_map(What::Exit),
        6 => which().prop_map(What::Close),
        4 => (which(), 0..KEYS.len(), -9..9_i64).prop_map(|(span, key, value)| What::Record(span, key, value)),
        4 => (under(), prop::bool::weighted(0.2)).prop_map(|(under, fails)| What::Event(under, fails)),
        3 => (which(), adopts).prop_map(|(span, adopts)| What::SetParent(span, adopts)),
        2 => (which(), which()).prop_map(|(span, other)| What::Follow(span, other)),
        1 => which().prop_map(What::ReadContext),
    ]
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..THREADS, what()).prop_map(|(thread, what)| Step { thread, what });
    prop::collection::vec(step, 0..80)
}

/// A caller that a number stands for.
pub(crate) fn remote(number: u64) -> TraceContext {
    let trace = TraceId::from_bits(u128::from(number)).unwrap();
    TraceContext::new(trace, SpanId::from_bits(number).unwrap()).remote()
}

/// Two threads that take turns.
pub(crate) struct Threads(Vec<(Sender<Work>, JoinHandle<()>)>);

type Work = Box<dyn FnOnce() + Send>;

impl Threads {
    pub(crate) fn start(dispatch: &Dispatch) -> Self {
        let start = |_| {
            let (give, take) = channel::<Work>();
            let dispatch = dispatch.clone();
            let run = move || with_default(&dispatch, || take.into_iter().for_each(|work| work()));
            (give, thread::spawn(run))
        };
        Self((0..THREADS).map(start).collect())
    }

    /// Runs something on a thread and waits for it.
    pub(crate) fn on<R: Send + 'static>(
        &self,
        thread: usize,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> R {
        let (done, wait) = channel();
        self.0[thread].0.send(Box::new(move || done.send(work()).unwrap())).unwrap();
        wait.recv().expect("the thread panicked")
    }

    pub(crate) fn end(self) {
        for (give, thread) in self.0 {
            drop(give);
            thread.join().unwrap();
        }
    }
}

/// The real thing: what a step does, on the thread it does it on.
pub(crate) fn open(name: String, parent: Parent) -> Span {
    macro_rules! open {
        ($($parent:tt)*) => {
            info_span!($($parent)* "span", otel.name = name, k0 = field::Empty, k1 = field::Empty, k2 = field::Empty)
        };
    }
    match parent {
        Parent::Current => open!(),
        Parent::Nothing => open!(parent: None,),
        Parent::Span(parent) => open!(parent: &parent,),
    }
}

pub(crate) enum Parent {
    Current,
    Nothing,
    Span(Span),
}

pub(crate) fn say(message: &str, parent: Parent, fails: bool) {
    match (parent, fails) {
        (Parent::Current, false) => info!("{message}"),
        (Parent::Current, true) => error!("{message}"),
        (Parent::Nothing, false) => info!(parent: None, "{message}"),
        (Parent::Nothing, true) => error!(parent: None, "{message}"),
        (Parent::Span(parent), false) => info!(parent: &parent, "{message}"),
        (Parent::Span(parent), true) => error!(parent: &parent, "{message}"),
    }
}

/// Whether the span took it.
pub(crate) fn adopt(span: &Span, parent: &TraceContext) -> bool {
    match span.set_parent(parent) {
        Ok(()) => true,
        Err(SetParentError::AlreadyStarted) => false,
        Err(other) => panic!("{other}"),
    }
}

/// Guards cannot wait in a list for a span that goes first; ids can.
pub(crate) fn enter(dispatch: &Dispatch, id: &span::Id) {
    dispatch.enter(id);
}

pub(crate) fn exit(dispatch: &Dispatch, id: &span::Id) {
    dispatch.exit(id);
}
