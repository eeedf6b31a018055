//! What a recorder holds of its coherence.

use std::borrow::Cow;
use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex};

use foldhash::fast::RandomState;

use super::local::kept_for;
use crate::coherence::{CoherenceHandle, HeardNotice, Notice};
use crate::kit::unwind_safe::lock;
use crate::ledger::CoherenceStats;
use crate::model::{SpanId, TraceId};
use crate::time::Tick;
use crate::trace::KeepReason;
use crate::trace::header::TraceHeader;

/// How many reasons are remembered at least; twice as many are at most, about 40 bytes each.
const REASONS: usize = 65_536;

/// The way to the other services of the group, and why they kept what is remembered.
#[derive(Debug)]
pub(super) struct CoherenceLink {
    handle: CoherenceHandle,
    reasons: Mutex<HeardReasons>,
}

/// Why other services kept the traces that were heard of last, in two halves: the older one is forgotten when the
/// younger is full.
#[derive(Debug, Default)]
struct HeardReasons {
    young: HashMap<TraceId, Arc<str>, RandomState>,
    old: HashMap<TraceId, Arc<str>, RandomState>,
    /// The last one, which the next one often is as well.
    last: Arc<str>,
}

impl CoherenceLink {
    pub(super) fn new(handle: CoherenceHandle) -> Self {
        Self { handle, reasons: Mutex::default() }
    }

    pub(super) fn handle(&self) -> &CoherenceHandle {
        &self.handle
    }

    pub(super) fn stats(&self) -> CoherenceStats {
        self.handle.stats()
    }

    /// Whether another service told that it kept this trace. For every trace that would be dropped.
    #[inline]
    pub(super) fn is_remembered(&self, id: TraceId, now: Tick) -> bool {
        self.handle.remembered().contains(id, now)
    }

    /// Remembers why a trace was kept elsewhere; the reason.
    pub(super) fn remember_reason(&self, heard: &HeardNotice) -> Cow<'static, str> {
        let reason = heard.kept_by();
        lock(&self.reasons).insert(heard.notice.trace_id, &reason);
        reason.into()
    }

    /// The mark of a trace that is kept because it is remembered, which is counted.
    pub(super) fn keep_remembered(&self, id: TraceId) -> KeepReason {
        self.handle.count_kept_when_it_came();
        let reason = lock(&self.reasons).find(id);
        // The id is remembered a moment before its reason.
        let reason = reason.map(|reason| Cow::from(reason.to_string()));
        kept_for(reason.unwrap_or(Cow::Borrowed("another service")))
    }

    /// Tells the other services that a policy kept a trace, or the part of it below a span and the parent of that.
    pub(super) fn announce(
        &self,
        header: &TraceHeader,
        kept: &KeepReason,
        part: Option<(SpanId, Option<SpanId>)>,
    ) {
        let mut notice = Notice::new(header.trace_id).with_policy(&*kept.policy);
        if let Some(randomness) = header.trace_state.randomness() {
            notice = notice.with_randomness(randomness);
        }
        if let Some((top, parent)) = part {
            notice = notice.with_part(top, parent);
        }
        self.handle.announce(notice);
    }
}

impl HeardReasons {
    fn insert(&mut self, id: TraceId, reason: &str) {
        if &*self.last != reason {
            self.last = reason.into();
        }
        self.young.insert(id, Arc::clone(&self.last));
        if self.young.len() >= REASONS {
            mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
    }

    fn find(&self, id: TraceId) -> Option<Arc<str>> {
        self.young.get(&id).or_else(|| self.old.get(&id)).cloned()
    }
}
