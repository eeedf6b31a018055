//! The first switch changes no span; the second has the same trace in the words of the conventions for RPC.

#[path = "../../shared/same.rs"]
mod same;

const CHECK: &str = "grpc.health.v1.Health/Check";

#[test]
fn one_trace_goes_through_client_and_server_before_and_after() {
    let names = ["visit", CHECK, CHECK, "look"];
    same::are_connected(env!("CARGO_BIN_EXE_before"), env!("CARGO_BIN_EXE_after"), &names);
}

#[test]
fn under_our_own_layer_calls_have_names_tags_and_a_status_that_the_tail_sees() {
    let after = same::run(env!("CARGO_BIN_EXE_layer"));
    same::is_connected(&after, &["visit", CHECK, CHECK, "look"]);
    for kind in ["Client", "Server"] {
        let calls: Vec<_> =
            after.lines().filter(|line| line.contains(&format!("{CHECK} {kind} "))).collect();
        assert_eq!(calls.len(), 2, "{after}");
        for tag in ["rpc.system.name=grpc", "rpc.service=grpc.health.v1.Health", "rpc.method="] {
            assert!(calls.iter().all(|call| call.contains(tag)), "{tag} is missing:\n{after}");
        }
        assert!(calls[0].contains("Unset") && calls[0].contains("status_code=OK"), "{after}");
        // On both sides this one is an error.
        assert!(calls[1].contains("Error {") && calls[1].contains("UNAVAILABLE"), "{after}");
    }
}
