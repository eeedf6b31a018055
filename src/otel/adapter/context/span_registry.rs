//! The spans of ours that stand in OpenTelemetry's contexts, by their ids.
//!
//! Of a context's span only the ids can be read without its lock, which the reading thread may hold already.
//! So the registry leads from the ids back to the local trace, for as long as a context can hold the span. A
//! span whose ids are never read is not registered.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use opentelemetry::trace::SpanContext;

use super::super::convert;
use crate::model::{SpanId, TraceContext};
use crate::record::bridge::ContextLock;

const SHARDS: usize = 32;

/// A shard keeps room for this many spans.
const KEPT_CAPACITY: usize = 256;

static REGISTRY: LazyLock<[ContextLock<Spans>; SHARDS]> = LazyLock::new(Default::default);

type Spans = HashMap<SpanId, RegisteredSpan, BuildHasherDefault<IdHasher>>;

/// Takes the bits of an id as its hash: the ids of our spans are random.
#[derive(Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
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

struct RegisteredSpan {
    context: TraceContext,
    /// How many registrations there are: a span may be current on several threads.
    registrations: usize,
}

fn shard(id: SpanId) -> &'static ContextLock<Spans> {
    // The map itself uses the highest and the lowest bits.
    &REGISTRY[(id.to_bits() >> 32) as usize % SHARDS]
}

/// Keeps a span in the registry until it is dropped.
#[derive(Debug)]
pub(crate) struct SpanRegistration(SpanId);

impl SpanRegistration {
    pub(crate) fn new(context: TraceContext) -> Self {
        let id = context.span_id;
        let mut shard = shard(id).lock();
        let replaced = match shard.get_mut(&id) {
            Some(entry) => {
                entry.registrations += 1;
                Some(std::mem::replace(&mut entry.context, context))
            }
            None => shard
                .insert(id, RegisteredSpan { context, registrations: 1 })
                .map(|entry| entry.context),
        };
        drop(shard);
        // The context may be the last that refers to a pipeline, whose end must not run under the lock.
        drop(replaced);
        Self(id)
    }
}

impl Drop for SpanRegistration {
    fn drop(&mut self) {
        let mut shard = shard(self.0).lock();
        let Some(entry) = shard.get_mut(&self.0) else {
            debug_assert!(false, "a span is registered for as long as its registration lives");
            return;
        };
        debug_assert!(entry.registrations > 0, "a span without registrations is removed");
        entry.registrations -= 1;
        let removed = if entry.registrations == 0 { shard.remove(&self.0) } else { None };
        // The memory that a burst of spans needed is given back.
        if shard.capacity() > KEPT_CAPACITY && shard.len() < shard.capacity() / 8 {
            let capacity = shard.len() * 2;
            shard.shrink_to(capacity);
        }
        drop(shard);
        drop(removed);
    }
}

/// The context of the registered span with these ids.
pub(super) fn find(ids: &SpanContext) -> Option<TraceContext> {
    if ids.is_remote() {
        return None;
    }
    let id = convert::from_span_id(ids.span_id())?;
    let trace_id = convert::from_trace_id(ids.trace_id())?;
    let shard = shard(id).lock();
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
        let burst: Vec<SpanRegistration> = (0..100_000)
            .map(|_| SpanRegistration::new(TraceContext::new(trace, SpanId::new())))
            .collect();
        assert!(REGISTRY.iter().any(|shard| shard.lock().capacity() > 1000));
        drop(burst);
        assert!(REGISTRY.iter().all(|shard| shard.lock().capacity() <= 1000));
    }

    #[test]
    fn a_span_is_found_until_its_last_registration_is_gone() {
        let context = TraceContext::new(TraceId::new(), SpanId::new());
        let ids = convert::to_span_context(&context);
        assert_eq!(find(&ids), None);
        let one = SpanRegistration::new(context.clone());
        let two = SpanRegistration::new(context.clone());
        drop(one);
        assert_eq!(find(&ids), Some(context.clone()));
        let claimed = convert::to_span_context(&context.remote());
        assert_eq!(find(&claimed), None);
        drop(two);
        assert_eq!(find(&ids), None);
    }
}
