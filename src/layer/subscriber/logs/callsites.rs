//! Who is interested in a callsite: the traces, the logs, or both.

use std::sync::atomic::{AtomicUsize, Ordering};

use tracing::Metadata;
use tracing::subscriber::Interest;

/// How many callsites there is room for, as a power of two: programs have hundreds, seldom a few thousand.
const ROOM_BITS: u32 = 13;

/// How many places are looked at before a callsite counts as unknown.
const MOST_PROBES: usize = 16;

/// How often the logs are interested in a callsite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LogInterest {
    Never,
    /// They are asked each time.
    Sometimes,
    Always,
}

/// Who is interested in a callsite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CallsiteInterest {
    pub(super) is_traced: bool,
    pub(super) logs: LogInterest,
}

/// What is known of the callsites, by the addresses of their metadata, which are static.
///
/// A place holds an address with the interest in its lowest bits, or zero. Callsites for which there is no room are
/// unknown: their subscribers are asked each time.
// Relaxed: an entry is whole in itself, and one that is missed or old for a moment is what `tracing` itself allows
// while filters change.
#[derive(Debug)]
pub(super) struct CallsiteInterests(Box<[AtomicUsize]>);

impl LogInterest {
    pub(super) fn of(interest: &Interest) -> Self {
        if interest.is_never() {
            Self::Never
        } else if interest.is_always() {
            Self::Always
        } else {
            Self::Sometimes
        }
    }
}

impl CallsiteInterest {
    const BITS: usize = 0b111;
    const TRACED: usize = 0b100;

    #[inline]
    fn to_bits(self) -> usize {
        let logs = match self.logs {
            LogInterest::Never => 0,
            LogInterest::Sometimes => 1,
            LogInterest::Always => 2,
        };
        if self.is_traced { logs | Self::TRACED } else { logs }
    }

    #[inline]
    fn from_bits(bits: usize) -> Self {
        let logs = match bits & 0b11 {
            0 => LogInterest::Never,
            1 => LogInterest::Sometimes,
            _ => LogInterest::Always,
        };
        Self { is_traced: bits & Self::TRACED != 0, logs }
    }
}

impl Default for CallsiteInterests {
    fn default() -> Self {
        Self((0..1 << ROOM_BITS).map(|_| AtomicUsize::new(0)).collect())
    }
}

impl CallsiteInterests {
    /// The places in which a callsite may stand, in order.
    #[inline]
    fn places(&self, address: usize) -> impl Iterator<Item = &AtomicUsize> {
        let hash = (address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - ROOM_BITS);
        let from = hash as usize;
        (from..from + MOST_PROBES).filter_map(|at| self.0.get(at % self.0.len()))
    }

    /// Who is interested in a callsite, if that is known.
    #[inline]
    pub(super) fn get(&self, metadata: &Metadata<'_>) -> Option<CallsiteInterest> {
        let address = std::ptr::from_ref(metadata).addr();
        for place in self.places(address) {
            let known = place.load(Ordering::Relaxed);
            if known & !CallsiteInterest::BITS == address {
                return Some(CallsiteInterest::from_bits(known));
            }
            if known == 0 {
                return None;
            }
        }
        None
    }

    /// Remembers who is interested in a callsite from now on.
    pub(super) fn set(&self, metadata: &'static Metadata<'static>, interest: CallsiteInterest) {
        let address = std::ptr::from_ref(metadata).addr();
        let new = address | interest.to_bits();
        for place in self.places(address) {
            let taken = place.compare_exchange(0, new, Ordering::Relaxed, Ordering::Relaxed);
            let known = taken.err().unwrap_or(new);
            if known & !CallsiteInterest::BITS == address {
                place.store(new, Ordering::Relaxed);
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interest_comes_back_as_it_was_set() {
        let interests = CallsiteInterests::default();
        let span = tracing::info_span!("callsite");
        tracing::subscriber::with_default(tracing_subscriber::registry(), || {
            let _ = &span;
            let enabled = tracing::info_span!("enabled");
            let metadata = enabled.metadata().unwrap();
            assert_eq!(interests.get(metadata), None);
            for logs in [LogInterest::Never, LogInterest::Sometimes, LogInterest::Always] {
                for is_traced in [false, true] {
                    let interest = CallsiteInterest { is_traced, logs };
                    interests.set(metadata, interest);
                    assert_eq!(interests.get(metadata), Some(interest));
                }
            }
        });
    }
}
