//! What a flush or a shutdown says.

mod delivery_report;
#[cfg(all(test, not(tailtrace_loom)))]
mod tests;

use std::sync::Arc;
use std::time::Duration;

pub use delivery_report::DeliveryReport;

use super::waiter::ExporterFailure;
use crate::export::ExportError;
use crate::kit::error_text::debug_without_secrets;

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
    /// Time ran out. What still waited is lost and counted under [`Reason::ShutdownDeadline`](crate::ledger::Reason::ShutdownDeadline).
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

debug_without_secrets!(FlushError, ShutdownError);
