//! Batches of which a peer answers for one part before the rest fails.

use proptest::prelude::*;

use super::*;
use crate::ledger::Reason;

/// One batch of all that is sent, and a time limit that the hanging steps use up.
fn one_batch(steps: impl IntoIterator<Item = Step>, sizes: &[usize]) -> (Bench, Heard) {
    let (exporter, heard) = Scripted::new(steps);
    let batching = Batching { max_age: Duration::MAX, ..Batching::default() };
    let config = DeliveryConfig {
        batching: Some(batching),
        export_timeout: Duration::from_millis(20),
        ..quick()
    };
    let bench = Bench::one(config, exporter);
    for spans in sizes {
        bench.send(&trace(*spans));
    }
    (bench, heard)
}

#[test]
fn only_what_is_left_is_tried_again_and_the_rest_is_counted() {
    let steps =
        [Step::Partly { accepted: 5, rejected: 1 }, Step::Partly { accepted: 1, rejected: 0 }];
    let (bench, heard) = one_batch(steps, &[4, 4, 4]);
    let error = bench.delivery.flush(LONG).unwrap_err();
    assert_eq!((error.report().sent, error.report().dropped_by(Reason::Refused)), (11, 1));
    let tries = [Event::Export(12), Event::Export(6), Event::Export(5), Event::Flush];
    assert_eq!(heard.so_far(), tries);
    assert_eq!((bench.stats().exported, bench.stats().dropped_by(Reason::Refused)), (11, 1));
}

#[test]
fn what_was_accepted_before_the_time_was_up_is_not_tried_again() {
    let steps = [Step::PartlyPending { accepted: 5, rejected: 2 }];
    let (bench, heard) = one_batch(steps, &[4, 8]);
    assert!(bench.delivery.flush(LONG).is_err());
    assert_eq!(heard.so_far(), [Event::Export(12), Event::Export(5), Event::Flush]);
    assert_eq!((bench.stats().exported, bench.stats().dropped_by(Reason::Refused)), (10, 2));
}

#[test]
fn a_panic_does_not_cost_what_was_accepted_before_it() {
    let (bench, _heard) = one_batch([Step::PartlyPanic { accepted: 5, rejected: 1 }], &[4, 8]);
    assert!(bench.delivery.flush(LONG).is_err());
    let stats = bench.stats();
    assert_eq!((stats.exported, stats.dropped_by(Reason::Refused)), (5, 1));
    assert_eq!(stats.dropped_by(Reason::ExporterPanicked), 6);
}

#[test]
fn traces_that_an_exporter_took_out_before_its_time_was_up_are_lost() {
    let (bench, heard) = one_batch([Step::TakeAndHang], &[4]);
    assert!(bench.delivery.flush(LONG).is_err());
    assert_eq!(heard.so_far(), [Event::Export(4), Event::Flush]);
    assert_eq!(bench.stats().dropped_by(Reason::RetriesExhausted), 4);
}

#[test]
fn traces_that_an_exporter_took_out_and_did_not_return_with_its_error_are_lost() {
    for (accepted, lost) in [(0, 4), (3, 1), (4, 0)] {
        let (bench, heard) = one_batch([Step::TakeAndFail { accepted }], &[2, 2]);
        let flushed = bench.delivery.flush(LONG);
        assert_eq!(flushed.is_ok(), lost == 0, "{flushed:?}");
        assert_eq!(heard.so_far(), [Event::Export(4), Event::Flush]);
        let stats = bench.stats();
        assert_eq!((stats.exported, stats.dropped_by(Reason::Refused)), (accepted as u64, lost));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn each_span_is_accepted_or_rejected_once_however_its_batch_is_cut(
        sizes in prop::collection::vec(1_usize..6, 1..5),
        cuts in prop::collection::vec((0_usize..5, 0_usize..3), 0..6),
        exporters in 1_usize..3,
    ) {
        let all: usize = sizes.iter().sum();
        let mut open = all;
        let mut rejected = 0;
        let mut tries = vec![Event::Export(all)];
        let mut steps = Vec::new();
        for (accept, reject) in cuts {
            if open == 0 {
                break;
            }
            let accept = accept.min(open);
            let reject = reject.min(open - accept);
            open -= accept + reject;
            rejected += reject;
            steps.push(Step::Partly { accepted: accept, rejected: reject });
            if open > 0 {
                tries.push(Event::Export(open));
            }
        }
        tries.push(Event::Flush);
        let (exporter, heard) = Scripted::new(steps);
        let batching = Batching { max_age: Duration::MAX, ..Batching::default() };
        let config = DeliveryConfig { batching: Some(batching), ..quick() };
        let mut all_exporters: Vec<Box<dyn Exporter>> = vec![Box::new(exporter)];
        for _ in 1..exporters {
            all_exporters.push(Box::new(Scripted::new([]).0));
        }
        let bench = Bench::new(config, all_exporters);
        for spans in &sizes {
            bench.send(&trace(*spans));
        }
        let flushed = bench.delivery.flush(LONG);
        prop_assert_eq!(flushed.is_ok(), rejected == 0);
        prop_assert_eq!(heard.so_far(), tries);
        let stats = bench.stats();
        if exporters == 1 {
            prop_assert_eq!(stats.exported as usize, all - rejected);
            prop_assert_eq!(stats.dropped_by(Reason::Refused) as usize, rejected);
        } else {
            prop_assert_eq!(stats.exported as usize, all);
            prop_assert_eq!(stats.missed as usize, rejected);
        }
    }
}
