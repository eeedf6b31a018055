#!/usr/bin/env bash
# Spans delivered by OTLP per second of CPU, ours beside `opentelemetry-otlp` behind
# `tracing-opentelemetry`, over HTTP and gRPC, with how many times the peer we are.
#
#     benches/otlp.sh            # a million spans a row
#     benches/otlp.sh 200000     # that many
#
# Goals: 500,000 bare spans, five times the peer; rich ones three times the peer.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null

cargo build --quiet --release --locked -p tailtrace-benches --features otlp --bin otlp
target="$(cargo metadata --format-version 1 --no-deps --locked |
    sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')"
exec "$target/release/otlp" "${1:-1000000}"
