//! Says on which line of OpenTelemetry this crate stands: the cfg `before_0_M` for each line `M` above it.

/// The line of the main crate, the newest.
const NEWEST: u32 = 33;

fn main() {
    let package = std::env::var("CARGO_PKG_NAME").expect("cargo names the package");
    let line = package.strip_prefix("tailtrace-otel-0-").and_then(|line| line.parse().ok());
    let line: u32 = line.expect("the package is named tailtrace-otel-0-M after its line 0.M");
    for newer in line + 1..=NEWEST {
        println!("cargo::rustc-cfg=before_0_{newer}");
    }
    println!("cargo::rustc-cfg=older_line");
    println!("cargo::rerun-if-changed=build.rs");
}
