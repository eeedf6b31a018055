//! The first switch changes no span; under both the tail sees the calls that failed.

#[path = "../../shared/same.rs"]
mod same;

#[test]
fn one_trace_goes_through_client_and_server_before_and_after() {
    let (before, after) = (env!("CARGO_BIN_EXE_before"), env!("CARGO_BIN_EXE_after"));
    same::are_connected(before, after, &["order", "GET", "charge"]);
    let failed = same::run(after).matches(" GET Client Error").count();
    assert_eq!(failed, 2, "the refusal and the refused connection");
}

#[test]
fn under_our_own_layer_a_trace_goes_through_client_and_server_and_calls_that_failed_are_errors() {
    let layer = same::run(env!("CARGO_BIN_EXE_layer"));
    same::is_connected(&layer, &["order", "GET", "GET"]);
    let calls: Vec<_> = layer.lines().filter(|line| line.contains(" GET Client ")).collect();
    let [card, credit, gone] = calls[..] else { panic!("three calls:\n{layer}") };
    assert!(card.contains("Unset") && card.contains("status_code=200"), "{card}");
    assert!(credit.contains("Error {") && credit.contains("status_code=402"), "{credit}");
    assert!(gone.contains("Error {") && gone.contains("error.type="), "{gone}");
}
