//! Limits of the recorder.

use super::support::{PATIENCE, tailed};
use tailtrace::InMemoryExporter;
use tailtrace::ledger::Reason;
use tailtrace::record::RecordLimits;
use tracing::subscriber::with_default;
use tracing::{Span, info, info_span};
use tracing_subscriber::prelude::*;

#[test]
fn roots_that_grow_before_the_sampler_is_asked_keep_to_the_limit() {
    let limits = RecordLimits::default().with_live_bytes(256 * 1024);
    let memory = InMemoryExporter::new();
    let pipeline = tailed().with_limits(limits).with_exporter(memory.clone()).start().unwrap();
    with_default(tracing_subscriber::registry().with(pipeline.layer()), || {
        let roots: Vec<Span> = (0..16).map(|_| info_span!("root")).collect();
        let text = "x".repeat(1000);
        for _ in 0..64 {
            roots.iter().for_each(|root| info!(parent: root, "{text}"));
        }
        // There is room for the texts of four.
        let stats = pipeline.stats();
        assert!(stats.balances() && stats.dropped_by(Reason::LiveBytes) >= 12, "{stats}");
    });
    let _ = pipeline.shutdown(PATIENCE);
    assert!(!memory.traces().is_empty());
}
