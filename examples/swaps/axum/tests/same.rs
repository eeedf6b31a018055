//! The swap changes no span.

#[path = "../../shared/same.rs"]
mod same;

#[test]
fn one_trace_goes_through_client_and_server_before_and_after() {
    let names = ["visit", "GET /orders/{id}", "order"];
    same::are_connected(env!("CARGO_BIN_EXE_before"), env!("CARGO_BIN_EXE_after"), &names);
}
