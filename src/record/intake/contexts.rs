//! The switch that shows the layer's spans to the contexts of another tracer.

use super::Intake;
#[cfg(feature = "layer")]
use crate::record::bridge;
use crate::record::bridge::ContextBridge;

impl Intake {
    /// Shows the spans of the layer that threads are inside of in the contexts of another tracer, and asks those what a new
    /// span is in; for the rest of the program. One bridge serves a process: the first stays.
    ///
    /// Without the feature `layer` there are no such spans, and nothing happens. Entering a span then costs what the bridge
    /// does. Feature `bridge`.
    pub fn share_context(&self, contexts: &'static dyn ContextBridge) {
        #[cfg(feature = "layer")]
        {
            bridge::install(contexts);
            self.recorder.share_context();
        }
        #[cfg(not(feature = "layer"))]
        let _ = contexts;
    }
}
