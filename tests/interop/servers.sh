# Real servers for tests and benches; to be sourced from the top of the repository.
#
# need_jaeger sets `jaeger` to a binary of Jaeger, which it builds where there is
# none yet. start runs it with a configuration on free ports of 127.0.0.1 until
# the script that sourced this ends.

readonly SERVERS="tests/interop"
readonly BUILD_LIMIT=1500 # seconds; four minutes are usual on two cores
readonly LOOKS=300        # at a server's health, ten a second

# Ends the script: need_jaeger's answer where there is nothing to run.
skip() {
    echo
    echo "!! SKIPPED: $what did not run: $1"
    echo
    exit 0
}

# need_jaeger WHAT: `TAILTRACE_JAEGER` may name the binary. Else it stands in a
# cache folder, by the hash of what it is built from.
need_jaeger() {
    what="$1"
    jaeger="${TAILTRACE_JAEGER:-}"
    if [ -n "$jaeger" ]; then
        [ -x "$jaeger" ] || skip "TAILTRACE_JAEGER is $jaeger, which cannot be run"
        return
    fi
    local key
    key="$(cat "$SERVERS/jaeger/go.mod" "$SERVERS/jaeger/go.sum" | sha256sum | cut -c 1-16)"
    jaeger="${XDG_CACHE_HOME:-$HOME/.cache}/tailtrace/jaeger-$key"
    if [ ! -x "$jaeger" ]; then
        command -v go >/dev/null || skip "there is no Go to build Jaeger with"
        build_jaeger || skip "Jaeger could not be built"
    fi
}

# Builds beside the path and moves it there, so that nobody finds half a binary.
build_jaeger() {
    echo "building Jaeger (about four minutes, once)"
    mkdir -p "$(dirname "$jaeger")"
    local part="$jaeger.$$"
    if ! (cd "$SERVERS/jaeger" && timeout "$BUILD_LIMIT" go build -buildvcs=false -mod=readonly \
        -o "$part" github.com/jaegertracing/jaeger/cmd/jaeger); then
        rm -f "$part"
        return 1
    fi
    mv "$part" "$jaeger"
}

scratch="$(mktemp -d)"
pids=()
declare -A pid_of=() # by the name of a server
stop_all() {
    local pid note
    for pid in "${pids[@]}"; do
        kill "$pid" 2>/dev/null || true
    done
    for pid in "${pids[@]}"; do
        wait "$pid" 2>/dev/null || true
    done
    # Servers that a test had started when it was killed. An id may have gone to
    # another program since, so it must still be that of a Jaeger of ours.
    for note in "$scratch"/*/*.pid; do
        pid="$(cat "$note" 2>/dev/null || true)"
        if [ -n "$pid" ] && [ "$(readlink "/proc/$pid/exe" || true)" = "$(realpath "$jaeger")" ]; then
            kill -KILL "$pid" 2>/dev/null || true
        fi
    done
    rm -rf "$scratch"
}
trap stop_all EXIT
trap 'exit 130' INT TERM

# Sets `port` to one that nobody listens on and that has not been given out. They
# lie below the range from which a system picks ports for clients.
given=" "
free_port() {
    local _
    for _ in $(seq 100); do
        port=$((20000 + RANDOM % 12000))
        [[ "$given" != *" $port "* ]] || continue
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            given+="$port "
            return
        fi
    done
    echo "no free port among a hundred" >&2
    exit 1
}

is_healthy() {
    local answer
    answer="$(
        exec 2>/dev/null
        exec 3<>"/dev/tcp/127.0.0.1/$1" || exit
        printf 'GET /status HTTP/1.0\r\n\r\n' >&3
        timeout 2 cat <&3
    )" || return 1
    [[ "$answer" == *'"healthy":true'* ]]
}

# start NAME CONFIG: starts a server and exports its addresses. One that ends
# before it is healthy, as when another program took its port, is started again.
start() {
    local name="$1" config="$2" try pid kind _
    local -A ports
    for try in 1 2 3; do
        for kind in GRPC HTTP ZIPKIN AGENT THRIFT QUERY QUERY_GRPC HEALTH; do
            free_port
            ports[$kind]="$port"
        done
        GRPC_PORT="${ports[GRPC]}" HTTP_PORT="${ports[HTTP]}" ZIPKIN_PORT="${ports[ZIPKIN]}" \
            AGENT_PORT="${ports[AGENT]}" THRIFT_PORT="${ports[THRIFT]}" \
            QUERY_PORT="${ports[QUERY]}" QUERY_GRPC_PORT="${ports[QUERY_GRPC]}" \
            HEALTH_PORT="${ports[HEALTH]}" \
            "$jaeger" --config "$config" >"$scratch/$name.log" 2>&1 &
        pid=$!
        pids+=("$pid")
        pid_of[$name]="$pid"
        for _ in $(seq "$LOOKS"); do
            kill -0 "$pid" 2>/dev/null || break
            if is_healthy "${ports[HEALTH]}"; then
                export "TAILTRACE_INTEROP_${name}_GRPC=http://127.0.0.1:${ports[GRPC]}"
                export "TAILTRACE_INTEROP_${name}_HTTP=http://127.0.0.1:${ports[HTTP]}"
                export "TAILTRACE_INTEROP_${name}_ZIPKIN=http://127.0.0.1:${ports[ZIPKIN]}"
                export "TAILTRACE_INTEROP_${name}_AGENT=127.0.0.1:${ports[AGENT]}"
                export "TAILTRACE_INTEROP_${name}_THRIFT=http://127.0.0.1:${ports[THRIFT]}"
                export "TAILTRACE_INTEROP_${name}_QUERY=127.0.0.1:${ports[QUERY]}"
                echo "$name listens: OTLP at ${ports[GRPC]} and ${ports[HTTP]}, queries at ${ports[QUERY]}"
                return
            fi
            sleep 0.1
        done
        echo "$name did not become healthy (try $try):" >&2
        tail -n 20 "$scratch/$name.log" >&2
        kill "$pid" 2>/dev/null || true
    done
    exit 1
}
