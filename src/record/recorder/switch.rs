//! Whether anything is recorded.

use std::sync::atomic::{AtomicBool, Ordering};

/// Switches recording off and on while a recorder lives.
#[derive(Debug)]
pub(crate) struct RecordingSwitch {
    /// Whether it may ever be on.
    pub(crate) may_record: bool,
    // Relaxed: a root that begins while the program switches may still go the old way.
    is_on: AtomicBool,
}

impl RecordingSwitch {
    /// A switch that is on, unless it may never be.
    pub(crate) fn new(may_record: bool) -> Self {
        Self { may_record, is_on: AtomicBool::new(may_record) }
    }

    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Relaxed)
    }

    /// Switches recording off or on, unless it may never be on.
    pub(crate) fn set(&self, on: bool) {
        self.is_on.store(on && self.may_record, Ordering::Relaxed);
    }
}
