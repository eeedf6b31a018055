#!/usr/bin/env bash
# Draws the pictures of this folder and the text version of the waterfall in the book:
#
#     assets/draw.sh            # writes assets/*.svg and the lines in src/manual/data_flow.md
#     assets/draw.sh FOLDER     # writes all of them into FOLDER instead, which shows that it works
#
# The waterfall is what `cargo run --example tracing_layer` prints, colours included; run it on a machine that
# has little else to do, because the durations are real. The flow is drawn by assets/flow.rs. Needs the Rust
# toolchain and nothing else. Look at the pictures afterwards, such as with `rsvg-convert`.
set -euo pipefail
folder="${1:+$(realpath "$1")}"
cd "$(dirname "$0")/.."

chapter=src/manual/data_flow.md
if [ -n "$folder" ]; then
    cp "$chapter" "$folder/"
    chapter="$folder/data_flow.md"
fi
folder="${folder:-assets}"

target="${CARGO_TARGET_DIR:-target}"
mkdir -p "$target"
rustc --edition 2024 -O -o "$target/draw-waterfall" assets/waterfall.rs
rustc --edition 2024 -O -o "$target/draw-flow" assets/flow.rs

CLICOLOR_FORCE=1 cargo run --quiet --example tracing_layer |
    "$target/draw-waterfall" "$folder" "$chapter"
"$target/draw-flow" "$folder"
ls -l "$folder"/*.svg
