//! What a local trace needs of the recorder that owns it.

use std::sync::Arc;

use super::{Due, LocalTrace};
use crate::time::Tick;

/// What a local trace needs of the recorder that owns it.
///
/// The trace knows its owner by this trait alone, so that the files of a trace, of the tables of traces
/// and of the recorder above them name each other in one direction.
pub(crate) trait TraceOwner: Send + Sync + Sized + 'static {
    /// Takes a trace that the caller has no more use for, for the next trace to use its memory.
    fn reclaim(&self, trace: Arc<LocalTrace<Self>>);

    /// Whether the owner and its traces came with a fork: they are the parent process's business.
    fn is_inherited(&self) -> bool;

    /// Does what is due in a trace. Asks the tail, which is user code.
    fn decide(&self, trace: &Arc<LocalTrace<Self>>, due: Due, now: Tick);
}
