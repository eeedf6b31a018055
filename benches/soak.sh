#!/usr/bin/env bash
# Random faults at 300 spans a second, to a peer by HTTP, one by gRPC and one behind a spool: nothing may be unaccounted for
# in any sample, nothing may be lost, and the heap at rest may grow by less than 1 MiB an hour.
#
#     benches/soak.sh          # ten minutes after the build
#     benches/soak.sh 120      # that many seconds
#
# TAILTRACE_SOAK_SEED repeats the faults of an earlier run, which tells its own. TAILTRACE_SOAK_PROFILE=dev spares the build
# for release. It is no part of .ci/run.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null

export TAILTRACE_SOAK_SECONDS="${1:-600}"
exec cargo test --quiet --locked --profile "${TAILTRACE_SOAK_PROFILE:-release}" --all-features --test soak -- \
    --ignored --exact random_faults_leave_nothing_unaccounted_for_and_the_heap_as_it_was --nocapture
