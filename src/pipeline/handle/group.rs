//! Joining the group of services that keep their traces together.

use std::io;
use std::sync::Arc;

use crate::coherence::{Coherence, CoherenceHandle};
use crate::kit::Random;
use crate::record::{HeardKeeper, Recorder};
use crate::time::Clock;

/// What a pipeline with coherence says at its start where its sampler leaves nothing to keep.
pub(super) const DROPS_UNSAMPLED: &str = "the sampler drops requests that their callers did not sample, so this service has no \
     part of such a trace when another service keeps it; leave the branches for callers that did not sample to \
     `ParentBasedSampler`, or put an `AlwaysRecord` around the sampler";

/// Starts the thread of coherence for a recorder.
///
/// # Errors
/// When the machine refuses the thread.
pub(super) fn join(
    coherence: &Coherence,
    recorder: &Arc<Recorder>,
    service: &str,
    clock: Clock,
    random: Random,
) -> io::Result<()> {
    let keeper = Arc::new(HeardKeeper::new(recorder));
    let handle = CoherenceHandle::start(coherence, service, keeper, clock, random)?;
    recorder.join(handle);
    Ok(())
}
