#!/usr/bin/env bash
# Instructions and allocations per span, for the same work under tailtrace and
# under its peers; then bytes per open span.
#
#     benches/instructions.sh                 # every row
#     benches/instructions.sh bare_100 rich   # rows whose workload begins with one of the words
#     benches/instructions.sh --check         # only our rows that have a reach, and of those only
#                                             # what it names; says what falls short and exits 1,
#                                             # but for what is known to, as long as it is no worse
#
# Rows that begin with `layer` are traced with the macros of `tracing`; so are those that begin with `subscriber`,
# under the subscriber and, for comparison, under the layer.
#
# How: callgrind runs one row at a time. Its counters are set to zero after a
# warm-up that fills pools and rings, and read when the measured spans have been
# made and background threads have done their part, so neither start-up nor
# calibration of clocks is in the numbers. Each row runs twice, side by side: once
# counting the calling thread only, once counting all threads. Ours include the keeper and the
# delivery, peers include their collectors. Callgrind runs one thread at a time:
# what threads cost each other (cache lines, waiting) is for `benches/clock.sh` to see.
# Rows with many open traces have cache misses beside their instructions, of the calling
# thread and of a cache that is the same on every machine.
# Allocations are counted in the same process by its allocator, without callgrind
# where only they are asked for.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null

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

# The reach, at most per span: instructions of the calling thread, of all
# threads, of all threads for one of the calling thread's, allocations.
# A dash is not checked. Rows whose traces end in the ring of recent drops may take a twentieth
# more than without copying them there, because `benches/clock.sh` shows what that saves.
reach_of() {
    case "$1" in
    bare_100) echo "- 388 - 0" ;;
    rich_100) echo "- 1933 - 0" ;;
    kept_100) echo "- 463 - -" ;;
    sampled_out_100) echo "- 60 - 0" ;;
    single) echo "- 2250 - 0" ;;
    deep_10) echo "- 595 - 0" ;;
    # The difference is what coherence may cost a dropped trace: 60 instructions, 12 for each of five spans.
    dropped_5) echo "790 - - -" ;;
    # A tenth more than separate traces take.
    loop_5) echo "820 - - -" ;;
    dropped_5_coherent) echo "802 - - -" ;;
    layer_bare_100) echo "2092 - - 1" ;;
    layer_bare_1) echo "3720 - - 1" ;;
    layer_rich_100) echo "4200 - - 1" ;;
    layer_sampled_out_100) echo "1550 - - 1" ;;
    layer_kept_1pct_100) echo "- - 1.15 1" ;;
    layer_*) echo "- - - 1" ;;
    subscriber_bare_100) echo "550 - - 0" ;;
    subscriber_bare_10 | subscriber_deep_10) echo "850 - - 0" ;;
    subscriber_bare_1) echo "2800 - - 0" ;;
    subscriber_rich_100) echo "2300 - - 0" ;;
    subscriber_event_100) echo "800 - - 0" ;;
    subscriber_off_100) echo "270 - - 0" ;;
    subscriber_disabling_100) echo "165 - - 0" ;;
    subscriber_logs_bare_100) echo "750 - - 0" ;;
    subscriber_logs_rich_100) echo "2600 - - 0" ;;
    *) echo "- - - -" ;;
    esac
}

# Rows that are known to fall short, with the most that they may take: instructions of the caller, of
# all threads, allocations. They are named as falling short all the same; `--check` fails when they
# get worse than this. The manual's decisions say what was tried. What allocates is the ring of recent
# drops, a segment for many spans.
known_short_of() {
    case "$1" in
    bare_100) echo "0 0 0.02" ;;
    rich_100) echo "0 0 0.03" ;;
    single) echo "0 0 0.02" ;;
    deep_10) echo "0 0 0.02" ;;
    # It reaches it narrowly, and may fall back by a hundredth.
    subscriber_bare_1) echo "2820 0 0.02" ;;
    subscriber_bare_100) echo "960 0 0.02" ;;
    subscriber_bare_10 | subscriber_deep_10) echo "1150 0 0.02" ;;
    subscriber_rich_100) echo "3250 0 0.03" ;;
    subscriber_event_100) echo "1000 0 0.02" ;;
    subscriber_off_100) echo "500 0 0" ;;
    subscriber_logs_bare_100) echo "1020 0 0.02" ;;
    subscriber_logs_rich_100) echo "3370 0 0.03" ;;
    *) echo "0 0 0" ;;
    esac
}

# The spans of a row: in its warm-up and to be measured. Ours is in the steady
# state when the ring of recent drops has come round; peers have none, and there
# is nothing of theirs that more spans would bring to light. One trace of a hundred
# needs many, or none might be kept.
spans_of() {
    case "$1 $2" in
    clock_read*) echo "100 50000" ;;
    *open_*tailtrace) echo "200000 100000" ;;
    *open_*) echo "30000 100000" ;;
    layer_kept_1pct*) echo "150000 200000" ;;
    *tailtrace | *tailtrace-no-ring | swap_*tailtrace-* | subscriber_*) echo "150000 50000" ;;
    layer*) echo "5000 20000" ;;
    *) echo "20000 50000" ;;
    esac
}

ensure_valgrind() {
    if command -v valgrind >/dev/null; then
        return
    fi
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        if [ "${TAILTRACE_CI_SUDO:-}" != yes ]; then
            echo "valgrind is missing: install it, or set TAILTRACE_CI_SUDO=yes to let this script use sudo" >&2
            exit 3
        fi
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

# What callgrind counted for one row: `count FILE SEPARATE ROW...`, where a row is
# its workload, library and spans. Prints the instructions, what the program itself
# printed, and for rows with many open traces the misses of the first and of the last
# cache: reads, writes, reads, writes.
count() {
    local out="$scratch/$1" separate="$2" dump said total misses=() caches=()
    shift 2
    # What a core has to itself today.
    [[ "$1" != *open_* ]] || caches=(--cache-sim=yes --D1=32768,8,64 --LL=2097152,16,64)
    said="$(valgrind --tool=callgrind --quiet --separate-threads="$separate" "${caches[@]}" \
        --zero-before=tailtrace_bench_begin --dump-before=tailtrace_bench_end \
        --callgrind-out-file="$out" \
        "$program" "$@" 2>"$out.stderr")" || {
        echo "the row '$*' did not run:" >&2
        cat "$out.stderr" >&2
        return 1
    }
    dump="$out.1"
    [ "$separate" = yes ] && dump="$out.1-01"
    # Ir Dr Dw I1mr D1mr D1mw ILmr DLmr DLmw
    read -r total _ _ _ misses[0] misses[1] _ misses[2] misses[3] < <(sed -n 's/^totals: //p' "$dump")
    # Without the marks in the program there would be nothing, which must not pass for cheap.
    if ! [ "${total:-0}" -gt 0 ]; then
        echo "callgrind counted nothing for the row '$*'" >&2
        return 1
    fi
    echo "$total $said ${misses[*]}"
}

# `per SPANS TOTAL DIGITS`
per() {
    awk -v spans="$1" -v total="$2" -v digits="$3" \
        'BEGIN { value = sprintf("%.*f", digits, total / spans); print (value + 0 == 0 ? 0 : value) }'
}

is_at_most() {
    awk -v value="$1" -v most="$2" 'BEGIN { exit !(value + 0 <= most + 0) }'
}

# `judge VALUE MOST UNIT KNOWN`: adds to the row's `goals` and, where it falls short, to
# its `misses`, which is worse than known where it is more than that.
judge() {
    [ "$2" != - ] || return 0
    if [ "$2" = 0 ]; then goals+=("no $3"); else goals+=("<= $2 $3"); fi
    is_at_most "$1" "$2" && return
    misses+=("$1 $3, wanted <= $2")
    is_at_most "$1" "$4" || worse=1
}

# `joined LIST...`: in one line.
joined() {
    local all
    all="$(printf '; %s' "$@")"
    echo "${all:2}"
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
worse=0 # whether a row falls short that is not known to, or by more
readonly LINE='%-22s %-27s %8s %12s %12s   %s\n'
# shellcheck disable=SC2059 # one format for every line
printf "$LINE" workload library "caller" "all threads" "allocations" "reach"
before=""
while read -r workload library; do
    is_wanted "$workload" || continue
    read -r most_caller most_all most_ratio most_allocations < <(
        if [ "$library" = tailtrace ]; then reach_of "$workload"; else reach_of peer; fi
    )
    reach="$most_caller$most_all$most_ratio"
    if [ "$check" -eq 1 ] && [ "$reach$most_allocations" = "----" ]; then
        before="$workload"
        continue
    fi
    [ -z "$before" ] || [ "$before" = "$workload" ] || [ "$check" -eq 1 ] || echo
    before="$workload"
    read -r warm_up measured < <(spans_of "$workload" "$library")
    row=("$workload" "$library" "$warm_up" "$measured")

    caller=- all=- ratio=- caches=""
    if [ "$check" -eq 1 ] && [ "$reach" = "---" ]; then
        read -r _ spans _ allocations < <("$program" "${row[@]}") || exit 4
    else
        count caller yes "${row[@]}" >"$scratch/caller.count" &
        caller_job=$!
        count all no "${row[@]}" >"$scratch/all.count" || exit 4
        wait "$caller_job" || exit 4
        read -r caller _ spans _ _ d1_reads d1_writes ll_reads ll_writes <"$scratch/caller.count"
        read -r all _ spans _ allocations _ <"$scratch/all.count"
        # Callgrind leaves out zeros at the end.
        if [ -n "$d1_reads" ]; then
            caches="misses: D1 $(per "$spans" "$d1_reads" 2) r + $(per "$spans" "${d1_writes:-0}" 2) w,"
            caches+=" LL $(per "$spans" "${ll_reads:-0}" 2) r + $(per "$spans" "${ll_writes:-0}" 2) w"
        fi
        ratio="$(per "$caller" "$all" 2)"
        caller="$(per "$spans" "$caller" 0)"
        all="$(per "$spans" "$all" 0)"
    fi
    # A background thread that allocates now and then is nothing per span.
    allocations="$(per "$spans" "$allocations" 2)"

    goals=()
    misses=()
    read -r known_caller known_all known_allocations < <(known_short_of "$workload")
    judge "$caller" "$most_caller" "instructions of the caller" "$known_caller"
    judge "$all" "$most_all" "instructions" "$known_all"
    judge "$ratio" "$most_ratio" "times the caller's on all threads" 0
    judge "$allocations" "$most_allocations" "allocations" "$known_allocations"
    verdict="$caches"
    if [ "${#misses[@]}" -gt 0 ]; then
        verdict="$(joined "${goals[@]}"): FALLS SHORT"
        short+=("$workload: $(joined "${misses[@]}")")
    elif [ "${#goals[@]}" -gt 0 ]; then
        verdict="$(joined "${goals[@]}"): reached${caches:+; $caches}"
    fi
    # shellcheck disable=SC2059
    printf "$LINE" "$workload" "$library" "$caller" "$all" "$allocations" "$verdict"
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
        worse=1
    done < <(sed -n 's/^falls short: //p' "$scratch/memory")
fi

if [ "${#short[@]}" -gt 0 ]; then
    echo
    printf 'falls short: %s\n' "${short[@]}"
    if [ "$check" -eq 1 ] && [ "$worse" -eq 1 ]; then
        exit 1
    fi
fi
