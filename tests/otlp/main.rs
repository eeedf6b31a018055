//! OTLP over real sockets: what arrives, what the answers lead to, and that nothing is sent twice.

mod bytes_sent;
mod encoding;
mod grpc;
mod http;
#[cfg(feature = "jaeger")]
mod jaeger;
mod made;
#[cfg(feature = "tls")]
#[path = "../faults/relay.rs"]
mod relay;
mod server;
mod splitting;
mod through_a_pipeline;
#[cfg(feature = "tls")]
mod tls;

use tailtrace::export::{Batch, ExportError, OtlpExporterBuilder};
use tailtrace::{Exporter, OtlpExporter, Trace};
use tokio::runtime::Runtime;

/// An exporter with the runtime that delivery would give it.
struct Caller {
    runtime: Runtime,
    exporter: OtlpExporter,
}

impl Caller {
    fn new(builder: OtlpExporterBuilder) -> Self {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let exporter = builder.build().unwrap();
        Self { runtime: runtime.enable_all().build().unwrap(), exporter }
    }

    fn export(&self, batch: &[Trace]) -> Result<(), ExportError> {
        self.export_batch(Batch::from(batch))
    }

    fn export_batch(&self, batch: Batch) -> Result<(), ExportError> {
        self.runtime.block_on(self.exporter.export(batch))
    }

    #[track_caller]
    fn refused(&self, batch: &[Trace]) -> ExportError {
        self.export(batch).expect_err("the batch is not accepted")
    }
}
