#!/usr/bin/env bash
# What coherence gives and costs: five processes, 10,000 traces a second, on a real NATS and a real Redis.
#
#     benches/coherence.sh            # every number beside its bound; about four minutes after the build
#     benches/coherence.sh --check    # and exit 1 where one is missed
#
# Last comes what two tiers of collectors cost for the same work: the binary of tests/interop is both, and is built from
# its Go modules where there is none yet.
#
# The services are those of tests/interop/buses.sh, built for release. Shares of whole traces hold on a busy machine too;
# lag and CPU need one that is otherwise idle.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "${1:-}" = --check ]; then
    export TAILTRACE_BUSES_CHECK=1
fi
# A subshell, because these functions end the script where there is nothing to run.
TAILTRACE_JAEGER="$(
    exec 3>&1 >&2
    source tests/interop/servers.sh
    need_jaeger "the comparison with two tiers of collectors"
    echo "$jaeger" >&3
)"
export TAILTRACE_JAEGER
exec bash tests/interop/buses.sh release --ignored --exact bench::measure --nocapture
