//! One line to begin: logs, traces, export and propagation as a service needs them.
//!
//! ```no_run
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let _guard = tailtrace::init("shop")?; // Hold it in `main`: it flushes when it goes.
//!     tracing::info_span!("place_order").in_scope(|| tracing::info!("asking the bank"));
//!     Ok(())
//! }
//! ```
//!
//! # What it installs
//! | part | what it is | replaced by |
//! |---|---|---|
//! | logs | `fmt` with trace ids on standard output: text on a terminal, JSON elsewhere; `info`, and the exporters' own HTTP client silent | `RUST_LOG`, [`with_logs`](InitBuilder::with_logs), [`with_json_logs`](InitBuilder::with_json_logs) |
//! | spans | a [`TraceSubscriber`](crate::TraceSubscriber) with a filter of its own: `info`, and the spans of our HTTP layers always; a [`TraceLayer`](crate::TraceLayer) where the filter asks for names or fields of spans, as in `[place_order]=debug`, which costs about twice as much | `TAILTRACE_FILTER`, [`with_span_filter`](InitBuilder::with_span_filter) |
//! | tail | errors, the slowest hundredth of each operation, and ten traces per second of the rest | `TAILTRACE_TAIL`, [`with_tail`](InitBuilder::with_tail) |
//! | export | OTLP where `OTEL_EXPORTER_OTLP_*` says where (feature `otlp`), or what `OTEL_TRACES_EXPORTER` names; else waterfalls on a terminal; else nothing, and a line that says so | [`with_exporter`](InitBuilder::with_exporter) |
//! | headers | those of `OTEL_PROPAGATORS`, W3C by default, in tracers and HTTP layers that are made afterwards | `with_propagator` there |
//! | panics | a hook that logs each panic as an error of the span it happens in, and then calls the hook there was | [`with_panic_hook`](InitBuilder::with_panic_hook) |
//!
//! All `OTEL_*` variables are read, as [`config::from_env`](crate::config::from_env) reads them. No handler of
//! signals is installed unless [`with_signals`](InitBuilder::with_signals) asks for it: a server that drains on
//! SIGTERM returns from `main`, and the guard flushes.
//!
//! # `TAILTRACE_TAIL`
//! A list such as `errors,slow=500ms,slowest=0.99,fraction=0.01,budget=50/s`: what any part keeps is kept. `budget`
//! bounds the fraction, or without one keeps as much of what nothing else keeps; errors and slow traces do not count
//! against it. A value that cannot be understood is ignored as a whole, with one warning.
//!
//! # By hand
//! But for the panic hook and the filter of what the exporters' own threads log, a program can do the same with the
//! crate's public API:
//!
//! ```no_run
//! use std::io::IsTerminal;
//! use tailtrace::layer::TraceFilter;
//! use tailtrace::tail::{PerSecond, Slowest};
//! use tailtrace::{Errors, TailSampler, TraceIds, config};
//! use tracing_subscriber::{EnvFilter, fmt, prelude::*};
//!
//! let settings = config::from_env().with_default_service_name("shop");
//! let tail = TailSampler::new()
//!     .keep(Errors)
//!     .keep(Slowest::percentile(0.99)?)
//!     .keep(PerSecond::new(10.0)?);
//! let pipeline = settings.pipeline()?.with_tail(tail).start()?;
//! let logs = fmt::layer().with_ansi(std::io::stdout().is_terminal()).map_event_format(TraceIds::text);
//! let filter = EnvFilter::builder().parse(settings.log_filter().unwrap_or("info"))?;
//! let logs = tracing_subscriber::registry().with(logs.with_filter(filter));
//! let spans = format!("{},tailtrace::http=info", settings.span_filter().unwrap_or("info"));
//! pipeline.subscriber().with_filter(spans.parse::<TraceFilter>()?).with_logs(logs).init();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Feature `init`.

mod builder;
mod destination;
mod directives;
pub(crate) mod entry;
mod error;
mod filters;
mod guard;
mod logs;
mod panic_hook;

pub use builder::InitBuilder;
pub use entry::builder;
pub use error::InitError;
pub use guard::Guard;
