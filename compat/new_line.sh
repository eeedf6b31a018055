#!/usr/bin/env bash
# Makes the crate of a line of OpenTelemetry: compat/new_line.sh 33
#
# Run it when the main crate has moved to the next line; compat/README.md says what else to do.
set -euo pipefail
cd "$(dirname "$0")"

line="${1:?usage: compat/new_line.sh MINOR, such as 33 for OpenTelemetry 0.33}"
crate="otel-0-$line"
name="tailtrace-$crate"
module="${name//-/_}"
if [ -e "$crate" ]; then
    echo "compat/$crate is there already"
    exit 1
fi

mkdir -p "$crate/src" "$crate/tests"
ln -s ../shared/build.rs "$crate/build.rs"
ln -s ../../LICENSE-APACHE ../../LICENSE-MIT "$crate/"
ln -s ../../../src/otel/adapter "$crate/src/adapter"
ln -s ../../shared/rooms.rs "$crate/src/rooms.rs"
ln -s ../../../tests/otel/suite "$crate/tests/suite"
ln -s ../../shared/tests "$crate/tests/compat"

cat >"$crate/Cargo.toml" <<TOML
[package]
name = "$name"
description = "Tail sampling inside the process for services on OpenTelemetry 0.$line: the adapters of tailtrace."
version.workspace = true
edition.workspace = true
rust-version.workspace = true
license.workspace = true
repository.workspace = true
readme = "README.md"
keywords = ["tracing", "sampling", "observability", "opentelemetry", "tail-sampling"]
categories = ["development-tools::profiling", "development-tools::debugging"]
include = ["src/**", "build.rs", "README.md", "LICENSE-*"]

[lints]
workspace = true

[dependencies]
async-trait = "0.1.80"
opentelemetry = { version = "0.$line", default-features = false, features = ["trace"] }
opentelemetry_sdk = { version = "0.$line", default-features = false, features = ["trace"] }
tailtrace = { version = "0.1.0", path = "../..", default-features = false, features = ["bridge"] }

[dev-dependencies]
proptest = { version = "1.6", default-features = false, features = ["std"] }
tailtrace = { path = "../..", default-features = false, features = ["layer", "testing"] }
tokio = { version = "1.40", default-features = false, features = ["macros", "net", "rt-multi-thread", "sync", "time"] }
tracing = "0.1.40"
tracing-opentelemetry = { version = "0.$((line + 1))", default-features = false }
tracing-subscriber = { version = "0.3.20", default-features = false, features = ["registry", "std"] }
TOML

cat >"$crate/README.md" <<README
# tailtrace for OpenTelemetry 0.$line

For services on OpenTelemetry 0.$line: \`HeadSampler\`, \`TailSpanProcessor\`, \`OtelExporter\`, \`SpanExporterBridge\`,
\`FromShouldSample\`, \`Propagator\`, \`convert\`, \`install\` and \`share_context\` of \`tailtrace::otel\`; its \`TracerProvider\`,
\`IdGenerator\` and \`metrics\` are for the newest line only. No other line comes along as long as the feature \`otel\` of \`tailtrace\` is off:
\`tailtrace-otel-0-$line = { path = "../tailtrace/compat/otel-0-$line" }\` beside \`tailtrace = { path = "../tailtrace" }\`. The tail
takes the place of the batch processor:

\`\`\`rust
use opentelemetry_sdk::trace::SdkTracerProvider;
use tailtrace::{ConsoleExporter, Errors, Fraction, Pipeline, TailSampler};
use $module::{HeadSampler, TailSpanProcessor};

let tail = TailSampler::new().keep(Errors).keep(Fraction::new(0.01)?);
let exporter = ConsoleExporter::stdout(); // or OtelExporter::new(the exporter you have)
let pipeline = Pipeline::builder("checkout").with_tail(tail).with_exporter(exporter).start()?;
let provider = SdkTracerProvider::builder()
    .with_sampler(HeadSampler::new(&pipeline))
    .with_span_processor(TailSpanProcessor::new(&pipeline)) // was: .with_batch_exporter(..)
    .build();
provider.shutdown()?; // Also shuts the pipeline down.
# Ok::<(), Box<dyn std::error::Error>>(())
\`\`\`

The layer of \`tracing-opentelemetry\` keeps its place, with all that is built on it, by one call in the place of all that
makes a provider: \`tracing_opentelemetry::layer().with_tracer($module::install(&pipeline))\`. A log bridge beside our own
layer needs \`$module::share_context(&pipeline)\`: without it the records have no trace ids.
README

cat >"$crate/src/lib.rs" <<RUST
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod adapter;
mod rooms;

pub use adapter::{
    FromShouldSample, HeadSampler, OtelExporter, Propagator, SdkSpan, SpanExporterBridge,
    TailSpanProcessor, convert, from_context, incoming_of, install, share_context, to_context,
};
// The adapter is the main crate's source and names its rooms by \`crate::\`.
use rooms::{delivery, export, model, pipeline, propagation, record, sampling, time, trace};
RUST

cat >"$crate/tests/adapter_suite.rs" <<RUST
//! What every line of OpenTelemetry must do, on 0.$line.

mod compat;
mod suite;

/// What the suite tests.
use $module as adapter;
RUST

# The members stand in order.
members="$(ls -d otel-0-* | sed 's|.*|"compat/&", |' | tr -d '\n')"
sed -i -E "/^members = /{s|\"compat/otel-0-[0-9]+\", ||g; s|(\"compat/side-by-side\")|${members}\1|}" ../Cargo.toml
echo "compat/$crate is made; see compat/README.md for what to do now"
