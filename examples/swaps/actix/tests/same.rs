//! The first switch changes no span; the second keeps one trace through client and server.

#[path = "../../shared/same.rs"]
mod same;
#[path = "../../shared/status.rs"]
mod status;

#[test]
fn one_trace_goes_through_client_and_server_before_and_after() {
    let (before, after) = (env!("CARGO_BIN_EXE_before"), env!("CARGO_BIN_EXE_after"));
    same::are_connected(before, after, &["visit", "GET", "GET /orders/{id}", "order"]);
}

#[test]
fn under_our_own_layer_a_trace_goes_through_client_and_server_and_both_tell_the_status() {
    let layer = same::run(env!("CARGO_BIN_EXE_layer"));
    same::is_connected(&layer, &["visit", "GET", "GET /orders/{id}", "order"]);
    let kinds = [(" GET Client ", "Unset"), (" GET /orders/{id} Server ", "Ok")];
    status::is_told(&layer, &kinds);
}
