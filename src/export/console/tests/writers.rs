//! What is written to a writer, and what its failures lead to.

use std::io::Write;
use std::sync::Mutex;

use super::*;
use crate::kit::unwind_safe::lock;

/// What was done to a writer.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<String>>>);

impl Write for Recorder {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        lock(&self.0).push(String::from_utf8(buf.to_vec()).unwrap());
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        lock(&self.0).push("flush".to_owned());
        Ok(())
    }
}

#[test]
fn each_trace_is_one_write_and_flushed() {
    let recorder = Recorder::default();
    let console = ConsoleExporter::builder().with_writer(recorder.clone()).build();
    let batch = [order(), trace(span("b"))];
    block_on(console.export(Batch::from(&batch[..]))).unwrap();
    let drawings = batch.each_ref().map(|trace| console.render(trace) + "\n");
    let [first, second] = &drawings;
    assert_eq!(*lock(&recorder.0), [first, "flush", second, "flush"]);
}

/// Fails after some writes.
struct Closing(usize);

impl Write for Closing {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self.0.checked_sub(1) {
            Some(left) => {
                self.0 = left;
                Ok(buf.len())
            }
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_closed_pipe_is_a_lasting_error_and_counts_what_was_drawn() {
    let batch = [trace(span("a")), order(), trace(span("b"))];
    let console = ConsoleExporter::builder().with_writer(Closing(1)).build();
    let partly = block_on(console.export(Batch::from(&batch[..]))).unwrap_err();
    assert_eq!(partly.rejected_spans(), Some(9));
    let error = block_on(console.export(Batch::from(&batch[..]))).unwrap_err();
    assert!(!error.is_retryable() && error.rejected_spans().is_none());
    assert_eq!(error.to_string(), "cannot write to the console exporter's writer: broken pipe");
}

struct Panicking;

impl Write for Panicking {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        panic!("a writer of somebody else's");
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_writer_that_panicked_is_not_asked_again() {
    let console = ConsoleExporter::builder().with_writer(Panicking).build();
    let batch = [trace(span("a"))];
    let caught =
        crate::kit::unwind_safe::call(|| block_on(console.export(Batch::from(&batch[..]))));
    assert!(caught.is_none());
    let error = block_on(console.export(Batch::from(&batch[..]))).unwrap_err();
    assert!(error.to_string().contains("the writer panicked"), "{error}");
}
