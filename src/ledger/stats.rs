//! A snapshot of the account.

use std::fmt;
use std::time::Duration;

use super::{CoherenceStats, Reason};

/// What became of the spans so far: the answer of [`Pipeline::stats`](crate::Pipeline::stats).
///
/// All numbers count spans unless they say otherwise. `Display` prints a table, and one of coherence in traces where
/// there is something to tell. What [`balances`](Self::balances)
/// are the columns of spans; the rest says more about them, or about this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Spans that were started.
    pub started: u64,
    /// Spans the head sampler dropped; they were never recorded.
    pub sampled_out: u64,
    /// Spans that arrived at one exporter at least.
    pub exported: u64,
    /// Spans of traces that are not decided yet.
    pub live: u64,
    /// Spans of dropped traces that can still be [kept](crate::Pipeline::keep).
    pub held: u64,
    /// Spans of kept traces on their way to an exporter.
    pub queued: u64,
    /// Spans of kept traces that wait on disk, in a `Spool`.
    pub spooled: u64,
    /// Spans that one exporter lost while another delivered them, once for each that lost them.
    ///
    /// They stand under `exported` in the account.
    pub missed: u64,
    /// Traces that were kept.
    pub traces_kept: u64,
    /// Kept spans that ended after their trace had been decided.
    pub late: u64,
    /// Values that were cut to the length limit.
    pub cut_values: u64,
    /// Values and texts that [`Redact`](crate::model::Redact) took out of kept traces.
    pub redacted: u64,
    /// Panics of samplers, policies and exporters that were caught.
    pub panics: u64,
    /// Local traces that are not decided yet, or wait for late spans, at this moment.
    pub live_traces: u64,
    /// Recorded spans that have not ended at this moment; they stand under `live`.
    pub open_spans: u64,
    /// How long ago the oldest live trace began: the start of the first span that it holds. Zero where there is none.
    ///
    /// Spans of OpenTelemetry's SDK tell their start when they end. Such a trace counts from the first look at it:
    /// a call of [`Pipeline::stats`](crate::Pipeline::stats), or one that the pipeline takes every few seconds for
    /// [leaks](crate::record::RecordLimits::leak_age).
    pub oldest_live: Duration,
    /// How long the oldest of the kept traces has waited that no exporter has answered for, what is tried again included.
    /// Zero where none waits. It grows while a peer is away.
    pub oldest_queued: Duration,
    /// How far back the ring of dropped traces reaches: how long ago the oldest of them was dropped. Zero where it
    /// holds none.
    pub ring_reach: Duration,
    /// The memory of that ring, in bytes.
    pub ring_bytes: u64,
    /// What was told to the other services of the group, and heard from them; all zero without
    /// [coherence](crate::pipeline::PipelineBuilder::with_coherence).
    pub coherence: CoherenceStats,
    pub(super) dropped: [u64; Reason::COUNT],
}

/// What the recorder alone knows of the account.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RecorderCounts {
    /// Recorded spans that have started and were not [counted](super::Ledger::started) yet.
    pub(crate) started: u64,
    /// Spans of live traces.
    pub(crate) live: u64,
    /// Spans in the ring.
    pub(crate) held: u64,
    pub(crate) live_traces: u64,
    pub(crate) open_spans: u64,
    pub(crate) oldest_live: Duration,
    pub(crate) ring_reach: Duration,
    pub(crate) ring_bytes: u64,
}

impl Stats {
    /// Spans that did not arrive for this reason.
    #[must_use]
    pub const fn dropped_by(&self, reason: Reason) -> u64 {
        self.dropped[reason as usize]
    }

    /// Spans that were dropped before they were queued: by a policy or by a limit.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.sum(|reason| !reason.is_failure())
    }

    /// Spans that were kept and did not arrive.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.sum(Reason::is_failure)
    }

    /// Spans that were lost without a decision of the program or the operator.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.sum(Reason::is_loss)
    }

    /// Whether every span that was started is accounted for.
    ///
    /// True whenever no span is being started, ended or exported at this very moment.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.started == self.accounted()
    }

    /// The right side of the equation.
    #[must_use]
    pub fn accounted(&self) -> u64 {
        self.sampled_out
            + self.dropped()
            + self.exported
            + self.failed()
            + self.live
            + self.held
            + self.queued
            + self.spooled
    }

    /// What was dropped since `earlier`, by reason.
    pub(crate) fn dropped_since(&self, earlier: &Self) -> [u64; Reason::COUNT] {
        std::array::from_fn(|reason| self.dropped[reason].saturating_sub(earlier.dropped[reason]))
    }

    fn sum(&self, counts: impl Fn(Reason) -> bool) -> u64 {
        Reason::ALL
            .into_iter()
            .filter(|reason| counts(*reason))
            .map(|reason| self.dropped_by(reason))
            .sum()
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |f: &mut fmt::Formatter<'_>, name: &str, spans: u64| {
            writeln!(f, "  {name:<28}{spans:>12}")
        };
        let seconds = |f: &mut fmt::Formatter<'_>, name: &str, time: Duration| {
            if time.is_zero() {
                Ok(())
            } else {
                writeln!(f, "  {name:<28}{:>12.1}", time.as_secs_f64())
            }
        };
        writeln!(f, "  {:<28}{:>12}", "spans", "count")?;
        row(f, "started", self.started)?;
        row(f, "sampled out at the head", self.sampled_out)?;
        for reason in Reason::ALL {
            if self.dropped_by(reason) > 0 {
                row(f, reason.as_str(), self.dropped_by(reason))?;
            }
        }
        row(f, "exported", self.exported)?;
        row(f, "live", self.live)?;
        row(f, "held for a later keep", self.held)?;
        row(f, "queued", self.queued)?;
        if self.spooled > 0 {
            row(f, "spooled", self.spooled)?;
        }
        // Not columns of the equation: they say more about spans that are counted above.
        for (name, count) in [
            ("(missed by some exporter)", self.missed),
            ("(ended late)", self.late),
            ("(values cut to length)", self.cut_values),
            ("(values redacted)", self.redacted),
            ("(panics caught)", self.panics),
            ("(live traces)", self.live_traces),
            ("(open spans)", self.open_spans),
            ("(bytes of the ring)", self.ring_bytes),
        ] {
            if count > 0 {
                row(f, name, count)?;
            }
        }
        seconds(f, "(seconds the ring goes back)", self.ring_reach)?;
        seconds(f, "(age of the oldest trace)", self.oldest_live)?;
        seconds(f, "(age of the queue)", self.oldest_queued)?;
        if self.coherence != CoherenceStats::default() {
            writeln!(f, "{}", self.coherence)?;
        }
        if self.balances() {
            write!(f, "  every span is accounted for")
        } else {
            write!(
                f,
                "  {} of {} spans accounted for, the rest in motion",
                self.accounted(),
                self.started
            )
        }
    }
}
