//! The swap changes no span, and the tail sees the calls that failed.

#[path = "../../shared/same.rs"]
mod same;

#[test]
fn one_trace_goes_through_client_and_server_before_and_after() {
    let (before, after) = (env!("CARGO_BIN_EXE_before"), env!("CARGO_BIN_EXE_after"));
    same::are_connected(before, after, &["order", "GET", "charge"]);
    let failed = same::run(after).matches(" GET Client Error").count();
    assert_eq!(failed, 2, "the refusal and the refused connection");
}
