#!/usr/bin/env bash
# Instructions and allocations per span, for the same work under tailtrace and
# under its peers; then bytes per open span.
#
#     benches/instructions.sh                 # every row
#     benches/instructions.sh --check         # exits 1 and names each row of ours that falls short
#     benches/instructions.sh bare_100 rich   # rows whose workload begins with one of the words
#
# How: callgrind runs one row at a time. Its counters are set to zero after a
# warm-up that fills pools and rings, and read when the measured spans have been
# made and background threads have done their part, so neither start-up nor
# calibration of clocks is in the numbers. Each row runs twice, side by side: once
# counting the calling thread only, once counting all threads. Ours include the keeper and the
# delivery, peers include their collectors. Callgrind runs one thread at a time:
# what threads cost each other (cache lines, waiting) is for `cargo bench` to see.
# Allocations are counted in the same process by its allocator.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null

readonly SPANS=50000 # measured in one run, after the warm-up

check=0
words=()
for argument in "$@"; do
    case "$argument" in
    --check) check=1 ;;
    -*)
        echo "usage: benches/instructions.sh [--check] [WORKLOAD...]" >&2
        exit 2
        ;;
    *) words+=("$argument") ;;
    esac
done

# The reach: workload, instructions of all threads, allocations in a thousand
# spans. An empty column is not checked.
reach_of() {
    case "$1" in
    bare_100) echo "400 0" ;;
    rich_100) echo "2000 0" ;;
    sampled_out_100) echo "60 0" ;;
    single | deep_10) echo "- 0" ;;
    *) echo "- -" ;;
    esac
}

# The spans of a warm-up. Ours is in the steady state when the ring of recent
# drops has come round; peers have none.
warm_up_of() {
    case "$1 $2" in
    clock_read*) echo 100 ;;
    *tailtrace) echo 150000 ;;
    *) echo 20000 ;;
    esac
}

ensure_valgrind() {
    if command -v valgrind >/dev/null; then
        return
    fi
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        as_root=(sudo -n)
    fi
    echo "installing valgrind" >&2
    "${as_root[@]}" apt-get update -qq >/dev/null 2>&1 || true
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq valgrind >/dev/null 2>&1 || true
    if ! command -v valgrind >/dev/null; then
        echo "valgrind is missing and could not be installed here; install it and run this again" >&2
        exit 3
    fi
}

# What callgrind counted for one row: `count FILE SEPARATE WORKLOAD LIBRARY`.
# Prints the instructions and what the program itself printed.
count() {
    local out="$scratch/$1" separate="$2" dump said total
    said="$(valgrind --tool=callgrind --quiet --separate-threads="$separate" \
        --zero-before=tailtrace_bench_begin --dump-before=tailtrace_bench_end \
        --callgrind-out-file="$out" \
        "$program" "$3" "$4" "$(warm_up_of "$3" "$4")" "$SPANS" 2>"$out.stderr")" || {
        echo "the row '$3 $4' did not run:" >&2
        cat "$out.stderr" >&2
        return 1
    }
    dump="$out.1"
    [ "$separate" = yes ] && dump="$out.1-01"
    total="$(sed -n 's/^totals: //p' "$dump")"
    # Without the marks in the program there would be nothing, which must not pass for cheap.
    if ! [ "${total:-0}" -gt 0 ]; then
        echo "callgrind counted nothing for the row '$3 $4'" >&2
        return 1
    fi
    echo "$total $said"
}

# `per SPANS TOTAL DIGITS`
per() {
    awk -v spans="$1" -v total="$2" -v digits="$3" \
        'BEGIN { value = sprintf("%.*f", digits, total / spans); print (value + 0 == 0 ? 0 : value) }'
}

is_wanted() {
    [ "${#words[@]}" -eq 0 ] && return 0
    local word
    for word in "${words[@]}"; do
        [[ "$1" == "$word"* ]] && return 0
    done
    return 1
}

ensure_valgrind
cargo build --quiet --release --locked -p tailtrace-benches --bins
target="$(cargo metadata --format-version 1 --no-deps --locked |
    sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')"
readonly program="$target/release/instructions"
scratch="$(mktemp -d)"
readonly scratch
trap 'rm -rf "$scratch"' EXIT

short=()
printf '%-16s %-25s %10s %12s %12s   %s\n' \
    workload library "caller" "all threads" "allocations" "reach"
before=""
while read -r workload library; do
    is_wanted "$workload" || continue
    [ -z "$before" ] || [ "$before" = "$workload" ] || echo
    before="$workload"
    count caller yes "$workload" "$library" >"$scratch/caller.count" &
    caller_job=$!
    count all no "$workload" "$library" >"$scratch/all.count" || exit 4
    wait "$caller_job" || exit 4
    read -r caller _ <"$scratch/caller.count"
    read -r all _ spans _ allocations <"$scratch/all.count"
    caller="$(per "$spans" "$caller" 0)"
    all="$(per "$spans" "$all" 0)"
    # A background thread that allocates now and then is nothing per span.
    allocations="$(per "$spans" "$allocations" 3)"

    verdict=""
    if [ "$library" = tailtrace ]; then
        read -r most_instructions most_allocations < <(reach_of "$workload")
        misses=()
        goals=()
        if [ "$most_instructions" != - ]; then
            goals+=("<= $most_instructions instructions")
            [ "$all" -le "$most_instructions" ] || misses+=("$all instructions")
        fi
        if [ "$most_allocations" != - ]; then
            goals+=("$most_allocations allocations")
            [ "$(per 1 "$allocations" 2)" = "$most_allocations" ] ||
                misses+=("$allocations allocations")
        fi
        if [ "${#goals[@]}" -gt 0 ]; then
            wanted="$(printf ', %s' "${goals[@]}")"
            verdict="${wanted:2}: reached"
            if [ "${#misses[@]}" -gt 0 ]; then
                verdict="${wanted:2}: FALLS SHORT"
                got="$(printf ', %s' "${misses[@]}")"
                short+=("$workload: ${got:2} per span, wanted ${wanted:2}")
            fi
        fi
    fi
    printf '%-16s %-25s %10s %12s %12s   %s\n' \
        "$workload" "$library" "$caller" "$all" "$allocations" "$verdict"
done < <("$program" list)

if [ -z "$before" ]; then
    echo "no workload begins with: ${words[*]}" >&2
    exit 2
fi

if [ "${#words[@]}" -eq 0 ]; then
    echo
    "$target/release/memory" >"$scratch/memory" || exit 4
    grep -v '^falls short: ' "$scratch/memory"
    while read -r miss; do
        short+=("$miss")
    done < <(sed -n 's/^falls short: //p' "$scratch/memory")
fi

if [ "${#short[@]}" -gt 0 ]; then
    echo
    printf 'falls short: %s\n' "${short[@]}"
    if [ "$check" -eq 1 ]; then
        exit 1
    fi
fi
