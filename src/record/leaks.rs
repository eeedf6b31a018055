//! Roots that stay open for longer than work takes.

use std::cmp::Reverse;
use std::mem;
use std::time::Duration;

use super::local::{LiveSpans, LocalTrace, Phase};
use super::recorder::Recorder;
use crate::model::{TagRef, TraceId};
use crate::time::Tick;
use crate::trace::store::SpanIndex;

/// How many names are told at once; the others are told by their number.
const MOST_TOLD: usize = 5;

/// How long it is silent then.
const PAUSE: Duration = Duration::from_secs(60);

/// How many names are told apart until something is told.
const MOST_NAMES: usize = 256;

/// How long a look at all live traces is followed by none.
const SHORTEST_PERIOD: Duration = Duration::from_secs(1);
const LONGEST_PERIOD: Duration = Duration::from_secs(10);

/// Finds local roots that have been open for long, which nearly always means that a span was leaked, and tells each
/// of them once.
#[derive(Debug)]
pub(crate) struct LeakWatch {
    age: Duration,
    last_look: Option<Tick>,
    last_told: Option<Tick>,
    /// What was found and not told yet.
    found: Vec<OpenRoots>,
    /// Roots of names for which that has no room.
    others: u64,
}

/// Roots of one name and place that were open for long.
#[derive(Debug)]
struct OpenRoots {
    name: Option<String>,
    file: Option<String>,
    line: Option<i64>,
    roots: u64,
    /// When the oldest of them began, and its trace.
    since: Tick,
    trace_id: TraceId,
}

/// What is on record of a root.
#[derive(Default)]
struct RootPlace<'r> {
    /// `None` for spans of another tracer, which tell it when they end.
    name: Option<&'r str>,
    /// Where it stands in the source.
    file: Option<&'r str>,
    line: Option<i64>,
}

impl LeakWatch {
    /// A watch for roots that are open for longer than `age`; none for zero and for the longest duration there is.
    pub(crate) const fn new(age: Duration) -> Self {
        Self { age, last_look: None, last_told: None, found: Vec::new(), others: 0 }
    }

    /// Looks at the live traces if it is time to; what is to be told, a sentence for each of the names that most
    /// roots have.
    pub(crate) fn observe(&mut self, recorder: &Recorder, now: Tick) -> Vec<String> {
        if !self.is_time(now) {
            return Vec::new();
        }
        // What was old enough at the last look was found by it.
        let age = self.age;
        let last = self.last_look.replace(now);
        let is_fresh = |since| last.is_none_or(|last| last.since(since) < age);
        recorder.traces.for_each(|trace| {
            let live = trace.lock();
            let since = trace.since(&live, now).filter(|_| is_root_open(&trace, &live));
            if let Some(since) = since.filter(|since| now.since(*since) >= age && is_fresh(*since))
            {
                self.add(&trace, &live, since);
            }
        });
        self.take_sentences(now)
    }

    fn is_time(&self, now: Tick) -> bool {
        let is_on = !self.age.is_zero() && self.age != Duration::MAX;
        let period = (self.age / 60).clamp(SHORTEST_PERIOD, LONGEST_PERIOD);
        is_on && self.last_look.is_none_or(|last| now.since(last) >= period)
    }

    fn add(&mut self, trace: &LocalTrace<Recorder>, live: &LiveSpans, since: Tick) {
        let trace_id = trace.trace_id();
        let root = RootPlace::of(trace, live);
        if let Some(alike) = self.found.iter_mut().find(|alike| root.is_of(alike)) {
            alike.roots += 1;
            if since < alike.since {
                alike.since = since;
                alike.trace_id = trace_id;
            }
        } else if self.found.len() < MOST_NAMES {
            let RootPlace { name, file, line } = root;
            let [name, file] = [name, file].map(|text| text.map(str::to_owned));
            self.found.push(OpenRoots { name, file, line, roots: 1, since, trace_id });
        } else {
            self.others += 1;
        }
    }

    /// What is to be told now, if anything is.
    fn take_sentences(&mut self, now: Tick) -> Vec<String> {
        let is_silent = self.last_told.is_some_and(|last| now.since(last) < PAUSE);
        if is_silent || self.found.is_empty() {
            return Vec::new();
        }
        self.last_told = Some(now);
        let mut found = mem::take(&mut self.found);
        found.sort_by_key(|alike| Reverse(alike.roots));
        let rest = found.split_off(found.len().min(MOST_TOLD));
        let others =
            mem::take(&mut self.others) + rest.iter().map(|alike| alike.roots).sum::<u64>();
        let mut told: Vec<String> = found.iter().map(|alike| alike.sentence(self.age)).collect();
        if others > 0 {
            let age = self.age;
            told.push(format!(
                "{others} more root spans, of other names, are open for over {age:?}"
            ));
        }
        told
    }
}

impl OpenRoots {
    fn sentence(&self, age: Duration) -> String {
        let Self { roots, trace_id, .. } = self;
        let name = match &self.name {
            Some(name) => format!("`{name}`"),
            None => "of another tracer".to_owned(),
        };
        let line = self.line.map(|line| format!(":{line}")).unwrap_or_default();
        let place = self.file.as_ref().map(|file| format!(" at {file}{line}")).unwrap_or_default();
        if *roots == 1 {
            format!(
                "root span {name}{place} is open for over {age:?}: it was probably leaked, and its trace \
                 {trace_id} is only decided in parts before it ends"
            )
        } else {
            format!(
                "{roots} root spans {name}{place} are open for over {age:?}: they were probably leaked, and \
                 their traces, of which {trace_id} is the oldest, are only decided in parts before they end"
            )
        }
    }
}

impl<'r> RootPlace<'r> {
    fn of(trace: &LocalTrace<Recorder>, live: &'r LiveSpans) -> Self {
        let mut place = Self::default();
        if trace.is_foreign() {
            return place;
        }
        let records = live.store.outlines(trace.header.correction);
        let Some(root) = records.span(SpanIndex::FIRST) else { return place };
        place.name = Some(records.name(root));
        for (key, value) in records.tags(root) {
            match (key, value) {
                ("code.file.path", TagRef::Str(file)) => place.file = Some(file),
                ("code.line.number", TagRef::I64(line)) => place.line = Some(line),
                _ => {}
            }
        }
        place
    }

    fn is_of(&self, roots: &OpenRoots) -> bool {
        self.name == roots.name.as_deref()
            && self.file == roots.file.as_deref()
            && self.line == roots.line
    }
}

/// Whether the root of a trace has not ended.
fn is_root_open(trace: &LocalTrace<Recorder>, live: &LiveSpans) -> bool {
    if !matches!(live.phase, Phase::Open) {
        return false;
    }
    if trace.is_foreign() {
        // Where only the root has ended, the linger is not over yet.
        return trace.foreign_spans().count() > 0;
    }
    // Until a trace is decided its root is its first record.
    let records = live.store.outlines(trace.header.correction);
    records.span(SpanIndex::FIRST).is_some_and(|root| root.end().is_none())
}
