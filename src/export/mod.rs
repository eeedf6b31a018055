//! What leaves the process and where to.
//!
//! At the root of the crate: the trait [`Exporter`], [`ConsoleExporter`],
//! [`FileExporter`](crate::FileExporter), [`InMemoryExporter`](crate::InMemoryExporter), and with their features
//! `OtlpExporter`, `JaegerExporter` and `ZipkinExporter`. All other names of exporting are here.
//!
//! An [`Exporter`] is handed batches of kept traces; when and how often is delivery's affair.

mod batch;
mod batching;
pub(crate) mod console;
mod error;
pub(crate) mod escape;
pub(crate) mod exporter;
pub(crate) mod file;
#[cfg(feature = "http-client")]
mod http;
#[cfg(feature = "jaeger")]
pub(crate) mod jaeger;
mod json;
pub(crate) mod memory;
#[cfg(feature = "otlp")]
pub(crate) mod otlp;
mod protocol;
#[cfg(feature = "http-client")]
mod scope;
pub(crate) mod tree;
#[cfg(feature = "zipkin")]
pub(crate) mod zipkin;

pub use batch::Batch;
pub(crate) use batch::{Loan, Progress, TraceSizes};
pub use batching::Batching;
pub(crate) use console::ConsoleExporter;
pub use console::ConsoleExporterBuilder;
pub use error::ExportError;
pub(crate) use exporter::Exporter;
pub use file::{FileError, FileExporterBuilder, Rotation};
#[cfg(feature = "http-client")]
pub use http::HttpError;
#[cfg(feature = "http-client")]
pub(crate) use http::{is_endpoint, is_proxied, is_proxy};
#[cfg(feature = "jaeger")]
pub use jaeger::JaegerExporterBuilder;
#[cfg(feature = "otlp")]
pub(crate) use otlp::OtlpExporter;
#[cfg(feature = "otlp")]
pub use otlp::OtlpExporterBuilder;
pub use protocol::OtlpProtocol;
#[cfg(feature = "zipkin")]
pub use zipkin::ZipkinExporterBuilder;
