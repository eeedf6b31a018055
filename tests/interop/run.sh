#!/usr/bin/env bash
# Runs the tests against a real Jaeger and a real collector: tests/interop/run.sh
#
# Builds Jaeger from the Go module in `jaeger/`, once, into a cache folder outside
# of the tree, starts the servers on free ports of 127.0.0.1, runs `cargo test
# --test interop`, and stops what it started. Arguments go to the test program:
# `tests/interop/run.sh every_field`.
#
# `TAILTRACE_JAEGER` names a binary that is already there. Without one and without
# Go nothing is tested, which this says; that is not a failure.
set -euo pipefail
cd "$(dirname "$0")/../.."
exec </dev/null
# shellcheck source=tests/interop/servers.sh
source tests/interop/servers.sh

readonly FEATURES="otel,otlp,zipkin"
readonly TEST_LIMIT=900 # seconds, with the build of the tests

need_jaeger "the tests against real servers"
start JAEGER tests/interop/servers/jaeger.yaml
start COLLECTOR tests/interop/servers/collector.yaml
# Tests that kill a server start their own.
export TAILTRACE_INTEROP_JAEGER_BINARY="$jaeger"
export TAILTRACE_INTEROP_SCRATCH="$scratch"

# The tests run it, but it is a package of its own.
cargo build --quiet -p tailtrace-web-example
export TAILTRACE_INTEROP_WEB_EXAMPLE="${CARGO_TARGET_DIR:-$PWD/target}/debug/tailtrace-web-example"

# In the background, so that a signal ends the tests at once, and their servers too.
run_tests() {
    cargo test --features "$FEATURES" --test interop -- "$@" &&
        cargo test -p tailtrace-jaeger --test interop -- "$@"
}
export -f run_tests
export FEATURES
timeout "$TEST_LIMIT" bash -c 'run_tests "$@"' run_tests "$@" &
pids+=("$!")
code=0
wait "$!" || code=$?
unset 'pids[-1]'
if [ "$code" -ne 0 ]; then
    for log in "$scratch"/*.log; do
        echo "== the end of $(basename "$log")"
        tail -n 20 "$log"
    done
fi
exit "$code"
