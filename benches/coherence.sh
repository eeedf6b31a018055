#!/usr/bin/env bash
# What coherence gives and costs: five processes, 10,000 traces a second, on a real NATS and a real Redis.
#
#     benches/coherence.sh            # every number beside its bound; about four minutes after the build
#     benches/coherence.sh --check    # and exit 1 where one is missed
#
# The services are those of tests/interop/buses.sh, built for release. Shares of whole traces hold on a busy machine too;
# lag and CPU need one that is otherwise idle.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "${1:-}" = --check ]; then
    export TAILTRACE_BUSES_CHECK=1
fi
exec bash tests/interop/buses.sh release --ignored --exact bench::measure --nocapture
