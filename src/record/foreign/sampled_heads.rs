//! What the head answered about local roots of another tracer that have not started yet.

use std::collections::VecDeque;

use crate::model::TraceId;
use crate::trace::header::HeadSample;

/// How many answers one shard remembers.
const MOST: usize = 64;

/// The traces that the head sampled and whose local root is about to start, the newest last.
#[derive(Default)]
pub(super) struct SampledHeads(VecDeque<(TraceId, HeadSample)>);

impl SampledHeads {
    pub(super) fn insert(&mut self, id: TraceId, sample: HeadSample) {
        // Where no root follows, as in a set-up without a processor of ours, answers must not pile up.
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back((id, sample));
    }

    /// The latest answer about a trace, which is forgotten with this.
    pub(super) fn remove(&mut self, id: TraceId) -> Option<HeadSample> {
        let at = self.0.iter().rposition(|(sampled, _)| *sampled == id)?;
        self.0.remove(at).map(|(_, sample)| sample)
    }
}
