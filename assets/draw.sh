#!/usr/bin/env bash
# Draws the pictures of this folder and the text version of the waterfall in the book: assets/draw.sh
#
# The waterfall is what `cargo run --example tracing_layer` prints, colours included. The flow is drawn by
# assets/flow.rs. Needs the Rust toolchain and nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."

target="${CARGO_TARGET_DIR:-target}"
mkdir -p "$target"
rustc --edition 2024 -O -o "$target/draw-waterfall" assets/waterfall.rs
rustc --edition 2024 -O -o "$target/draw-flow" assets/flow.rs

CLICOLOR_FORCE=1 cargo run --quiet --example tracing_layer |
    "$target/draw-waterfall" assets src/manual/data_flow.md
"$target/draw-flow" assets
ls -l assets/*.svg
