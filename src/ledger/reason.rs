//! Why spans do not arrive.

/// Why a span did not arrive.
///
/// Reasons up to [`OwnWork`](Self::OwnWork) are decisions and limits; the [failures](Self::is_failure)
/// after them happened on the way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// No policy kept its trace.
    NotKept,
    /// A policy dropped its trace on purpose.
    DroppedByPolicy,
    /// There were too many live traces and its own was worth the least.
    LiveTraces,
    /// The live traces took too much memory and its own was worth the least.
    LiveBytes,
    /// Its trace had too many spans already.
    SpansPerTrace,
    /// Its trace took too much memory already.
    BytesPerTrace,
    /// It had not ended when the pipeline was shut down.
    Unfinished,
    /// It was started after the pipeline was shut down.
    ShutDown,
    /// It was started on a thread of ours, inside a sampler or a policy of its own pipeline, or where
    /// OpenTelemetry's telemetry is suppressed: what tracing causes must not be traced.
    OwnWork,
    /// The export queue was full.
    QueueFull,
    /// The exporter said it would never be accepted, or failed and returned nothing to try again.
    Refused,
    /// The retries were used up.
    RetriesExhausted,
    /// The exporter panicked, or the adapter of another tracer whose spans were [packed](crate::adapter::Original::pack) or
    /// unpacked for it.
    ExporterPanicked,
    /// It was still queued when the time for the shutdown ran out.
    ShutdownDeadline,
    /// The spool on disk threw it away: it was full, or its file was damaged, or its peer refused it.
    SpoolLost,
}

impl Reason {
    /// How many reasons there are.
    pub(crate) const COUNT: usize = Self::ALL.len();

    /// Every reason, in the order of the ledger's table.
    pub const ALL: [Self; 15] = [
        Self::NotKept,
        Self::DroppedByPolicy,
        Self::LiveTraces,
        Self::LiveBytes,
        Self::SpansPerTrace,
        Self::BytesPerTrace,
        Self::Unfinished,
        Self::ShutDown,
        Self::OwnWork,
        Self::QueueFull,
        Self::Refused,
        Self::RetriesExhausted,
        Self::ExporterPanicked,
        Self::ShutdownDeadline,
        Self::SpoolLost,
    ];

    /// The reason as it stands in the ledger's table and in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotKept => "not kept",
            Self::DroppedByPolicy => "dropped by policy",
            Self::LiveTraces => "too many live traces",
            Self::LiveBytes => "live traces too large",
            Self::SpansPerTrace => "too many spans in a trace",
            Self::BytesPerTrace => "trace too large",
            Self::Unfinished => "unfinished at shutdown",
            Self::ShutDown => "started after shutdown",
            Self::OwnWork => "caused by tracing itself",
            Self::QueueFull => "export queue full",
            Self::Refused => "refused by the exporter",
            Self::RetriesExhausted => "retries used up",
            Self::ExporterPanicked => "exporter panicked",
            Self::ShutdownDeadline => "shutdown deadline",
            Self::SpoolLost => "lost by the spool",
        }
    }

    /// Whether a tail decision dropped the span, which is what tails are for.
    #[must_use]
    pub const fn is_decision(self) -> bool {
        matches!(self, Self::NotKept | Self::DroppedByPolicy)
    }

    /// Whether the span was kept and then failed to arrive.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(
            self,
            Self::QueueFull
                | Self::Refused
                | Self::RetriesExhausted
                | Self::ExporterPanicked
                | Self::ShutdownDeadline
                | Self::SpoolLost
        )
    }

    /// Whether the delivery to the exporter tells of it by itself, with what the exporter said.
    pub(crate) const fn is_told_by_exporter(self) -> bool {
        matches!(
            self,
            Self::Refused | Self::RetriesExhausted | Self::ExporterPanicked | Self::SpoolLost
        )
    }

    /// Whether an operator should hear of it: a span was lost, and neither the program nor the operator
    /// decided so.
    #[must_use]
    pub const fn is_loss(self) -> bool {
        !self.is_decision() && !matches!(self, Self::OwnWork | Self::ShutDown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_stands_in_the_table_at_its_own_row() {
        for (row, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, row, "{reason:?}");
        }
    }
}
