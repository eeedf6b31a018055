//! What a flush or a shutdown says became of the spans.

use std::fmt;

use crate::ledger::Reason;

/// What happened during a flush or a shutdown, in spans.
///
/// A span counts once for each exporter it goes to, because each may lose it on its own; the
/// [ledger](crate::ledger::Stats) counts it once in all. `Display` says it in a line; `Debug` names the reasons
/// that occurred.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeliveryReport {
    /// Spans that exporters accepted, those that a spool has put on disk included.
    pub sent: u64,
    /// Spans that were sent before the call and still wait.
    pub left: u64,
    pub(in crate::delivery) dropped: [u64; Reason::COUNT],
    pub(in crate::delivery) lost_before: u64,
    pub(in crate::delivery) spooled: u64,
}

impl DeliveryReport {
    /// Spans that exporters had lost before the call. They are no part of [`dropped`](Self::dropped), and fail no
    /// call.
    #[must_use]
    pub const fn lost_before(&self) -> u64 {
        self.lost_before
    }

    /// Spans of this process that wait on disk in a `Spool` at the end of the call, where it is the only exporter.
    #[must_use]
    pub const fn spooled(&self) -> u64 {
        self.spooled
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

    pub(in crate::delivery) const fn drop_spans(&mut self, reason: Reason, spans: u64) {
        self.dropped[reason as usize] += spans;
    }

    /// What was added since `earlier`, with what is left now.
    pub(in crate::delivery) fn since(&self, earlier: &Self, left: u64) -> Self {
        Self {
            sent: self.sent.saturating_sub(earlier.sent),
            left,
            dropped: std::array::from_fn(|row| {
                self.dropped[row].saturating_sub(earlier.dropped[row])
            }),
            lost_before: earlier.dropped(),
            spooled: 0,
        }
    }

    pub(in crate::delivery) fn add(&mut self, other: &Self) {
        self.sent += other.sent;
        self.left += other.left;
        self.lost_before += other.lost_before;
        for (sum, spans) in self.dropped.iter_mut().zip(other.dropped) {
            *sum += spans;
        }
    }

    pub(in crate::delivery) fn is_whole(&self) -> bool {
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
        if self.spooled > 0 {
            write!(f, "; {} wait on disk", self.spooled)?;
        }
        match self.lost_before {
            0 => Ok(()),
            lost => write!(f, "; {lost} were lost before"),
        }
    }
}
