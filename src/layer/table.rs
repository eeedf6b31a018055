//! The open spans of a layer, by the ids of the registry.

use std::collections::HashMap;
use std::sync::Mutex;

use tracing::Metadata;

use super::after_close::Ending;
use super::open::OpenSpan;
use crate::kit::guarded::lock;

/// As many as there are places for threads to be told apart by.
const SHARDS: usize = 64;

/// In the ids of `tracing_subscriber::Registry` the lower bits number the spans that are open at a time,
/// from zero for each thread, and those above it the threads.
const NUMBER_BITS: u32 = 38;

/// The open spans of one layer.
///
/// It stands beside the registry's extensions: finding a span costs a fraction, inserting one does not
/// allocate, and no lock of the registry is ever held while we work. Our locks guard plain data: no
/// user code runs under them.
///
/// It knows how the registry numbers its spans, and uses that for speed alone: ids that do not fit the
/// scheme, or meet another one's, go into a map.
#[derive(Debug)]
pub(super) struct Table(Box<[Shard; SHARDS]>);

/// The spans of one thread, or of a few; alone on its cache lines.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Shard(Mutex<Spans>);

#[derive(Debug, Default)]
struct Spans {
    /// By number. A free slot has the id zero, which no span has.
    slots: Vec<(u64, Option<OpenSpan>)>,
    /// Those that do not fit.
    others: HashMap<u64, OpenSpan>,
}

impl Default for Table {
    fn default() -> Self {
        Self(Box::new(std::array::from_fn(|_| Shard::default())))
    }
}

/// Where the spans of a thread stand.
#[inline(always)]
fn shard_of(id: u64) -> usize {
    (id >> NUMBER_BITS) as usize % SHARDS
}

/// How long a span's values may be; `None` when nothing is kept.
pub(super) type Values = Option<usize>;

/// The number of a span on its thread.
#[inline]
fn number_of(id: u64) -> usize {
    // Ids are not zero, so the registry adds one.
    (id.wrapping_sub(1) & ((1 << NUMBER_BITS) - 1)) as usize
}

impl Spans {
    #[inline(always)]
    fn find(&mut self, id: u64) -> Option<&mut OpenSpan> {
        match self.slots.get_mut(number_of(id)) {
            Some((known, span)) if *known == id => span.as_mut(),
            _ => find_other(&mut self.others, id),
        }
    }

    #[inline]
    fn insert(&mut self, id: u64, span: OpenSpan) -> Option<OpenSpan> {
        match self.slots.get_mut(number_of(id)) {
            Some((known, slot)) if *known == 0 || *known == id => {
                *known = id;
                slot.replace(span)
            }
            _ => self.insert_elsewhere(id, span),
        }
    }

    #[cold]
    fn insert_elsewhere(&mut self, id: u64, span: OpenSpan) -> Option<OpenSpan> {
        let (number, len) = (number_of(id), self.slots.len());
        // Numbers of a registry grow one by one, so that one far beyond is somebody else's.
        if number < len || number > len * 2 + 1024 {
            return self.others.insert(id, span);
        }
        self.slots.resize_with((number + 1).next_power_of_two().max(64), || (0, None));
        if let Some(slot) = self.slots.get_mut(number) {
            *slot = (id, Some(span));
        }
        None
    }

    /// Starts a child where its parent and its own place are found at once; how long its values may be,
    /// if they may be kept.
    #[inline(always)]
    fn adopt(
        &mut self,
        parent: u64,
        id: u64,
        metadata: &'static Metadata<'static>,
    ) -> Option<Values> {
        if self.slots.get(number_of(id))?.0 != 0 {
            return None;
        }
        let (known, parent_span) = self.slots.get_mut(number_of(parent))?;
        if *known != parent {
            return None;
        }
        let child = parent_span.as_mut()?.child(metadata)?;
        let values = child.value_bytes();
        *self.slots.get_mut(number_of(id))? = (id, Some(child));
        Some(values)
    }

    /// Closes a span and forgets it.
    #[inline(always)]
    fn close(&mut self, id: u64, ending: &mut Option<Ending>) {
        match self.slots.get_mut(number_of(id)) {
            Some((known, slot)) if *known == id => {
                *known = 0;
                if let Some(span) = slot {
                    span.close(ending);
                }
                *slot = None;
            }
            _ => self.close_other(id, ending),
        }
    }

    #[cold]
    fn close_other(&mut self, id: u64, ending: &mut Option<Ending>) {
        if let Some(mut span) = self.others.remove(&id) {
            span.close(ending);
        }
    }
}

#[cold]
fn find_other(others: &mut HashMap<u64, OpenSpan>, id: u64) -> Option<&mut OpenSpan> {
    others.get_mut(&id)
}

impl Table {
    #[inline]
    fn shard(&self, id: u64) -> &Mutex<Spans> {
        &self.0[shard_of(id)].0
    }

    /// Puts a span in; what an id that was not given back stood for.
    #[inline]
    pub(super) fn insert(&self, id: u64, span: OpenSpan) -> Option<OpenSpan> {
        lock(self.shard(id)).insert(id, span)
    }

    /// Starts a child of an open span and puts it in, in the usual case: they stand in one shard, the
    /// parent has been settled, and the place is free. How long its values may be, if they may be kept.
    #[inline(always)]
    pub(super) fn adopt(
        &self,
        parent: u64,
        id: u64,
        metadata: &'static Metadata<'static>,
    ) -> Option<Values> {
        if shard_of(id) != shard_of(parent) {
            return None;
        }
        lock(self.shard(id)).adopt(parent, id, metadata)
    }

    /// Closes a span and forgets it. What is to be asked is left to the caller.
    #[inline(always)]
    pub(super) fn close(&self, id: u64, ending: &mut Option<Ending>) {
        lock(self.shard(id)).close(id, ending);
    }

    /// Works on a span; `None` when it is not there. What `work` does must not be user code.
    #[inline]
    pub(super) fn with<R>(&self, id: u64, work: impl FnOnce(&mut OpenSpan) -> R) -> Option<R> {
        lock(self.shard(id)).find(id).map(work)
    }

    /// Takes out all there is.
    pub(super) fn drain(&self) -> Vec<OpenSpan> {
        let all = self.0.iter().map(|shard| std::mem::take(&mut *lock(&shard.0)));
        all.flat_map(|spans| {
            let slots = spans.slots.into_iter().filter_map(|(_, span)| span);
            slots.chain(spans.others.into_values())
        })
        .collect()
    }

    /// The ids of some spans. Costs a look at every place.
    pub(super) fn ids_of(&self, is_wanted: impl Fn(&OpenSpan) -> bool) -> Vec<u64> {
        let mut ids = Vec::new();
        for shard in self.0.iter() {
            let spans = lock(&shard.0);
            let slots = spans.slots.iter().filter_map(|(id, span)| Some((id, span.as_ref()?)));
            let found = slots.chain(&spans.others).filter(|(_, span)| is_wanted(span));
            ids.extend(found.map(|(id, _)| *id));
        }
        ids
    }

    pub(super) fn has(&self, id: u64) -> bool {
        self.with(id, |_| ()).is_some()
    }
}
