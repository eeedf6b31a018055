//! More threads than the layer has places for.

use std::sync::Barrier;
use std::thread;

use super::support::trace;
use tracing::{Dispatch, dispatcher, info_span};

/// How many threads share each shard of the table.
const THREADS: usize = 200;

#[test]
fn spans_of_threads_that_share_a_place_keep_their_parents() {
    let all_open = Barrier::new(THREADS);
    let outcome = trace(|| {
        let subscriber = dispatcher::get_default(Dispatch::clone);
        thread::scope(|scope| {
            for number in 0..THREADS {
                let (subscriber, all_open) = (subscriber.clone(), &all_open);
                scope.spawn(move || {
                    dispatcher::with_default(&subscriber, || {
                        let root = info_span!("root", number).entered();
                        let child = info_span!("child", number).entered();
                        all_open.wait();
                        drop(info_span!("grandchild", number));
                        all_open.wait();
                        drop((child, root));
                    });
                });
            }
        });
    });
    assert_eq!(outcome.traces.len(), THREADS);
    for trace in &outcome.traces {
        let spans: Vec<_> = trace.spans().collect();
        assert_eq!(spans.len(), 3);
        let number = spans[0].tag("number");
        assert!(number.is_some() && spans.iter().all(|span| span.tag("number") == number));
        let [root, child, grandchild] = ["root", "child", "grandchild"]
            .map(|name| spans.iter().find(|span| span.operation_name() == name).unwrap());
        assert_eq!(child.parent_span_id(), Some(root.span_id()));
        assert_eq!(grandchild.parent_span_id(), Some(child.span_id()));
    }
}
