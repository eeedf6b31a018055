//! Accounts that say what happened, and no more.

use std::time::Duration;

use tailtrace::delivery::{DeliveryConfig, Retry};
use tailtrace::ledger::Reason;
use tailtrace::{OtlpExporter, Pipeline};

use super::server::{Reply, Server, Speaks};
use super::support::PLENTY;

fn pipeline(server: &Server) -> Pipeline {
    let exporter = OtlpExporter::builder().with_endpoint(server.url("/v1/traces"));
    let retry = Retry::default().with_budget(Duration::from_millis(1));
    Pipeline::builder("test")
        .with_delivery(DeliveryConfig::default().with_retry(retry))
        .with_exporter(exporter.build().unwrap())
        .start()
        .unwrap()
}

#[test]
fn what_a_peer_took_before_the_rest_was_given_up_is_no_loss() {
    let server = Server::replies(Speaks::Http, [Reply::ok(), Reply::status(503)]);
    let pipeline = pipeline(&server);
    let root = pipeline.tracer().start_span("root");
    let text = "x".repeat(1_500);
    for _ in 0..4_500 {
        root.child("child").set_tag("text", &*text);
    }
    drop(root);
    assert!(pipeline.flush(PLENTY).is_err());
    let taken = server.next().names().len() as u64;
    assert!(taken > 1_000, "{taken}");
    let stats = pipeline.stats();
    assert!(stats.balances(), "{stats}");
    assert_eq!(
        (stats.exported, stats.dropped_by(Reason::RetriesExhausted)),
        (taken, 4_501 - taken)
    );
}

#[test]
fn a_shutdown_after_an_earlier_loss_is_well_and_tells_of_it() {
    let server = Server::replies(Speaks::Http, [Reply::status(400), Reply::ok()]);
    let pipeline = pipeline(&server);
    drop(pipeline.tracer().start_span("lost"));
    assert_eq!(pipeline.flush(PLENTY).unwrap_err().report().dropped(), 1);
    drop(pipeline.tracer().start_span("sent"));
    let report = pipeline.shutdown(PLENTY).unwrap();
    assert_eq!((report.sent, report.dropped(), report.lost_before()), (1, 0, 1));
    assert!(report.to_string().ends_with("; 1 were lost before"), "{report}");
}
