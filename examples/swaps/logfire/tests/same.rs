//! The swap changes no span, and processors of others see and change what they did before.

#[path = "../../shared/same.rs"]
mod same;

#[test]
fn one_trace_has_what_other_processors_add_before_and_after() {
    let (before, after) = (env!("CARGO_BIN_EXE_before"), env!("CARGO_BIN_EXE_after"));
    same::are_connected(before, after, &["visit", "order {id}", "charge"]);
    assert!(same::run(after).contains("tenant=acme"));
}
