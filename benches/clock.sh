#!/usr/bin/env bash
# CPU time per span, ours beside that of the peers: what instruction counts hide.
#
#     benches/clock.sh                    # every row, as a table
#     benches/clock.sh flat-1 ring        # rows whose workload begins with one of the words
#     benches/clock.sh --check            # a short form that judges ratios of one run; says which fall short
#                                         # of their reach, and exits 1 when one is worse than is known
#     benches/clock.sh --chart            # draws assets/clock.svg and prints the table in COMPARE.md
#
# TURNS=50 makes more turns. Each row runs in a process of its own; the processes take turns of some
# milliseconds, and a number is the median of all turns. Absolute numbers are this machine's and this hour's: quote ratios.
# Ratios of two threads to one are divided by that of a loop that shares nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null

cargo build --quiet --release --locked -p tailtrace-benches --bin clock
target="$(cargo metadata --format-version 1 --no-deps --locked |
    sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')"
if [ "${1:-}" = --check ]; then
    exec "$target/release/clock" check "${TURNS:-15}"
elif [ "${1:-}" = --chart ]; then
    exec "$target/release/clock" chart "${TURNS:-25}" assets/clock.svg
fi
exec "$target/release/clock" table "${TURNS:-25}" "$@"
