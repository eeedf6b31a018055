//! Keeping traces that the program or another service asks for.

use std::borrow::Cow;

use super::Recorder;
use crate::coherence::CoherenceHandle;
use crate::model::TraceContext;
use crate::record::completion::KeepOutcome;
use crate::record::link::CoherenceLink;
use crate::record::local::{KeepRequest, LocalTrace};

impl Recorder {
    /// Takes part in coherence from now on.
    pub(crate) fn join(&self, coherence: CoherenceHandle) {
        self.traces.set_link(CoherenceLink::new(coherence));
    }

    /// The way to the other services, if there is one.
    pub(crate) fn coherence(&self) -> Option<&CoherenceHandle> {
        self.traces.link().map(CoherenceLink::handle)
    }

    /// Whether the head drops what a caller did not sample, so that there is nothing to keep of it later. Asks the
    /// sampler about a request that is made up.
    pub(crate) fn drops_unsampled(&self) -> bool {
        self.deciders.drops_unsampled(self.clock.now())
    }

    /// Keeps a trace after the fact, or when it completes.
    pub(crate) fn keep(&self, request: KeepRequest) -> KeepOutcome {
        self.keep_all(&[request]).pop().unwrap_or(KeepOutcome::Unknown)
    }

    /// Keeps traces after the fact, or when they complete; what came of each, in the order of the requests.
    pub(crate) fn keep_all(&self, requests: &[KeepRequest]) -> Vec<KeepOutcome> {
        self.completion.keep_all(&self.traces, requests, self.clock.now())
    }

    /// The context with the sampled flag, where its trace was asked for since the context was made.
    pub(crate) fn hinted(context: &TraceContext) -> Cow<'_, TraceContext> {
        let is_asked_for = || {
            let trace = context.local()?.downcast::<LocalTrace<Self>>()?;
            Some(trace.is_keep_requested())
        };
        if context.is_sampled() || is_asked_for() != Some(true) {
            return Cow::Borrowed(context);
        }
        Cow::Owned(context.clone().with_flags(context.flags.with_sampled(true)))
    }
}
