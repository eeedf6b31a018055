//! The table against a map, and what it holds after a burst.

use std::collections::HashMap;

use tracing::Metadata;

use super::pieces::PIECE;
use super::{ShardSpans, SpanTable};
use crate::layer::open_span::OpenSpan;
use crate::model::SpanId;
use crate::pipeline::Pipeline;
use crate::record::SpanStart;

/// Makes open spans that are not recorded.
struct Spans {
    pipeline: Pipeline,
    metadata: &'static Metadata<'static>,
}

impl Spans {
    fn new() -> Self {
        let pipeline = Pipeline::builder("table").with_recording(false).start().unwrap();
        let metadata = || tracing::info_span!("span").metadata().unwrap();
        let metadata = tracing::subscriber::with_default(tracing_subscriber::registry(), metadata);
        Self { pipeline, metadata }
    }

    fn open(&self) -> OpenSpan {
        let started = self.pipeline.recorder().start(SpanStart::new("span".into()));
        OpenSpan::started(started, self.metadata)
    }
}

fn span_id(span: &OpenSpan) -> SpanId {
    span.context().unwrap().span_id
}

/// Numbers without a pattern, the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

#[test]
fn a_span_is_found_by_its_id_until_it_closes_whatever_the_id() {
    let spans = Spans::new();
    let table = SpanTable::default();
    let mut open = HashMap::new();
    let mut numbers = Numbers(1);
    for _ in 0..100_000 {
        // The same slot for several threads and uses of it, in the first piece and beyond, and out of the
        // scheme.
        let number = [5, 70, 2_000, 90_000, 1 << 30][numbers.below(5)] + numbers.below(100);
        let rest = [0, 1, 64, 65][numbers.below(4)];
        let id = (rest << 38 | number as u64) + 1;
        match numbers.below(3) {
            0 => {
                let span = spans.open();
                let new = span_id(&span);
                let before = table.insert(id, span).map(|span| span_id(&span));
                assert_eq!(before, open.insert(id, new));
            }
            1 => {
                table.close(id, &mut None);
                open.remove(&id);
            }
            _ => {
                let parent = (rest << 38 | (numbers.below(200)) as u64) + 1;
                let started = table.start_child(parent, id, spans.metadata).is_some();
                assert!(!started || (open.contains_key(&parent) && !open.contains_key(&id)));
                if started {
                    open.insert(id, table.with(id, |span| span_id(span)).unwrap());
                }
            }
        }
        assert_eq!(table.with(id, |span| span_id(span)), open.get(&id).copied());
    }
    let mut ids = table.ids_of(|_| true);
    ids.sort_unstable();
    let mut expected: Vec<_> = open.keys().copied().collect();
    expected.sort_unstable();
    assert_eq!(ids, expected);
    assert_eq!(table.drain().len(), expected.len());
    assert!(table.ids_of(|_| true).is_empty());
}

#[test]
fn after_a_burst_no_more_than_a_few_pieces_are_left() {
    let spans = Spans::new();
    let in_order: Vec<u64> = (1..=20_000).collect();
    let backwards = in_order.iter().rev().copied().collect();
    let mut numbers = Numbers(2);
    let mut mixed = in_order.clone();
    for at in (1..mixed.len()).rev() {
        mixed.swap(at, numbers.below(at + 1));
    }
    for order in [in_order.clone(), backwards, mixed] {
        let table = SpanTable::default();
        for id in &in_order {
            table.insert(*id, spans.open());
        }
        let mut before = slots_of(&table);
        assert!(before >= 20_000);
        for id in order {
            table.close(id, &mut None);
            let now = slots_of(&table);
            assert!(before - now <= PIECE, "one call gave back {} slots", before - now);
            before = now;
        }
        assert!(before <= 5 * PIECE, "{before} slots are left");
    }
}

/// How many slots the table has memory for.
fn slots_of(table: &SpanTable) -> usize {
    let shard = table.0[0].0.lock();
    let ShardSpans { slots, overflow, .. } = &*shard;
    assert!(overflow.is_empty());
    slots.capacity()
}
