#!/usr/bin/env bash
# What building with us costs: CPU seconds of a cold release build, and bytes of the stripped
# program, beside the same small program under the peers.
#
#     benches/build.sh                   # prints the ratios
#     benches/build.sh --check           # and exits 1 when one is worse than what is known
#     ROUNDS=2 benches/build.sh          # the least of two rounds, on a machine with other work
#     TIMINGS=dir benches/build.sh       # and leaves cargo's report on each crate in that directory
#
# Four programs that make one span of `tracing`, each written into a directory of its own and built
# without the network, from the versions in Cargo.lock. Seconds are those of the compiler and all it
# starts; they are this machine's and this hour's: quote ratios.
#
#     fmt          tracing, tracing-subscriber: the log lines that every program has
#     tailtrace    the same, and a pipeline that prints to the console through the layer
#     peer         the first, and tracing-opentelemetry with opentelemetry-otlp: traces by HTTP, no more
#     otlp         the second, exporting by OTLP: HTTP and gRPC
set -euo pipefail
root="$(cd "$(dirname "$0")/.." && pwd)"
exec </dev/null

check=0
case "${1:-}" in
"") ;;
--check) check=1 ;;
*)
    echo "usage: benches/build.sh [--check]" >&2
    exit 2
    ;;
esac

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
export CARGO_NET_OFFLINE=true CARGO_BUILD_JOBS=2 CARGO_INCREMENTAL=0
# What would build with other settings, or without building.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER CARGO_BUILD_TARGET CARGO_TARGET_DIR

# `program NAME DEPENDENCIES`: a package of that name, its `main` from standard input.
program() {
    mkdir -p "$work/$1/src"
    cat >"$work/$1/src/main.rs"
    cp "$root/Cargo.lock" "$work/$1/Cargo.lock"
    cat >"$work/$1/Cargo.toml" <<TOML
[package]
name = "build-$1"
version = "0.0.0"
edition = "2024"

[workspace]

[dependencies]
tracing = "0.1"
tracing-subscriber = "0.3"
$2
TOML
}

program fmt "" <<'RUST'
fn main() {
    tracing_subscriber::fmt().init();
    tracing::info_span!("order", id = 1).in_scope(|| tracing::info!("paid"));
}
RUST

program tailtrace "tailtrace = { path = \"$root\" }" <<'RUST'
use tailtrace::{ConsoleExporter, Errors, Pipeline, TailSampler};
use tracing_subscriber::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pipeline = Pipeline::builder("shop")
        .with_tail(TailSampler::new().keep(Errors))
        .with_exporter(ConsoleExporter::stdout())
        .start()?;
    tracing_subscriber::registry().with(pipeline.layer()).with(tracing_subscriber::fmt::layer()).init();
    tracing::info_span!("order", id = 1).in_scope(|| tracing::info!("paid"));
    pipeline.shutdown(std::time::Duration::from_secs(5))?;
    Ok(())
}
RUST

program peer 'tracing-opentelemetry = { version = "0.34", default-features = false, features = ["tracing-log"] }
opentelemetry = { version = "0.33", default-features = false, features = ["trace"] }
opentelemetry_sdk = { version = "0.33", default-features = false, features = ["trace"] }

[dependencies.opentelemetry-otlp]
version = "0.33"
default-features = false
features = ["http-proto", "reqwest-blocking-client", "trace"]' <<'RUST'
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let exporter = SpanExporter::builder().with_http().build()?;
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("shop"));
    tracing_subscriber::registry().with(layer).with(tracing_subscriber::fmt::layer()).init();
    tracing::info_span!("order", id = 1).in_scope(|| tracing::info!("paid"));
    provider.shutdown()?;
    Ok(())
}
RUST

program otlp "tailtrace = { path = \"$root\", features = [\"otlp\"] }" <<'RUST'
use tailtrace::{Errors, OtlpExporter, Pipeline, TailSampler};
use tracing_subscriber::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pipeline = Pipeline::builder("shop")
        .with_tail(TailSampler::new().keep(Errors))
        .with_exporter(OtlpExporter::new("http://localhost:4318")?)
        .start()?;
    tracing_subscriber::registry().with(pipeline.layer()).with(tracing_subscriber::fmt::layer()).init();
    tracing::info_span!("order", id = 1).in_scope(|| tracing::info!("paid"));
    pipeline.shutdown(std::time::Duration::from_secs(5))?;
    Ok(())
}
RUST

# `build NAME`: builds it cold, and prints its seconds of CPU.
build() {
    local report=()
    [ -z "${TIMINGS:-}" ] || report=(--timings)
    rm -rf "$work/$1/target"
    local TIMEFORMAT='%U %S'
    { time cargo build --quiet --release --manifest-path "$work/$1/Cargo.toml" --target-dir "$work/$1/target" \
        "${report[@]}" >"$work/log" 2>&1 || touch "$work/failed"; } 2>"$work/seconds"
    if [ -e "$work/failed" ]; then
        cat "$work/log" >&2
        return 1
    fi
    if [ -n "${TIMINGS:-}" ]; then
        mkdir -p "$TIMINGS"
        cp "$work/$1/target/cargo-timings/cargo-timing.html" "$TIMINGS/$1.html"
    fi
    awk '{ printf "%.1f\n", $1 + $2 }' "$work/seconds"
}

# `size NAME`: bytes of the built program, stripped.
size() {
    strip -o "$work/stripped" "$work/$1/target/release/build-$1"
    stat -c %s "$work/stripped"
}

# Dependencies are resolved before the clock runs.
programs=(fmt tailtrace peer otlp)
declare -A seconds bytes
for name in "${programs[@]}"; do
    cargo metadata --format-version 1 --manifest-path "$work/$name/Cargo.toml" >/dev/null
done
for ((round = 0; round < ${ROUNDS:-1}; round++)); do
    for name in "${programs[@]}"; do
        now="$(build "$name")"
        seconds[$name]="$(printf '%s\n' "$now" "${seconds[$name]:-$now}" | sort -g | head -n 1)"
        bytes[$name]="$(size "$name")"
    done
done

printf '%-10s %12s %12s\n' program "CPU seconds" "MB stripped"
for name in "${programs[@]}"; do
    printf '%-10s %12s %12s\n' "$name" "${seconds[$name]}" \
        "$(awk -v bytes="${bytes[$name]}" 'BEGIN { printf "%.2f", bytes / 1e6 }')"
done

short=()
worse=0
# `judge OURS PEER GOAL KNOWN`: KNOWN is the most that the ratio was where it falls short of its goal, with
# room for noise; more is worse than before. The manual's decisions say what was tried.
judge() {
    local ratio verdict=reached
    ratio="$(awk -v ours="${seconds[$1]}" -v peer="${seconds[$2]}" 'BEGIN { printf "%.2f", ours / peer }')"
    if awk -v ratio="$ratio" -v goal="$3" 'BEGIN { exit !(ratio > goal) }'; then
        verdict="FALLS SHORT"
        short+=("$1: $ratio times $2, wanted <= $3")
        awk -v ratio="$ratio" -v known="$4" 'BEGIN { exit !(ratio > known) }' && worse=1
    fi
    printf '%-10s %8.2f times %-6s goal %.1f   %s\n' "$1" "$ratio" "$2" "$3" "$verdict"
}
echo
judge tailtrace fmt 3.0 5.4
judge otlp peer 1.0 1.15

if [ "$check" -eq 1 ] && [ "${#short[@]}" -gt 0 ]; then
    printf 'falls short: %s\n' "${short[@]}" >&2
    if [ "$worse" -eq 1 ]; then
        echo "and more is spent than was known" >&2
        exit 1
    fi
fi
