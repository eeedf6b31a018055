//! The swap changes no span.

#[path = "../../shared/same.rs"]
mod same;

#[test]
fn one_trace_goes_through_client_and_server_before_and_after() {
    let (before, after) = (env!("CARGO_BIN_EXE_before"), env!("CARGO_BIN_EXE_after"));
    same::are_connected(before, after, &["visit", "GET", "GET /orders/{id}", "order"]);
}
