//! What a flush or a shutdown says.

#[cfg(all(test, not(tailtrace_loom)))]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::waiter::ExporterFailure;
use crate::export::ExportError;
use crate::kit::error_text::debug_like_display;
use crate::ledger::Reason;

/// What happened during a flush or a shutdown, in spans.
///
/// A span counts once for each exporter it goes to, because each may lose it on its own; the
/// [ledger](crate::ledger::Stats) counts it once in all. `Display` says it in a line; `Debug` names the reasons
/// that occurred.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeliveryReport {
    /// Spans that exporters accepted.
    pub sent: u64,
    /// Spans that were sent before the call and still wait.
    pub left: u64,
    pub(super) dropped: [u64; Reason::COUNT],
    pub(super) lost_before: u64,
}

impl DeliveryReport {
    /// Spans that exporters had lost before the call. They are no part of [`dropped`](Self::dropped), and fail no
    /// call.
    #[must_use]
    pub const fn lost_before(&self) -> u64 {
        self.lost_before
    }

    /// Spans that were lost, for whatever reason.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.iter().sum()
    }

    /// Spans that were lost for this reason.
    #[must_use]
    pub const fn dropped_by(&self, reason: Reason) -> u64 {
        self.dropped[reason as usize]
    }

    pub(super) const fn drop_spans(&mut self, reason: Reason, spans: u64) {
        self.dropped[reason as usize] += spans;
    }

    /// What was added since `earlier`, with what is left now.
    pub(super) fn since(&self, earlier: &Self, left: u64) -> Self {
        Self {
            sent: self.sent.saturating_sub(earlier.sent),
            left,
            dropped: std::array::from_fn(|row| {
                self.dropped[row].saturating_sub(earlier.dropped[row])
            }),
            lost_before: earlier.dropped(),
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.sent += other.sent;
        self.left += other.left;
        self.lost_before += other.lost_before;
        for (sum, spans) in self.dropped.iter_mut().zip(other.dropped) {
            *sum += spans;
        }
    }

    pub(super) fn is_whole(&self) -> bool {
        self.dropped() == 0 && self.left == 0
    }
}

/// What was dropped, for `Debug`.
struct Dropped<'a>(&'a DeliveryReport);

impl fmt::Debug for Dropped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = Reason::ALL.into_iter().map(|reason| (reason, self.0.dropped_by(reason)));
        f.debug_map().entries(rows.filter(|(_, spans)| *spans > 0)).finish()
    }
}

impl fmt::Debug for DeliveryReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeliveryReport")
            .field("sent", &self.sent)
            .field("left", &self.left)
            .field("dropped", &Dropped(self))
            .finish()
    }
}

impl fmt::Display for DeliveryReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sent, left, .. } = *self;
        let dropped = self.dropped();
        write!(f, "{sent} spans sent, {dropped} dropped")?;
        let mut before = " (";
        for reason in Reason::ALL {
            let spans = self.dropped_by(reason);
            if spans > 0 {
                write!(f, "{before}{spans} {}", reason.as_str())?;
                before = ", ";
            }
        }
        if dropped > 0 {
            write!(f, ")")?;
        }
        write!(f, ", {left} left")?;
        match self.lost_before {
            0 => Ok(()),
            lost => write!(f, "; {lost} were lost before"),
        }
    }
}

/// How a flush or a shutdown ended.
#[derive(Debug)]
pub(super) struct DrainOutcome {
    pub(super) report: DeliveryReport,
    pub(super) in_time: bool,
    /// An exporter's own flush or shutdown that failed.
    pub(super) failure: Option<ExporterFailure>,
    /// What an exporter said whose spans were lost, or wait.
    pub(super) last_error: Option<ExporterFailure>,
}

/// The end of a sentence.
fn last_error_text(last_error: &Option<ExporterFailure>) -> String {
    last_error.as_ref().map_or_else(String::new, |failure| format!("; {failure}"))
}

/// Why a flush did not deliver everything.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum FlushError {
    /// Time ran out. What is left stays queued and is still sent.
    #[error(
        "flush did not end within {limit:?}: {report}; allow more time, or repair what the exporter waits for{}",
        last_error_text(last_error)
    )]
    TimedOut {
        /// The time that was allowed.
        limit: Duration,
        /// What happened until then.
        report: Box<DeliveryReport>,
        /// What an exporter said last that spans wait for.
        #[source]
        last_error: Option<ExporterFailure>,
    },
    /// Spans were lost while it ran.
    #[error(
        "spans were lost during a flush: {report}; repair the exporter, or raise the queue's limits if it was full{}",
        last_error_text(last_error)
    )]
    Lost {
        /// What happened.
        report: Box<DeliveryReport>,
        /// What an exporter said last that lost some.
        #[source]
        last_error: Option<ExporterFailure>,
    },
    /// Every span was handed over, but an exporter could not flush what it holds back itself.
    #[error(
        "exporter `{exporter}` could not flush what it was given: {source}; {report}; flush again"
    )]
    Exporter {
        /// The exporter's name.
        exporter: Arc<str>,
        /// What happened.
        report: Box<DeliveryReport>,
        /// What it said.
        source: Arc<ExportError>,
    },
}

impl FlushError {
    /// What happened to the spans.
    #[must_use]
    pub fn report(&self) -> &DeliveryReport {
        match self {
            Self::TimedOut { report, .. }
            | Self::Lost { report, .. }
            | Self::Exporter { report, .. } => report,
        }
    }

    pub(super) fn check(outcome: DrainOutcome, limit: Duration) -> Result<DeliveryReport, Self> {
        let DrainOutcome { report, in_time, failure, last_error } = outcome;
        let report = Box::new(report);
        if !in_time {
            return Err(Self::TimedOut { limit, report, last_error: last_error.or(failure) });
        }
        if !report.is_whole() {
            return Err(Self::Lost { report, last_error: last_error.or(failure) });
        }
        match failure {
            Some(ExporterFailure { exporter, error }) => {
                Err(Self::Exporter { exporter, report, source: error })
            }
            None => Ok(*report),
        }
    }

    /// This error of a call that was allowed `asked`, part of which went elsewhere.
    pub(crate) fn within(mut self, asked: Duration) -> Self {
        if let Self::TimedOut { limit, .. } = &mut self {
            *limit = asked;
        }
        self
    }
}

/// Why a shutdown did not deliver everything.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ShutdownError {
    /// Time ran out. What still waited is lost and counted under [`Reason::ShutdownDeadline`].
    #[error(
        "shutdown did not end within {limit:?}: {report}; allow more time, or repair what the exporter waits for{}",
        last_error_text(last_error)
    )]
    TimedOut {
        /// The time that was allowed.
        limit: Duration,
        /// What happened until then.
        report: Box<DeliveryReport>,
        /// What an exporter said last that spans wait for.
        #[source]
        last_error: Option<ExporterFailure>,
    },
    /// Spans were lost while it ran.
    #[error(
        "spans were lost during the shutdown: {report}; end spans before it, repair the exporter, or raise the queue's limits{}",
        last_error_text(last_error)
    )]
    Lost {
        /// What happened.
        report: Box<DeliveryReport>,
        /// What an exporter said last that lost some.
        #[source]
        last_error: Option<ExporterFailure>,
    },
    /// Every span was handed over, but an exporter could not shut down: some may not have arrived.
    #[error(
        "exporter `{exporter}` could not shut down, what it was given may not have arrived: {source}; {report}"
    )]
    Exporter {
        /// The exporter's name.
        exporter: Arc<str>,
        /// What happened.
        report: Box<DeliveryReport>,
        /// What it said.
        source: Arc<ExportError>,
    },
}

impl ShutdownError {
    /// What happened to the spans.
    #[must_use]
    pub fn report(&self) -> &DeliveryReport {
        match self {
            Self::TimedOut { report, .. }
            | Self::Lost { report, .. }
            | Self::Exporter { report, .. } => report,
        }
    }

    pub(super) fn check(outcome: DrainOutcome, limit: Duration) -> Result<DeliveryReport, Self> {
        FlushError::check(outcome, limit).map_err(|error| match error {
            FlushError::TimedOut { limit, report, last_error } => {
                Self::TimedOut { limit, report, last_error }
            }
            FlushError::Lost { report, last_error } => Self::Lost { report, last_error },
            FlushError::Exporter { exporter, report, source } => {
                Self::Exporter { exporter, report, source }
            }
        })
    }

    /// This error of a call that was allowed `asked`, part of which went elsewhere.
    pub(crate) fn within(mut self, asked: Duration) -> Self {
        if let Self::TimedOut { limit, .. } = &mut self {
            *limit = asked;
        }
        self
    }
}

debug_like_display!(FlushError, ShutdownError);
