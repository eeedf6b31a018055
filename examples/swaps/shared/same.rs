//! Runs the program before and after the swap, and compares what they say of their spans.

use std::process::Command;

/// What a program prints.
pub fn run(program: &str) -> String {
    let output = Command::new(program).output().expect("the program starts");
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("it prints text")
}

/// Both print the same, and the spans of these names stand below each other, in one trace.
pub fn are_connected(before: &str, after: &str, names: &[&str]) {
    let (before, after) = (run(before), run(after));
    assert!(before == after, "the spans differ\nbefore:\n{before}\nafter:\n{after}");
    is_connected(&after, names);
}

/// The spans of these names stand below each other, in one trace.
pub fn is_connected(spans: &str, names: &[&str]) {
    assert_eq!(spans.matches("trace\n").count(), 1, "there is one trace:\n{spans}");
    assert!(!spans.contains("missing"), "every parent is there:\n{spans}");
    for (depth, name) in names.iter().enumerate() {
        let line = format!("\n{}{name} ", "  ".repeat(depth + 1));
        assert!(spans.contains(&line), "{name} is not {depth} below the root:\n{spans}");
    }
}
