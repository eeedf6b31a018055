//! A root and its events.

use tracing::{info, info_span};

pub fn tracing(events: usize) {
    let _root = info_span!("root").entered();
    for _ in 1..events {
        info!("step");
    }
}
