//! Random programs whose only exporter is a spool, and whose peer goes away and comes back, against a naive model.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use proptest::prelude::*;
use tailtrace::ledger::Stats;
use tailtrace::{Errors, SpanGuard, Status};
use tracing_subscriber::layer::SubscriberExt;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    /// A trace of two spans.
    Trace {
        fails: bool,
    },
    /// A root of the tracer, or of the layer, where it is a draft until it has a child.
    Open {
        fails: bool,
        is_draft: bool,
    },
    /// Ends the oldest that is open.
    Close,
    Away,
    Back,
    Flush,
    FlushOpen {
        is_all: bool,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let yes = any::<bool>;
    let step = prop_oneof![
        4 => yes().prop_map(|fails| Step::Trace { fails }),
        3 => (yes(), yes()).prop_map(|(fails, is_draft)| Step::Open { fails, is_draft }),
        2 => Just(Step::Close),
        1 => Just(Step::Away),
        1 => Just(Step::Back),
        2 => Just(Step::Flush),
        1 => yes().prop_map(|is_all| Step::FlushOpen { is_all }),
    ];
    prop::collection::vec(step, 1..24)
}

enum Root {
    Native(SpanGuard),
    Layer(tracing::Span),
}

/// A root that is open, as the model knows it.
struct Open {
    root: Root,
    name: String,
    fails: bool,
    is_sent: bool,
}

/// A peer that takes what it is sent while it is there, and remembers it.
struct Peer {
    server: Server,
    is_away: Arc<AtomicBool>,
    arrived: Arc<Mutex<Vec<String>>>,
}

impl Peer {
    fn new() -> Self {
        let is_away = Arc::new(AtomicBool::new(false));
        let arrived = Arc::<Mutex<Vec<String>>>::default();
        let (away, taken) = (Arc::clone(&is_away), Arc::clone(&arrived));
        let server = Server::http(move |request| {
            if away.load(Ordering::Relaxed) {
                return Reply::status(503);
            }
            taken.lock().unwrap().extend(request.names());
            Reply::ok()
        });
        Self { server, is_away, arrived }
    }

    fn sorted(&self) -> Vec<String> {
        let mut names = self.arrived.lock().unwrap().clone();
        names.sort();
        names
    }
}

/// A program beside the model of it.
struct Program {
    pipeline: Pipeline,
    open: Vec<Open>,
    next: usize,
    started: u64,
    /// The names of what must arrive.
    kept: Vec<String>,
}

impl Program {
    fn step(&mut self, step: Step, peer: &Peer) {
        match step {
            Step::Trace { fails } => self.trace(fails),
            Step::Open { fails, is_draft } => self.open(fails, is_draft),
            Step::Close if self.open.is_empty() => {}
            Step::Close => {
                let oldest = self.open.remove(0);
                self.close(oldest);
            }
            Step::Away => peer.is_away.store(true, Ordering::Relaxed),
            Step::Back => peer.is_away.store(false, Ordering::Relaxed),
            Step::Flush => {
                self.pipeline.flush(PLENTY).unwrap();
            }
            Step::FlushOpen { is_all } => {
                let flush = if is_all { Pipeline::flush_open_all } else { Pipeline::flush_open };
                flush(&self.pipeline, PLENTY).unwrap();
                for open in self.open.iter_mut().filter(|open| is_all || open.fails) {
                    if !std::mem::replace(&mut open.is_sent, true) {
                        self.kept.push(open.name.clone());
                    }
                }
            }
        }
    }

    fn trace(&mut self, fails: bool) {
        self.next += 1;
        self.started += 2;
        let root = self.pipeline.tracer().start_span(format!("root {}", self.next));
        let child = root.child(format!("child {}", self.next));
        if fails {
            child.set_status(Status::error("no stock"));
            self.kept.extend([format!("root {}", self.next), format!("child {}", self.next)]);
        }
    }

    fn open(&mut self, fails: bool, is_draft: bool) {
        self.next += 1;
        self.started += 1;
        let name = if is_draft { "draft".to_owned() } else { format!("open {}", self.next) };
        let root = if is_draft {
            let span = tracing::info_span!("draft");
            if fails {
                tracing::error!(parent: &span, "no stock");
            }
            Root::Layer(span)
        } else {
            let span = self.pipeline.tracer().start_span(name.clone());
            if fails {
                span.set_status(Status::error("no stock"));
            }
            Root::Native(span)
        };
        self.open.push(Open { root, name, fails, is_sent: false });
    }

    fn close(&mut self, open: Open) {
        match open.root {
            Root::Native(span) => drop(span),
            Root::Layer(span) => drop(span),
        }
        if open.fails && !open.is_sent {
            self.kept.push(open.name);
        }
    }

    /// The account, when nothing is in motion: what was sent from the disk changes its column meanwhile.
    fn at_rest(&self) -> Result<Stats, TestCaseError> {
        let is_settled = |stats: &Stats| {
            stats.balances()
                && stats.started == self.started
                && stats.exported + stats.spooled == self.kept.len() as u64
                && stats.failed() == 0
        };
        let asked = Instant::now();
        loop {
            let stats = self.pipeline.stats();
            if is_settled(&stats) {
                return Ok(stats);
            }
            let (started, kept) = (self.started, self.kept.len());
            prop_assert!(
                asked.elapsed() < PLENTY,
                "{started} started and {kept} kept, but\n{stats}"
            );
            thread::yield_now();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_program_and_its_peer_do_each_kept_span_is_sent_or_on_disk_and_arrives_once(
        steps in steps(),
    ) {
        let directory = TestDirectory::new("model");
        let peer = Peer::new();
        let url = peer.server.url("/v1/traces");
        let exporter = OtlpExporter::builder().with_endpoint(&url).build().unwrap();
        let spool = Spool::new(&directory.0, exporter).unwrap();
        let pipeline =
            Pipeline::builder("model").with_tail(Errors).with_exporter(spool).start().unwrap();
        let subscriber = tracing_subscriber::registry().with(pipeline.layer());
        let _default = tracing::subscriber::set_default(subscriber);
        let mut program = Program { pipeline, open: Vec::new(), next: 0, started: 0, kept: Vec::new() };
        for step in steps {
            program.step(step, &peer);
        }
        program.pipeline.flush(PLENTY).unwrap();
        let stats = program.at_rest()?;
        prop_assert_eq!(stats.live, program.open.iter().filter(|open| !open.is_sent).count() as u64);
        for open in std::mem::take(&mut program.open) {
            program.close(open);
        }
        program.pipeline.shutdown(PLENTY).unwrap();
        program.at_rest()?;
        // What is on the disk is sent by the next process.
        peer.is_away.store(false, Ordering::Relaxed);
        let next = super::pipeline(&directory, &url);
        program.kept.sort();
        while peer.arrived.lock().unwrap().len() < program.kept.len() {
            let _ = peer.server.next();
        }
        // A file goes when the answer is there.
        let asked = Instant::now();
        while directory.files() > 0 {
            prop_assert!(asked.elapsed() < PLENTY, "{} files are left", directory.files());
            thread::yield_now();
        }
        next.shutdown(PLENTY).unwrap();
        prop_assert_eq!(peer.sorted(), program.kept);
    }
}
