//! OTLP over real sockets: what arrives, what the answers lead to, and that nothing is sent twice.

#[path = "otlp/encoding.rs"]
mod encoding;
#[path = "otlp/grpc.rs"]
mod grpc;
#[path = "otlp/http.rs"]
mod http;
#[cfg(feature = "jaeger")]
#[path = "otlp/jaeger.rs"]
mod jaeger;
#[path = "otlp/made.rs"]
mod made;
#[path = "otlp/server.rs"]
mod server;
#[path = "otlp/splitting.rs"]
mod splitting;
#[path = "otlp/through_a_pipeline.rs"]
mod through_a_pipeline;
#[cfg(feature = "otlp-tls")]
#[path = "otlp/tls.rs"]
mod tls;

use tailtrace::{ExportError, Exporter, OtlpExporter, OtlpExporterBuilder, Trace};
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
        self.runtime.block_on(self.exporter.export(batch))
    }

    #[track_caller]
    fn refused(&self, batch: &[Trace]) -> ExportError {
        self.export(batch).expect_err("the batch is not accepted")
    }
}
