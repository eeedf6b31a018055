//! Neither switch changes a span, and each log record stays with its own.

#[path = "../../shared/same.rs"]
mod same;

#[test]
fn records_have_the_ids_of_their_spans_before_and_after() {
    let names = ["order", "charge"];
    let (before, after) = (env!("CARGO_BIN_EXE_before"), env!("CARGO_BIN_EXE_after"));
    same::are_connected(before, after, &names);
    assert!(same::run(after).ends_with("taken in order\ncard declined in charge\n"));
}

#[test]
fn they_have_them_under_our_own_layer_where_contexts_are_shared() {
    let layer = same::run(env!("CARGO_BIN_EXE_layer"));
    same::is_connected(&layer, &["order", "charge"]);
    assert!(layer.ends_with("taken in order\ncard declined in charge\n"), "{layer}");
}

#[test]
fn without_shared_contexts_the_layer_tells_once_that_a_bridge_has_no_ids() {
    let unshared = same::run(env!("CARGO_BIN_EXE_unshared"));
    assert!(unshared.contains("taken in no span\n"), "{unshared}");
    // The bridge sends the warning as any event.
    assert_eq!(unshared.matches("its records have no trace ids").count(), 1, "{unshared}");
}
