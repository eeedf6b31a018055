//! What is the user's and goes with a pipeline.

use crate::way;
use std::sync::mpsc;
use std::thread;

use super::support::{PATIENCE, keeping};
use tailtrace::{InMemoryExporter, Pipeline, Sampler, SamplingRequest, SamplingResult};
use tracing::info_span;
use tracing::subscriber::with_default;

/// Runs a program that may hang on a thread of its own.
#[track_caller]
fn must_return(program: impl FnOnce() + Send + 'static) {
    let (done, is_done) = mpsc::channel();
    thread::spawn(move || {
        program();
        let _ = done.send(());
    });
    assert!(is_done.recv_timeout(PATIENCE).is_ok(), "it hangs or has panicked");
}

/// Opens a span when it is dropped.
struct SaysGoodbye(mpsc::Sender<()>);

impl Sampler for SaysGoodbye {
    fn should_sample(&self, _: &SamplingRequest<'_>) -> SamplingResult {
        SamplingResult::sample()
    }
}

impl Drop for SaysGoodbye {
    fn drop(&mut self) {
        drop(info_span!("goodbye"));
        let _ = self.0.send(());
    }
}

#[test]
fn the_sampler_of_a_pipeline_that_was_exchanged_may_trace_when_it_is_dropped() {
    must_return(|| {
        let (gone, is_gone) = mpsc::channel();
        let before = Pipeline::builder("before")
            .with_sampler(SaysGoodbye(gone))
            .with_exporter(InMemoryExporter::new())
            .start()
            .unwrap();
        let after = keeping().with_exporter(InMemoryExporter::new()).start().unwrap();
        let layer = way::plain(&before);
        let handle = layer.handle();
        with_default(way::under(layer), || {
            let root = info_span!("root");
            let child = info_span!(parent: &root, "child");
            handle.set_pipeline(&after);
            let _ = before.shutdown(PATIENCE);
            drop(before);
            // The last that refers to the pipeline that was exchanged.
            drop((child, root));
            handle.set_pipeline(&after);
        });
        assert!(is_gone.recv_timeout(PATIENCE).is_ok(), "the sampler is still there");
    });
}

#[test]
fn a_layer_that_is_dropped_leaves_nothing_of_its_pipeline_behind() {
    must_return(|| {
        let (gone, is_gone) = mpsc::channel();
        let pipeline = Pipeline::builder("layer")
            .with_sampler(SaysGoodbye(gone))
            .with_exporter(InMemoryExporter::new())
            .start()
            .unwrap();
        with_default(way::under(way::plain(&pipeline)), || {
            drop(info_span!("span"));
        });
        let _ = pipeline.shutdown(PATIENCE);
        drop(pipeline);
        assert!(is_gone.recv_timeout(PATIENCE).is_ok(), "the sampler is still there");
    });
}
