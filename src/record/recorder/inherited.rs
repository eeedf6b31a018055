//! What becomes of a recorder in a process that was forked off.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Recorder, SpanStart};
use crate::ledger::Reason;
use crate::model::TraceContext;
use crate::record::deciders::ChosenDeciders;
use crate::record::span::ActiveSpan;

impl Recorder {
    /// Sets what makes the recorder of a child; done once, before the first span starts.
    pub(crate) fn set_successor(
        &self,
        make: impl Fn() -> Option<Arc<Self>> + Send + Sync + 'static,
    ) {
        self.succession.set(Box::new(make));
    }

    /// The recorder of this process; itself, unless it came with a fork.
    #[inline(always)]
    pub(crate) fn here(self: &Arc<Self>) -> &Arc<Self> {
        if self.is_inherited() { self.succeed().unwrap_or(self) } else { self }
    }

    #[cold]
    fn succeed(&self) -> Option<&Arc<Self>> {
        self.succession.successor().map(Self::here)
    }

    /// Starts a span in a process that was forked off. A parent of before the fork is one in another process.
    #[cold]
    pub(super) fn start_in_child(self: &Arc<Self>, new: SpanStart<'_>) -> ActiveSpan {
        if let Some(here) = self.succeed() {
            return here.start(new);
        }
        let header = self.header_now(new.parent);
        self.unrecorded_root(None, Some(Reason::ShutDown), &header, new.baggage)
    }

    /// Starts a child of a span that was open in the parent process when this process was forked off.
    #[cold]
    pub(in crate::record) fn start_below_inherited(
        self: &Arc<Self>,
        name: Cow<'static, str>,
        parent: &TraceContext,
    ) -> ActiveSpan {
        self.start(SpanStart::under(name, parent))
    }

    /// The head sampler and the tail that are asked now.
    pub(crate) fn deciders_in_use(&self) -> ChosenDeciders {
        self.deciders.in_use()
    }

    /// Goes on where the recorder of the parent process was, but for its traces.
    pub(crate) fn follow(&self, parent: &Self) {
        self.switch.set(parent.switch.is_on());
        self.shares_context.store(parent.shares_context(), Ordering::Relaxed);
        self.draft_holders.add_those_of(&parent.draft_holders);
        if parent.is_closed() {
            self.traces.close();
        }
    }
}
