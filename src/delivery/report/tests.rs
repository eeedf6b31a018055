//! What reports say.

use super::*;
use crate::ledger::Reason;

#[test]
fn its_debug_names_the_reasons_that_occurred() {
    let mut report = DeliveryReport { sent: 1, ..DeliveryReport::default() };
    let debug = |report: DeliveryReport| format!("{report:?}");
    assert_eq!(debug(report), "DeliveryReport { sent: 1, left: 0, dropped: {} }");
    report.drop_spans(Reason::Refused, 2);
    report.drop_spans(Reason::ShutdownDeadline, 6);
    let dropped = "dropped: {Refused: 2, ShutdownDeadline: 6}";
    assert_eq!(debug(report), format!("DeliveryReport {{ sent: 1, left: 0, {dropped} }}"));
}

#[test]
fn what_was_lost_before_is_told_and_is_no_loss_of_the_call() {
    let mut before = DeliveryReport { sent: 5, ..DeliveryReport::default() };
    before.drop_spans(Reason::Refused, 4);
    let now = DeliveryReport { sent: 7, ..before };
    let report = now.since(&before, 0);
    assert!(report.is_whole());
    assert_eq!((report.sent, report.dropped(), report.lost_before()), (2, 0, 4));
    assert_eq!(report.to_string(), "2 spans sent, 0 dropped, 0 left; 4 were lost before");
}
