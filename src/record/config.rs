//! How much the recorder may hold.

use std::time::Duration;

use crate::coherence::Coherence;
use crate::kit::with_fields;
use crate::model::Limits;

/// A trace of fewer spans, or bytes, at the most is not decided in parts because it fills its limit.
const FEWEST_SPANS: u32 = 32;
const FEWEST_BYTES: u32 = 64 * 1024;

/// How much the recorder may hold, and for how long.
///
/// At a limit the least valuable goes first and the [ledger](crate::ledger) says why: traces with an
/// error or a head decision to keep outlive all other traces, and equals go in an order of whole trace ids
/// mixed with a secret of the process: the same for all local roots of a trace here, another in other services.
///
/// ```
/// use tailtrace::record::RecordLimits;
/// let limits = RecordLimits::default().with_live_traces(1_000);
/// assert_eq!(limits.spans_per_trace, 10_000);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordLimits {
    /// Local traces that are not complete yet. Default 100,000.
    pub live_traces: usize,
    /// Memory of all live traces, in bytes. Default 128 MiB.
    pub live_bytes: usize,
    /// Spans of one local trace. Default 10,000. An eighth more is reserved for spans that fail.
    pub spans_per_trace: u32,
    /// Memory of one local trace, in bytes. Default 8 MiB.
    pub bytes_per_trace: u32,
    /// How long a trace whose root has ended waits for its other spans. Default 10 s.
    pub linger: Duration,
    /// How long a trace may stay open before it is decided in parts: each subtree that completes below a span that has
    /// been open for as long is decided by itself, and leaves, or gives its room back, at once. Default 30 s;
    /// [`Duration::MAX`] turns that off. A trace that has filled half of
    /// [`spans_per_trace`](Self::spans_per_trace) or [`bytes_per_trace`](Self::bytes_per_trace) is decided in parts
    /// whatever its age, where these limits are at least 32 spans and 64 KiB.
    ///
    /// Traces are looked at each sixteenth of this time, but at least once a second.
    pub part_age: Duration,
    /// How long a local root may stay open before the crate's log tells it, once, as the leak that it usually is.
    /// Default 10 minutes; zero and [`Duration::MAX`] turn that off.
    pub leak_age: Duration,
    /// Memory of the ring of recently dropped traces, in bytes. Default 8 MiB; zero turns it off.
    pub ring_bytes: usize,
    /// How long a dropped trace stays in the ring, as far as its memory allows. Default 30 s.
    pub ring_age: Duration,
    /// Buffers kept for reuse, of 2 MiB for each thousand live traces at the most. Default 1024.
    pub pool_buffers: usize,
    /// The most that one span may hold.
    pub span: Limits,
}

impl Default for RecordLimits {
    fn default() -> Self {
        Self {
            live_traces: 100_000,
            live_bytes: 128 * 1024 * 1024,
            spans_per_trace: 10_000,
            bytes_per_trace: 8 * 1024 * 1024,
            linger: Duration::from_secs(10),
            part_age: Duration::from_secs(30),
            leak_age: Duration::from_secs(600),
            ring_bytes: 8 * 1024 * 1024,
            ring_age: Duration::from_secs(30),
            pool_buffers: 1024,
            span: Limits::default(),
        }
    }
}

impl RecordLimits {
    with_fields! {
        live_traces: usize => with_live_traces;
        live_bytes: usize => with_live_bytes;
        spans_per_trace: u32 => with_spans_per_trace;
        bytes_per_trace: u32 => with_bytes_per_trace;
        linger: Duration => with_linger;
        part_age: Duration => with_part_age;
        leak_age: Duration => with_leak_age;
        ring_bytes: usize => with_ring_bytes;
        ring_age: Duration => with_ring_age;
        pool_buffers: usize => with_pool_buffers;
        span: Limits => with_span;
    }

    /// This with a ring that reaches `reach` back, in at most `most_bytes`: sets [`ring_age`](Self::ring_age) and
    /// [`ring_bytes`](Self::ring_bytes).
    ///
    /// The ring takes memory as it needs it, so a cap that is generous costs nothing while there is little traffic.
    /// Where the traces of that time do not fit, the oldest go first:
    /// [`Stats::ring_reach`](crate::ledger::Stats::ring_reach) says how far the ring reaches back, and
    /// [`ring_bytes`](crate::ledger::Stats::ring_bytes) how much it takes.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tailtrace::record::RecordLimits;
    /// let limits = RecordLimits::default().with_ring_reach(Duration::from_secs(120), 64 * 1024 * 1024);
    /// assert_eq!(limits.ring_age, Duration::from_secs(120));
    /// ```
    #[must_use]
    pub const fn with_ring_reach(self, reach: Duration, most_bytes: usize) -> Self {
        self.with_ring_age(reach).with_ring_bytes(most_bytes)
    }

    /// This with the ring that coherence asks for, where the ring's limits are the defaults.
    pub(crate) fn with_ring_of(self, coherence: &Coherence) -> Self {
        let default = Self::default();
        let mut limits = self;
        if self.ring_age == default.ring_age {
            limits.ring_age = coherence.ring_reach();
        }
        if self.ring_bytes == default.ring_bytes {
            limits.ring_bytes = coherence.ring_cap();
        }
        limits
    }

    /// How many spans a trace may have before it is decided in parts, or is full.
    #[inline]
    pub(super) fn first_spans(&self) -> u32 {
        if self.spans_per_trace < FEWEST_SPANS {
            self.spans_per_trace
        } else {
            self.spans_per_trace / 2
        }
    }

    /// How many bytes a trace may have before it is decided in parts.
    pub(super) fn first_bytes(&self) -> usize {
        if self.bytes_per_trace < FEWEST_BYTES {
            usize::MAX
        } else {
            self.bytes_per_trace as usize / 2
        }
    }

    /// The most spans of a trace: an eighth more where the next span has failed.
    #[inline]
    pub(super) fn max_spans(&self, has_failed: bool) -> usize {
        let reserve = if has_failed { (self.spans_per_trace / 8).max(1) } else { 0 };
        self.spans_per_trace.saturating_add(reserve) as usize
    }
}
