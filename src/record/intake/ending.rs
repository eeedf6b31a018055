//! Spans of another tracer that end.

use parking_lot::MutexGuard;

use crate::record::foreign::EndedForeignSpan;
use crate::record::local::{LiveSpans, Phase};
use crate::record::recorder::Recorder;

/// Counts a span as ended; the last to end completes its trace.
// Apart from `ended`, so that what the compiler looks through for a second copy of the original stays small.
#[inline(never)]
pub(super) fn span_ended(
    recorder: &Recorder,
    ended: &EndedForeignSpan<Recorder>,
    mut live: MutexGuard<'_, LiveSpans>,
    has_failed: bool,
) {
    let EndedForeignSpan { trace, is_last_root, .. } = ended;
    let Recorder { traces, completion, clock, .. } = recorder;
    let has_grown = live.has_uncounted_bytes();
    if has_grown {
        traces.count_bytes(trace, &mut live);
    }
    let is_last = trace.foreign_spans().remove(&live) == 0;
    if (is_last || has_failed)
        && let Phase::Held(place) = live.phase
    {
        let now = clock.now();
        let decided = completion.held_span_ended(traces, trace, live, place, has_failed, now);
        if let Some(store) = decided {
            completion.decide(traces, trace, store, now);
        }
    } else if is_last {
        if let Some(store) = completion.complete(traces, trace, live) {
            completion.decide(traces, trace, store, clock.now());
        }
    } else if *is_last_root && matches!(live.phase, Phase::Open) {
        drop(live);
        completion.linger(traces, trace, clock.now());
    } else {
        drop(live);
    }
    if has_grown {
        traces.evict_surplus();
    }
}
