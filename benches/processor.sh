#!/usr/bin/env bash
# What our span processor costs the spans of OpenTelemetry's SDK, beside the SDK's own
# batch processor.
#
#     benches/processor.sh            # prints the ratios
#     benches/processor.sh --check    # and exits 1 when one is worse than what is known
#
# Instructions per span on all threads, less those of a processor that does nothing:
# what is left is the processor's. Spans are bare, or have ten tags and a log entry;
# their traces have ten spans, and are all dropped by our tail, or all kept. The batch
# processor keeps every span, so it is the measure for both.
set -euo pipefail
cd "$(dirname "$0")/.."

check=0
case "${1:-}" in
"") ;;
--check) check=1 ;;
*)
    echo "usage: benches/processor.sh [--check]" >&2
    exit 2
    ;;
esac

rows="$(benches/instructions.sh processor_)"

# `all_of WORKLOAD LIBRARY`: its instructions on all threads.
all_of() {
    awk -v workload="$1" -v library="$2" \
        '$1 == workload && $2 == library { print $4; found = 1 } END { exit !found }' <<<"$rows"
}

# The most that a ratio was where it falls short of its goal; more is worse than before. The manual's
# decisions say what was tried.
known_of() {
    case "$1" in
    dropped_bare) echo 1.06 ;;
    dropped_rich) echo 1.12 ;;
    kept_bare) echo 1.70 ;;
    kept_rich) echo 1.88 ;;
    esac
}

short=()
worse=0
printf '%-14s %10s %10s %8s   %s\n' spans ours batch ratio goal
for spans in bare rich; do
    none="$(all_of "processor_dropped_$spans" none)"
    batch="$(all_of "processor_kept_$spans" opentelemetry-batch)"
    for fate in dropped kept; do
        goal=0.7
        [ "$fate" = dropped ] || goal=1.3
        ours="$(all_of "processor_${fate}_$spans" tailtrace)"
        ratio="$(awk -v ours="$ours" -v batch="$batch" -v none="$none" \
            'BEGIN { printf "%.2f", (ours - none) / (batch - none) }')"
        verdict=reached
        if awk -v ratio="$ratio" -v goal="$goal" 'BEGIN { exit !(ratio > goal) }'; then
            verdict="FALLS SHORT"
            short+=("${fate}_$spans: $ratio times the batch processor, wanted <= $goal")
            awk -v ratio="$ratio" -v known="$(known_of "${fate}_$spans")" \
                'BEGIN { exit !(ratio > known) }' && worse=1
        fi
        printf '%-14s %10s %10s %8s   <= %s: %s, checked <= %s\n' "${fate}_$spans" \
            "$((ours - none))" "$((batch - none))" "$ratio" "$goal" "$verdict" \
            "$(known_of "${fate}_$spans")"
    done
done

if [ "${#short[@]}" -gt 0 ]; then
    echo
    printf 'falls short: %s\n' "${short[@]}"
fi
if [ "$check" -eq 1 ] && [ "$worse" -eq 1 ]; then
    exit 1
fi
