use proptest::prelude::*;

use super::*;
use crate::testing::{span, trace};

fn of_spans(spans: usize) -> Trace {
    match spans {
        0 => Trace::new(crate::model::TraceId::new()),
        _ => trace((1..spans).fold(span("0"), |root, name| root.child(span(name.to_string())))),
    }
}

#[test]
fn what_an_exporter_drops_comes_back_as_far_as_it_is_not_done() {
    let (mut batch, loan) = Batch::from([of_spans(2), of_spans(3)]).lend(&Arc::default());
    batch.mark_accepted(3);
    assert!(loan.take_left().is_none(), "the exporter still has it");
    drop(batch);
    let left = loan.take_left().unwrap();
    assert_eq!((left.len(), left.span_count(), left.done_in_first()), (1, 2, 1));
    assert_eq!(loan.progress(), Progress { accepted: 3, rejected: 0 });
}

#[test]
fn what_an_exporter_takes_out_does_not_come_back() {
    let (batch, loan) = Batch::from([of_spans(2)]).lend(&Arc::default());
    assert_eq!(batch.into_traces().len(), 1);
    assert!(loan.take_left().is_none());
    let (batch, loan) = Batch::from([of_spans(2)]).lend(&Arc::default());
    drop(batch.clone());
    drop(batch.reclaimed());
    assert!(loan.take_left().is_none());
}

#[test]
fn what_becomes_of_traces_that_were_taken_out_is_told_until_the_last_span() {
    let (mut batch, loan) = Batch::from([of_spans(2), of_spans(3)]).lend(&Arc::default());
    batch.mark_accepted(1);
    assert_eq!(batch.take_traces().len(), 2);
    assert_eq!((batch.len(), batch.span_count(), batch.done_in_first()), (0, 0, 0));
    batch.mark_rejected(3);
    batch.mark_accepted(7);
    assert_eq!(loan.progress(), Progress { accepted: 2, rejected: 3 });
    drop(batch);
    assert!(loan.take_left().is_none(), "they do not come back");
}

#[test]
fn what_is_marked_after_the_batch_was_accounted_for_does_not_count() {
    let (mut batch, loan) = Batch::from([of_spans(3)]).lend(&Arc::default());
    assert!(batch.mark_accepted_in_time(1));
    assert_eq!(loan.close(), Progress { accepted: 1, rejected: 0 });
    assert!(!batch.mark_accepted_in_time(1));
    batch.mark_rejected(1);
    assert_eq!(batch.span_count(), 0);
    assert_eq!(loan.progress(), Progress { accepted: 1, rejected: 0 });
}

proptest! {
    #[test]
    fn marking_takes_each_span_once_in_order(
        sizes in prop::collection::vec(0_usize..5, 0..8),
        steps in prop::collection::vec((0_usize..7, any::<bool>()), 0..12),
    ) {
        let all: usize = sizes.iter().sum();
        let (mut batch, loan) = sizes.iter().map(|spans| of_spans(*spans)).collect::<Batch>().lend(&Arc::default());
        let mut expected = Progress::default();
        for (spans, is_accepted) in steps {
            let taken = spans.min(batch.span_count()) as u64;
            if is_accepted {
                batch.mark_accepted(spans);
                expected.accepted += taken;
            } else {
                batch.mark_rejected(spans);
                expected.rejected += taken;
            }
            let done = expected.accepted + expected.rejected;
            prop_assert_eq!(batch.span_count() as u64, all as u64 - done);
            prop_assert!(batch.first().is_none_or(|first| batch.done_in_first() < first.span_count().max(1)));
        }
        prop_assert_eq!(loan.progress(), expected);
    }
}
