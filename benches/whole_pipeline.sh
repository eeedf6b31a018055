#!/usr/bin/env bash
# What a service pays to have "errors, slow, 1 % of the rest" in Jaeger, in CPU
# time of the service and of the server behind it:
#
#     benches/whole_pipeline.sh [TRACES]    # of ten spans each; default 50,000
#
#   peer   tracing-opentelemetry, the SDK's batch processor and opentelemetry-otlp
#          send everything to a collector, whose tail_sampling decides
#   swap   the same, but with our span processor, which decides in the process, in
#          place of the batch processor; what is kept goes to Jaeger
#   ours   our layer and our tail decide in the process; what is kept goes to Jaeger
#   own    the same with our subscriber in the place of a registry with our layer
#
# One program with the same spans for all, gRPC for all. The collector and Jaeger
# are one and the same binary, see tests/interop/; the server of the peer is the
# collector with a Jaeger inside, that of the others is the Jaeger alone. A server's time is taken
# until it has decided about everything, and without the query that counts.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null
# shellcheck source=tests/interop/servers.sh
source tests/interop/servers.sh

readonly TRACES="${1:-50000}"
readonly DECIDED=8 # seconds after the last span; the collector waits for 3 before it decides

need_jaeger "the bench of the whole pipeline"
cargo build --quiet --release --locked -p tailtrace-benches --features otlp --bin whole_pipeline
readonly BIN="${CARGO_TARGET_DIR:-target}/release/whole_pipeline"
start JAEGER tests/interop/servers/jaeger.yaml
start COLLECTOR benches/servers/collector.yaml

# Milliseconds of CPU time that a process has used; the system counts hundredths of a second.
cpu_of() {
    local stat
    stat="$(<"/proc/$1/stat")"
    read -r -a stat <<<"${stat##*) }"
    echo $(((stat[11] + stat[12]) * 10))
}

# measure SIDE SERVER: sets `service` and `server`, milliseconds, and `counts`.
measure() {
    local side="$1" url="TAILTRACE_INTEROP_$2_GRPC" query="TAILTRACE_INTEROP_$2_QUERY" before
    before="$(cpu_of "${pid_of[$2]}")"
    service="$(timeout 600 "$BIN" "$side" "${!url}" "$TRACES")"
    sleep "$DECIDED"
    server=$(($(cpu_of "${pid_of[$2]}") - before))
    read -r -a counts <<<"$("$BIN" count "${!query}" "$side")"
}

# Per 1,000 spans, with two decimals.
per_1000() {
    awk -v ms="$1" -v traces="$TRACES" 'BEGIN { printf "%.2f", ms * 1000 / (traces * 10) }'
}

echo
echo "CPU milliseconds per 1,000 spans; $TRACES traces of 10 spans, 1 % failed, 1 % slow"
printf '%-6s %9s %9s %9s   %s\n' "" service server both "kept: failed, slow, others (spans)"
declare -A total=() kept=()
for side in peer swap ours own; do
    if [ "$side" = peer ]; then measure peer COLLECTOR; else measure "$side" JAEGER; fi
    total[$side]=$((service + server))
    kept[$side]="${counts[0]} ${counts[1]}"
    printf '%-6s %9s %9s %9s   %s, %s, %s (%s)\n' "$side" "$(per_1000 "$service")" \
        "$(per_1000 "$server")" "$(per_1000 "${total[$side]}")" "${counts[@]}"
done
awk -v peer="${total[peer]}" -v swap="${total[swap]}" -v ours="${total[ours]}" \
    -v own="${total[own]}" 'BEGIN {
    printf "the peer takes %.1f times as much as swap, %.1f times as much as ours and %.1f times as much as own\n",
        peer / swap, peer / ours, peer / own
}'

expected="$((TRACES / 100)) $((TRACES / 100))"
for side in peer swap ours own; do
    if [ "${kept[$side]}" != "$expected" ]; then
        echo "$side should have kept $expected of those that failed and were slow, so the comparison is void"
        exit 1
    fi
done
