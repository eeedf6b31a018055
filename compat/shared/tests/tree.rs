//! What a user of this line has in the dependencies.

use std::process::Command;

/// A service on this line must not get another line of OpenTelemetry into its dependencies.
#[test]
fn no_other_line_of_opentelemetry_is_in_the_tree() {
    let package = env!("CARGO_PKG_NAME");
    let (_, line) = package.split_once("-otel-0-").unwrap();
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--package", package, "--edges", "normal,build", "--prefix", "none"])
        .args(["--format", "{p}", "--no-dedupe", "--offline", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&tree.stdout);
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let mut packages: Vec<&str> =
        text.lines().filter(|package| package.starts_with("opentelemetry")).collect();
    packages.sort_unstable();
    packages.dedup();
    let of_line = |name: &str| format!("{name} v0.{line}.");
    let expected = [of_line("opentelemetry"), of_line("opentelemetry_sdk")];
    let is_expected = |package: &&str| expected.iter().any(|begin| package.starts_with(begin));
    assert!(packages.iter().all(is_expected) && packages.len() == 2, "{packages:?}");
}
