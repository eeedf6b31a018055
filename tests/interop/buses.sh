#!/usr/bin/env bash
# Runs the tests against a real NATS and a real Redis: tests/interop/buses.sh
#
# `tests/interop/buses.sh smoke` leaves out the tests whose names begin with `long_`: outages of seconds. `release` as the
# first argument builds for release. Other arguments go to the test program. `TAILTRACE_NATS_SERVER` and `TAILTRACE_REDIS_SERVER` name binaries that are already
# there; else Debian's packages are installed where that is allowed, and NATS is built from its Go module where there is
# no package. A server that cannot be had is said to be skipped; that is not a failure.
set -euo pipefail
cd "$(dirname "$0")/../.."
exec </dev/null

readonly NATS_MODULE="github.com/nats-io/nats-server/v2@v2.15.2"
readonly FEATURES="coherence-nats,coherence-redis,otlp-tls"
readonly TEST_LIMIT=1800 # seconds, with the build of the tests

install_package() {
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        # Root is used only where the person who runs this says so.
        [ "${TAILTRACE_CI_SUDO:-}" = yes ] || return 1
        as_root=(sudo -n)
    fi
    command -v apt-get >/dev/null || return 1
    echo "installing $1"
    "${as_root[@]}" apt-get update -qq >/dev/null 2>&1 || true
    # A service of the system is not needed, and must not take the usual port.
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install -y -qq --no-install-recommends "$1" >/dev/null 2>&1
}

# find_server NAME VARIABLE: exports the path of a binary, or says that there is none.
find_server() {
    local name="$1" variable="$2" path
    if [ -z "${!variable:-}" ]; then
        PATH="$PATH:/usr/sbin:${XDG_CACHE_HOME:-$HOME/.cache}/tailtrace/bin"
        command -v "$name" >/dev/null || install_package "$name" || true
        if ! command -v "$name" >/dev/null && [ "$name" = nats-server ] && command -v go >/dev/null; then
            echo "building NATS from its Go module (about two minutes, once)"
            GOBIN="${XDG_CACHE_HOME:-$HOME/.cache}/tailtrace/bin" go install "$NATS_MODULE" || true
        fi
        path="$(command -v "$name" || true)"
        if [ -z "$path" ]; then
            echo
            echo "!! SKIPPED: the tests against a real $name: it is not there and could not be installed"
            echo
            return
        fi
        export "$variable=$path"
    fi
}

find_server nats-server TAILTRACE_NATS_SERVER
find_server redis-server TAILTRACE_REDIS_SERVER
if [ -z "${TAILTRACE_NATS_SERVER:-}${TAILTRACE_REDIS_SERVER:-}" ]; then
    exit 0
fi

TAILTRACE_INTEROP_SCRATCH="$(mktemp -d)"
export TAILTRACE_INTEROP_SCRATCH
# Servers that a test had started when it was killed. An id may have gone to another
# program since, so it must still be that of one of these binaries.
end_servers() {
    local note pid exe
    for note in "$TAILTRACE_INTEROP_SCRATCH"/*/*.pid; do
        pid="$(cat "$note" 2>/dev/null || true)"
        exe="$(readlink "/proc/${pid:-none}/exe" || true)"
        for server in "${TAILTRACE_NATS_SERVER:-}" "${TAILTRACE_REDIS_SERVER:-}" "${TAILTRACE_JAEGER:-}"; do
            if [ -n "$exe" ] && [ -n "$server" ] && [ "$exe" = "$(realpath "$server")" ]; then
                kill -KILL "$pid" 2>/dev/null || true
            fi
        done
    done
    rm -rf "$TAILTRACE_INTEROP_SCRATCH"
}
trap end_servers EXIT
trap 'exit 130' INT TERM

# As the run of all tests builds them, so that nothing is built twice.
build=(--workspace --all-features)
if [ "${1:-}" = release ]; then
    build=(--release --features "$FEATURES")
    shift
fi
arguments=("$@")
if [ "${1:-}" = smoke ]; then
    arguments=(--skip long_)
fi
# One after the other: each has five processes, and the machine may have two cores.
timeout "$TEST_LIMIT" cargo test "${build[@]}" --test buses -- --test-threads=1 "${arguments[@]}"
