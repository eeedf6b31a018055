//! An exporter, where the child of a fork finds it.

use std::sync::Arc;

use arc_swap::ArcSwapOption;

use crate::export::Exporter;

/// An exporter whose thread may be left behind in a parent process.
///
/// The thread that it belongs to takes it out when it ends, so that the exporter is dropped there; a thread that a fork
/// left behind never does, and the child's own thread goes on with the exporter.
#[derive(Clone)]
pub(crate) struct SharedExporter(Arc<ArcSwapOption<Box<dyn Exporter>>>);

impl SharedExporter {
    pub(crate) fn new(exporter: Box<dyn Exporter>) -> Self {
        Self(Arc::new(ArcSwapOption::from_pointee(exporter)))
    }

    /// The exporter; `None` when its thread has ended.
    pub(super) fn get(&self) -> Option<Arc<Box<dyn Exporter>>> {
        self.0.load_full()
    }

    /// Leaves the exporter to those who have got it.
    pub(super) fn release(&self) {
        self.0.store(None);
    }
}
