//! What leaves the process and where to.
//!
//! An [`Exporter`] is handed batches of kept traces; when and how often is delivery's affair.

mod batching;
pub(crate) mod console;
mod error;
pub(crate) mod exporter;
pub(crate) mod file;
#[cfg(feature = "jaeger")]
pub(crate) mod jaeger;
mod json;
pub(crate) mod memory;
#[cfg(feature = "otlp")]
pub(crate) mod otlp;
pub(crate) mod tree;
#[cfg(feature = "zipkin")]
pub(crate) mod zipkin;

pub use batching::Batching;
pub(crate) use console::ConsoleExporter;
pub use error::ExportError;
pub(crate) use exporter::Exporter;
pub use file::{FileError, Rotation};
#[cfg(feature = "otlp")]
pub(crate) use otlp::OtlpExporter;
#[cfg(feature = "otlp")]
pub use otlp::{OtlpError, OtlpExporterBuilder, OtlpProtocol};
#[cfg(feature = "zipkin")]
pub use zipkin::{ZipkinError, ZipkinExporterBuilder};
