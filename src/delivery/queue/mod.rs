//! A bounded queue that sheds what is worth the least.
//!
//! Two rows, one of traces with an error and one of the rest, each in the order of arrival. A full
//! queue refuses a newcomer without an error; one with an error pushes out the oldest of the rest.
//! Nothing waits here and nothing reads a clock.

use std::collections::VecDeque;

use crate::time::Tick;

/// Above this many places an empty row gives its memory back.
const IDLE_PLACES: usize = 1024;

/// From this many places on a row grows by a quarter.
const LONG_ROW: usize = 16 * 1024;

/// How much a queue may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) traces: usize,
    pub(super) bytes: usize,
}

/// What waits, with all that the queue needs to know of it.
#[derive(Debug)]
pub(super) struct Entry<T> {
    /// Its place in the order of arrival.
    pub(super) seq: u64,
    // A hundred thousand entries may wait, and no trace has more spans than this counts.
    spans: u32,
    pub(super) bytes: usize,
    pub(super) since: Tick,
    /// Whether it is no part of a larger batch.
    pub(super) is_alone: bool,
    /// Whether the bound of bytes does not hold for it.
    is_on_top: bool,
    pub(super) item: T,
}

/// What is offered to the queue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offer {
    pub(super) spans: usize,
    pub(super) bytes: usize,
    pub(super) error: bool,
    /// Whether it is a part of something that is larger than the queue. It makes a batch of its own.
    pub(super) is_part: bool,
}

/// What became of an offer.
#[derive(Debug)]
pub(super) enum PushOutcome<T> {
    /// It waits now; these had to make room for it.
    Accepted(Vec<Entry<T>>),
    /// There is no room for it.
    Refused(T),
}

#[derive(Debug)]
pub(super) struct Queue<T> {
    bounds: Bounds,
    errors: VecDeque<Entry<T>>,
    rest: VecDeque<Entry<T>>,
    next_seq: u64,
    spans: usize,
    bytes: usize,
    rest_bytes: usize,
    /// Of these bytes, those for which the bound does not hold.
    on_top: usize,
}

impl<T> Queue<T> {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            errors: VecDeque::new(),
            rest: VecDeque::new(),
            next_seq: 0,
            spans: 0,
            bytes: 0,
            rest_bytes: 0,
            on_top: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.errors.is_empty() && self.rest.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.errors.len() + self.rest.len()
    }

    #[cfg(test)]
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether a sixteenth of the bytes that may wait do.
    pub(super) const fn is_filling(&self) -> bool {
        self.bytes >= self.bounds.bytes / 16
    }

    pub(super) const fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// The spans that wait.
    pub(super) const fn spans(&self) -> usize {
        self.spans
    }

    /// The place that the next arrival gets.
    pub(super) const fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// The place and the arrival of what has waited longest.
    pub(super) fn front(&self) -> Option<(u64, Tick)> {
        let fronts = [self.errors.front(), self.rest.front()];
        let oldest = fronts.into_iter().flatten().min_by_key(|entry| entry.seq)?;
        Some((oldest.seq, oldest.since))
    }

    /// The spans of what arrived before the place `seq` and still waits.
    pub(super) fn spans_before(&self, seq: u64) -> usize {
        let of = |row: &VecDeque<Entry<T>>| -> usize {
            let before = row.iter().take_while(|entry| entry.seq < seq);
            before.map(|entry| entry.spans as usize).sum()
        };
        of(&self.errors) + of(&self.rest)
    }

    /// Whether the parts of something that is larger than the queue may come on top of its bounds: no
    /// others do.
    pub(super) const fn has_room_on_top(&self) -> bool {
        self.on_top == 0
    }

    /// Lets a part in whatever the bounds say.
    pub(super) fn push_on_top(&mut self, item: T, offer: Offer, now: Tick) {
        self.on_top += offer.bytes;
        self.enter(item, Offer { error: true, ..offer }, true, now);
    }

    /// Lets `item` in, or refuses it; never holds more than the bounds allow, but for what came on top.
    pub(super) fn push(&mut self, item: T, offer: Offer, now: Tick) -> PushOutcome<T> {
        // Each bound on its own: how much would have to go.
        let places = (self.len() + 1).saturating_sub(self.bounds.traces);
        let bytes = (self.bytes - self.on_top).saturating_add(offer.bytes);
        let bytes = bytes.saturating_sub(self.bounds.bytes);
        let fits = places == 0 && bytes == 0;
        let can_shed = offer.error && places <= self.rest.len() && bytes <= self.rest_bytes;
        if !fits && !can_shed {
            return PushOutcome::Refused(item);
        }
        let shed = self.shed(places, bytes);
        self.enter(item, offer, false, now);
        PushOutcome::Accepted(shed)
    }

    fn enter(&mut self, item: T, offer: Offer, is_on_top: bool, now: Tick) {
        let spans = u32::try_from(offer.spans).unwrap_or(u32::MAX);
        self.spans += spans as usize;
        self.bytes += offer.bytes;
        let entry = Entry {
            seq: self.next_seq,
            spans,
            bytes: offer.bytes,
            since: now,
            is_alone: offer.is_part,
            is_on_top,
            item,
        };
        self.next_seq += 1;
        let row = if offer.error {
            &mut self.errors
        } else {
            self.rest_bytes += offer.bytes;
            &mut self.rest
        };
        // A long row that doubled would take megabytes that it may never need.
        if row.len() == row.capacity() && row.len() >= LONG_ROW {
            row.reserve_exact(row.len() / 4);
        }
        row.push_back(entry);
    }

    /// Removes the oldest without an error until this many places and bytes are free.
    fn shed(&mut self, places: usize, bytes: usize) -> Vec<Entry<T>> {
        let mut shed = Vec::new();
        let mut freed = 0;
        while shed.len() < places || freed < bytes {
            let Some(entry) = self.rest.pop_front() else {
                break;
            };
            freed += entry.bytes;
            self.leave(&entry, false);
            shed.push(entry);
        }
        shed
    }

    /// Whether a batch of these bounds would be full.
    pub(super) const fn fills(&self, max_spans: usize, max_bytes: usize) -> bool {
        self.spans >= max_spans || self.bytes >= max_bytes
    }

    /// Takes what has waited longest, as much as fits the bounds and one in any case.
    pub(super) fn take(&mut self, max_spans: usize, max_bytes: usize) -> Vec<Entry<T>> {
        let mut batch: Vec<Entry<T>> = Vec::new();
        let mut spans = 0_usize;
        let mut bytes = 0_usize;
        while let Some(next) = self.peek() {
            spans = spans.saturating_add(next.spans as usize);
            bytes = bytes.saturating_add(next.bytes);
            let is_alone = next.is_alone || batch.last().is_some_and(|last| last.is_alone);
            if !batch.is_empty() && (is_alone || spans > max_spans || bytes > max_bytes) {
                break;
            }
            batch.extend(self.pop());
        }
        for row in [&mut self.errors, &mut self.rest] {
            if row.is_empty() && row.capacity() > IDLE_PLACES {
                *row = VecDeque::new();
            }
        }
        batch
    }

    /// All that waits, in no particular order.
    pub(super) fn into_entries(self) -> impl Iterator<Item = Entry<T>> {
        self.errors.into_iter().chain(self.rest)
    }

    fn errors_first(&self) -> bool {
        match (self.errors.front(), self.rest.front()) {
            (Some(error), Some(rest)) => error.seq < rest.seq,
            (error, _) => error.is_some(),
        }
    }

    fn peek(&self) -> Option<&Entry<T>> {
        if self.errors_first() { self.errors.front() } else { self.rest.front() }
    }

    fn pop(&mut self) -> Option<Entry<T>> {
        let error = self.errors_first();
        let row = if error { &mut self.errors } else { &mut self.rest };
        let entry = row.pop_front()?;
        self.leave(&entry, error);
        Some(entry)
    }

    const fn leave(&mut self, entry: &Entry<T>, error: bool) {
        self.spans -= entry.spans as usize;
        self.bytes -= entry.bytes;
        if entry.is_on_top {
            self.on_top -= entry.bytes;
        }
        if !error {
            self.rest_bytes -= entry.bytes;
        }
    }
}

#[cfg(test)]
mod tests;
