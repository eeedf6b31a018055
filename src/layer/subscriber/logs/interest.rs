//! Who is interested in a callsite: the traces, the logs, or both.

use tracing::subscriber::Interest;

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
    const TRACED: usize = 0b100;

    /// The interest as the note on a callsite.
    #[inline]
    pub(super) fn to_note(self) -> usize {
        let logs = match self.logs {
            LogInterest::Never => 0,
            LogInterest::Sometimes => 1,
            LogInterest::Always => 2,
        };
        if self.is_traced { logs | Self::TRACED } else { logs }
    }

    #[inline]
    pub(super) fn from_note(note: usize) -> Self {
        let logs = match note & 0b11 {
            0 => LogInterest::Never,
            1 => LogInterest::Sometimes,
            _ => LogInterest::Always,
        };
        Self { is_traced: note & Self::TRACED != 0, logs }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interest_comes_back_from_its_note() {
        for logs in [LogInterest::Never, LogInterest::Sometimes, LogInterest::Always] {
            for is_traced in [false, true] {
                let interest = CallsiteInterest { is_traced, logs };
                assert_eq!(CallsiteInterest::from_note(interest.to_note()), interest);
            }
        }
    }
}
