//! Spans of ours that stand in OpenTelemetry's contexts, by their ids.
//!
//! A context hands out ids and nothing else without taking the lock of its span, which the thread that
//! asks may hold already. So the way from the ids back to the local trace stands here, for as long as a
//! context can hold the span: a span whose ids nobody asks for is never put in.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{LazyLock, Mutex};

use opentelemetry::trace::SpanContext;

use crate::kit::guarded::lock;
use crate::model::{SpanId, TraceContext};
use crate::otel::convert;

const SHARDS: usize = 32;

/// Room for this many spans is never given back.
const ROOMY: usize = 256;

static KNOWN: LazyLock<[Mutex<Spans>; SHARDS]> = LazyLock::new(Default::default);

type Spans = HashMap<SpanId, Entry, BuildHasherDefault<AsDrawn>>;

/// Ids of spans of ours are as good as random, so that they need no hashing.
#[derive(Default)]
struct AsDrawn(u64);

impl Hasher for AsDrawn {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, id: u64) {
        self.0 = id;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

struct Entry {
    context: TraceContext,
    /// How many stand for it: a span may be current on several threads.
    uses: usize,
}

fn shard(id: SpanId) -> &'static Mutex<Spans> {
    // The map looks at the highest and the lowest bits.
    &KNOWN[(id.to_bits() >> 32) as usize % SHARDS]
}

/// Keeps a span known.
#[derive(Debug)]
pub(in crate::otel) struct Known(SpanId);

impl Known {
    pub(in crate::otel) fn new(context: TraceContext) -> Self {
        let id = context.span_id;
        let mut shard = lock(shard(id));
        let replaced = match shard.get_mut(&id) {
            Some(entry) => {
                entry.uses += 1;
                Some(std::mem::replace(&mut entry.context, context))
            }
            None => shard.insert(id, Entry { context, uses: 1 }).map(|entry| entry.context),
        };
        drop(shard);
        // It may be the last that refers to a pipeline.
        drop(replaced);
        Self(id)
    }
}

impl Drop for Known {
    fn drop(&mut self) {
        let mut shard = lock(shard(self.0));
        let Some(entry) = shard.get_mut(&self.0) else { return };
        entry.uses -= 1;
        let removed = if entry.uses == 0 { shard.remove(&self.0) } else { None };
        // A burst does not keep its memory for ever.
        if shard.capacity() > ROOMY && shard.len() < shard.capacity() / 8 {
            let room = shard.len() * 2;
            shard.shrink_to(room);
        }
        drop(shard);
        drop(removed);
    }
}

/// The context of ours that these ids stand for.
pub(super) fn find(ids: &SpanContext) -> Option<TraceContext> {
    if ids.is_remote() {
        return None;
    }
    let id = convert::from_span_id(ids.span_id())?;
    let trace_id = convert::from_trace_id(ids.trace_id())?;
    let shard = lock(shard(id));
    let known = shard.get(&id).filter(|entry| entry.context.trace_id == trace_id);
    known.map(|entry| entry.context.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TraceId;

    #[test]
    fn what_a_burst_needed_is_given_back() {
        let trace = TraceId::new();
        let burst: Vec<Known> =
            (0..100_000).map(|_| Known::new(TraceContext::new(trace, SpanId::new()))).collect();
        assert!(KNOWN.iter().any(|shard| lock(shard).capacity() > 1000));
        drop(burst);
        assert!(KNOWN.iter().all(|shard| lock(shard).capacity() <= 1000));
    }

    #[test]
    fn a_span_is_known_until_the_last_who_stands_for_it_is_gone() {
        let context = TraceContext::new(TraceId::new(), SpanId::new());
        let ids = convert::to_span_context(&context);
        assert_eq!(find(&ids), None);
        let one = Known::new(context.clone());
        let two = Known::new(context.clone());
        drop(one);
        assert_eq!(find(&ids), Some(context.clone()));
        let claimed = convert::to_span_context(&context.remote());
        assert_eq!(find(&claimed), None);
        drop(two);
        assert_eq!(find(&ids), None);
    }
}
