//! The way from what came with a fork to what the process has of its own.

use std::sync::{Arc, OnceLock};

use crate::kit::fork::ForkGuard;

/// Makes what a child has of its own; `None` when the pipeline has gone.
type MakeSuccessor<R> = Box<dyn Fn() -> Option<Arc<R>> + Send + Sync>;

/// Tells a recorder that it is in a process that was forked off, and leads to that process's own.
///
/// What a recorder holds belongs to the parent, which decides and exports it. In the child it is left alone: threads
/// that held its locks are not there, and whatever it would export the parent exports too.
pub(super) struct Succession<R> {
    guard: ForkGuard,
    make: OnceLock<MakeSuccessor<R>>,
    successor: OnceLock<Arc<R>>,
}

impl<R> Default for Succession<R> {
    fn default() -> Self {
        Self { guard: ForkGuard::new(), make: OnceLock::new(), successor: OnceLock::new() }
    }
}

impl<R> Succession<R> {
    /// Sets what makes the recorder of a child; done once, before the first span starts.
    pub(super) fn set(&self, make: MakeSuccessor<R>) {
        let _ = self.make.set(make);
    }

    /// Whether the recorder came with a fork.
    #[inline(always)]
    pub(super) fn is_in_child(&self) -> bool {
        self.guard.is_in_child()
    }

    /// The recorder that the child made, or makes now.
    #[cold]
    pub(super) fn successor(&self) -> Option<&Arc<R>> {
        if self.successor.get().is_none() {
            // Where another thread is faster, both were given the same one.
            let _ = self.successor.set(self.make.get()?()?);
        }
        self.successor.get()
    }
}
