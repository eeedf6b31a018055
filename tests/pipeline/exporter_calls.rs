//! What an exporter may rely on: who calls it, and that calls do not overlap.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;

use async_trait::async_trait;
use tailtrace::export::{Batch, Batching, ExportError};
use tailtrace::{AlwaysOn, Exporter, Pipeline};

#[derive(Default)]
struct Calls {
    is_called: AtomicBool,
    overlapped: AtomicBool,
    empty: AtomicUsize,
    spans: AtomicUsize,
    shutdowns: AtomicUsize,
    threads: Mutex<HashSet<ThreadId>>,
}

struct Watched(Arc<Calls>);

impl Watched {
    /// Gives other threads and tasks every chance to call meanwhile.
    async fn call(&self) {
        if self.0.is_called.swap(true, Ordering::SeqCst) {
            self.0.overlapped.store(true, Ordering::SeqCst);
        }
        self.0.threads.lock().unwrap().insert(thread::current().id());
        for _ in 0..3 {
            thread::yield_now();
            tokio::task::yield_now().await;
        }
        self.0.is_called.store(false, Ordering::SeqCst);
    }
}

#[async_trait]
impl Exporter for Watched {
    async fn export(&self, batch: Batch) -> Result<(), ExportError> {
        self.0.empty.fetch_add(usize::from(batch.is_empty()), Ordering::SeqCst);
        self.0.spans.fetch_add(batch.span_count(), Ordering::SeqCst);
        self.call().await;
        Ok(())
    }

    async fn flush(&self) -> Result<(), ExportError> {
        self.call().await;
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), ExportError> {
        self.0.shutdowns.fetch_add(1, Ordering::SeqCst);
        self.call().await;
        Ok(())
    }

    fn batching(&self) -> Batching {
        Batching::immediate()
    }
}

#[test]
fn calls_come_from_one_thread_of_the_exporter_never_overlap_and_bring_spans() {
    const PER_THREAD: usize = 200;
    let first = Arc::new(Calls::default());
    let second = Arc::new(Calls::default());
    let pipeline = Pipeline::builder("shop")
        .with_sampler(AlwaysOn)
        .with_exporter(Watched(Arc::clone(&first)))
        .with_exporter(Watched(Arc::clone(&second)))
        .start()
        .unwrap();

    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let tracer = pipeline.tracer();
                for number in 0..PER_THREAD {
                    drop(tracer.start_span("work"));
                    if number % 50 == 0 {
                        pipeline.flush(Duration::from_secs(60)).unwrap();
                    }
                }
            });
        }
    });
    pipeline.shutdown(Duration::from_secs(60)).unwrap();
    drop(pipeline);

    let mut threads = HashSet::from([thread::current().id()]);
    for calls in [first, second] {
        assert!(!calls.overlapped.load(Ordering::SeqCst));
        assert_eq!(calls.empty.load(Ordering::SeqCst), 0);
        assert_eq!(calls.spans.load(Ordering::SeqCst), 4 * PER_THREAD);
        assert_eq!(calls.shutdowns.load(Ordering::SeqCst), 1);
        let own = calls.threads.lock().unwrap();
        assert_eq!(own.len(), 1);
        assert!(threads.is_disjoint(&own), "the thread is the exporter's own");
        threads.extend(own.iter());
    }
}
