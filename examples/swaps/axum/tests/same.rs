//! The first switch changes no span; the second has our own layers make the spans of requests.

#[path = "../../shared/same.rs"]
mod same;

#[test]
fn one_trace_goes_through_client_and_server_before_and_after() {
    let names = ["visit", "GET /orders/{id}", "order"];
    same::are_connected(env!("CARGO_BIN_EXE_before"), env!("CARGO_BIN_EXE_after"), &names);
}

#[test]
fn under_our_own_layer_a_trace_goes_through_client_and_server_and_both_tell_the_status() {
    let layer = same::run(env!("CARGO_BIN_EXE_layer"));
    same::is_connected(&layer, &["visit", "GET", "GET /orders/{id}", "order"]);
    for kind in ["GET Client ", "GET /orders/{id} Server "] {
        let calls: Vec<_> = layer.lines().filter(|line| line.contains(kind)).collect();
        assert_eq!(calls.len(), 2, "{layer}");
        assert!(calls[0].contains("Unset") && calls[0].contains("status_code=200"), "{layer}");
        assert!(calls[1].contains("Error {") && calls[1].contains("status_code=500"), "{layer}");
    }
}
