//! What strangers and secrets may do, row by row: the table in `README.md` names an attack, what holds, and
//! the test that shows it.

#[cfg(all(feature = "jaeger", feature = "zipkin"))]
mod answers;
mod border;
mod budgets;
mod calls;
#[cfg(all(feature = "otlp", feature = "zipkin"))]
mod echoes;
mod exporters;
mod files;
mod injection;
#[cfg(all(feature = "otlp", feature = "zipkin"))]
#[path = "../support/lines.rs"]
mod lines;
mod public_types;
mod redaction;
mod secrets;
mod survival;
mod table;
