#!/usr/bin/env bash
# How far a newcomer gets: tests/front_door/newcomer.sh
#
# Makes a fresh crate for each of several ways to begin, outside of the workspace, with the first program that the way's
# own README shows; builds and runs it, and prints the lines of set-up, the crates that are built, and the seconds to the
# first waterfall (or the first span, where there are no waterfalls), cold build included. tailtrace is used by its
# path; the others come from the registry, and are left out where cargo has no way to it (CARGO_NET_OFFLINE=true).
set -euo pipefail
repository="$(cd "$(dirname "$0")/../.." && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# try NAME DEPENDENCIES PROGRAM SIGN: one row of the table.
try() {
    local name="$1" dependencies="$2" program="$3" sign="$4"
    local crate="$work/$name"
    mkdir -p "$crate/src"
    printf '[package]\nname = "%s"\nedition = "2024"\n[workspace]\n[dependencies]\n%s\n' "newcomer-$name" "$dependencies" \
        >"$crate/Cargo.toml"
    printf '%s\n' "$program" >"$crate/src/main.rs"
    local setup
    setup="$(grep -c 'set-up' "$crate/src/main.rs")"
    if ! (cd "$crate" && cargo fetch --quiet 2>"$work/why"); then
        printf '%-22s %6s   cannot be fetched here: %s\n' "$name" "$setup" "$(tail -1 "$work/why" | cut -c1-80)"
        return
    fi
    local crates start end
    # A crate that stands in the tree again is marked `(*)`.
    crates="$(cd "$crate" && cargo tree --prefix none --edges normal,build 2>/dev/null | sed 's/ (\*)$//' | sort -u | wc -l)"
    start="$(date +%s.%N)"
    if ! (cd "$crate" && OTEL_TRACES_EXPORTER=console cargo run --quiet --target-dir "$crate/target") >"$work/out" 2>&1; then
        printf '%-22s does not run:\n' "$name"
        tail -20 "$work/out"
        return 1
    fi
    end="$(date +%s.%N)"
    if ! grep -q "$sign" "$work/out"; then
        printf '%-22s ran and showed no span:\n' "$name"
        tail -20 "$work/out"
        return 1
    fi
    printf '%-22s %6s %7s %8.1f\n' "$name" "$setup" "$crates" "$(echo "$end - $start" | bc)"
}

work_lines='#[tracing::instrument(err)]
fn place_order(order: u32) -> Result<(), std::io::Error> {
    tracing::info!("asking the bank");
    if order == 42 { Err(std::io::Error::other("card declined")) } else { Ok(()) }
}'

printf '%-22s %6s %7s %8s\n' "way to begin" "lines" "crates" "seconds"
try tailtrace "tailtrace = { path = \"$repository\", features = [\"init\"] }
tracing = \"0.1\"" "fn main() -> Result<(), Box<dyn std::error::Error>> {
    let _guard = tailtrace::init(\"shop\")?; // set-up
    for order in 0..100 {
        let _ = place_order(order);
    }
    Ok(())
}
$work_lines" "place_order ─"
try tailtrace-otlp "tailtrace = { path = \"$repository\", features = [\"init\", \"otlp\"] }
tracing = \"0.1\"" "fn main() -> Result<(), Box<dyn std::error::Error>> {
    let _guard = tailtrace::init(\"shop\")?; // set-up
    for order in 0..100 {
        let _ = place_order(order);
    }
    Ok(())
}
$work_lines" "place_order ─"
try logfire 'logfire = "0.13"
tracing = "0.1"' "fn main() -> Result<(), Box<dyn std::error::Error>> {
    let logfire = logfire::configure() // set-up
        .send_to_logfire(logfire::config::SendToLogfire::IfTokenPresent) // set-up
        .with_console(Some(logfire::config::ConsoleOptions::default())) // set-up
        .finish()?; // set-up
    let _guard = logfire.shutdown_guard(); // set-up
    for order in 0..100 {
        let _ = place_order(order);
    }
    Ok(())
}
$work_lines" "place_order"
try init-tracing-otel 'init-tracing-opentelemetry = { version = "0.44", features = ["otlp", "tracing_subscriber_ext"] }
tokio = { version = "1", features = ["macros", "rt-multi-thread"] }
tracing = "0.1"' "#[tokio::main] // set-up
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let _guard = init_tracing_opentelemetry::TracingConfig::development().init_subscriber()?; // set-up
    for order in 0..100 {
        let _ = place_order(order);
    }
    Ok(())
}
$work_lines" "place_order"
