//! Tells the operator when an exporter begins to fail, when it loses spans and when it works again.

use std::time::Duration;

use crate::export::ExportError;
use crate::kit::internal_log;
use crate::time::Tick;

/// Lines about one exporter are at least this far apart, but for a loss after the promise to try again.
const APART: Duration = Duration::from_secs(10);

/// What one exporter's operator has been told.
#[derive(Debug, Default)]
pub(super) struct Health {
    announced: Announced,
    last_line: Option<Tick>,
    /// The first loss that the operator has not been told of, because a line had just been logged.
    withheld: Option<String>,
}

/// A sentence for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LogLine {
    /// Something is wrong.
    Warning(String),
    /// It is well again.
    Notice(String),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Announced {
    /// Nothing, or that it works again.
    #[default]
    Well,
    /// That its spans wait.
    Waiting,
    /// That spans are lost.
    Losing,
}

impl LogLine {
    /// Writes a line to the log, if there is one.
    pub(super) fn tell(line: Option<Self>) {
        match line {
            Some(Self::Warning(text)) => internal_log::warn(&text),
            Some(Self::Notice(text)) => internal_log::info(&text),
            None => {}
        }
    }
}

impl Health {
    /// A try failed; the sentence for the log, if it is time for one.
    pub(super) fn failed(&mut self, now: Tick, name: &str, error: &ExportError) -> Option<LogLine> {
        if !error.is_retryable() {
            return self.lost(now, || format!("exporter `{name}` lost spans: {error}"));
        }
        if self.announced != Announced::Well || !self.is_time(now) {
            return None;
        }
        if let Some(line) = self.withheld.take() {
            return Some(self.announce(now, Announced::Losing, line));
        }
        let line = format!("exporter `{name}` fails, its spans wait and are tried again: {error}");
        Some(self.announce(now, Announced::Waiting, line))
    }

    /// The last try that a batch is given failed; the sentence for the log, if it is time for one.
    pub(super) fn gave_up(
        &mut self,
        now: Tick,
        name: &str,
        error: &ExportError,
    ) -> Option<LogLine> {
        self.lost(now, || format!("exporter `{name}` lost spans, every try failed: {error}"))
    }

    /// A try failed and the exporter returned nothing for the next one; the sentence for the log, if it is time
    /// for one.
    pub(super) fn returned_nothing(
        &mut self,
        now: Tick,
        name: &str,
        error: &ExportError,
    ) -> Option<LogLine> {
        self.lost(now, || {
            format!("exporter `{name}` lost spans, its error returned none to try again: {error}")
        })
    }

    /// A try worked; the sentence for the log, if the operator thinks otherwise.
    pub(super) fn worked(&mut self, now: Tick, name: &str) -> Option<LogLine> {
        if !self.is_time(now) {
            return None;
        }
        if let Some(line) = self.withheld.take() {
            return Some(self.announce(now, Announced::Losing, line));
        }
        if self.announced == Announced::Well {
            return None;
        }
        Some(self.announce(now, Announced::Well, format!("exporter `{name}` works again")))
    }

    /// The exporter ends; what the operator must know yet.
    pub(super) fn final_line(self) -> Option<LogLine> {
        self.withheld.map(LogLine::Warning)
    }

    fn lost(&mut self, now: Tick, line: impl FnOnce() -> String) -> Option<LogLine> {
        if self.announced == Announced::Losing {
            return None;
        }
        let line = self.withheld.take().unwrap_or_else(line);
        // An operator who was told that the spans wait believes so until the next line.
        if self.announced == Announced::Well && !self.is_time(now) {
            self.withheld = Some(line);
            return None;
        }
        Some(self.announce(now, Announced::Losing, line))
    }

    fn is_time(&self, now: Tick) -> bool {
        self.last_line.is_none_or(|last| now.since(last) >= APART)
    }

    fn announce(&mut self, now: Tick, announced: Announced, text: String) -> LogLine {
        self.announced = announced;
        self.last_line = Some(now);
        if announced == Announced::Well { LogLine::Notice(text) } else { LogLine::Warning(text) }
    }
}

#[cfg(all(test, not(tailtrace_loom)))]
mod tests {
    use super::*;
    use crate::export::Batch;

    fn at(seconds: u64) -> Tick {
        Tick::from_nanos(seconds * 1_000_000_000)
    }

    fn down() -> ExportError {
        ExportError::retryable("503", Batch::default())
    }

    fn refused() -> ExportError {
        ExportError::permanent("400")
    }

    fn warning(text: &str) -> Option<LogLine> {
        Some(LogLine::Warning(format!("exporter `otlp` {text}")))
    }

    fn well() -> Option<LogLine> {
        Some(LogLine::Notice("exporter `otlp` works again".to_owned()))
    }

    #[test]
    fn an_outage_is_told_once_and_its_end_once() {
        let mut health = Health::default();
        assert_eq!(health.worked(at(0), "otlp"), None);
        let waits = warning("fails, its spans wait and are tried again: 503");
        assert_eq!(health.failed(at(1), "otlp", &down()), waits);
        assert_eq!(health.failed(at(60), "otlp", &down()), None);
        assert_eq!(health.worked(at(90), "otlp"), well());
        assert_eq!(health.worked(at(200), "otlp"), None);
        assert_eq!(health.final_line(), None);
    }

    #[test]
    fn a_loss_is_told_at_once_though_the_spans_were_said_to_wait() {
        for loses in [Health::failed, Health::gave_up, Health::returned_nothing] {
            let mut health = Health::default();
            assert!(health.failed(at(1), "otlp", &down()).is_some());
            // A program may end long before the ten seconds are over.
            let Some(LogLine::Warning(line)) = loses(&mut health, at(1), "otlp", &refused()) else {
                panic!("the loss is not told");
            };
            assert!(line.contains("lost spans") && line.ends_with(": 400"), "{line}");
            assert_eq!(health.failed(at(60), "otlp", &refused()), None);
            assert_eq!(health.failed(at(61), "otlp", &down()), None);
            assert_eq!(health.worked(at(90), "otlp"), well());
        }
    }

    /// The exporter was said to work again a second ago, and loses spans.
    fn just_lost() -> Health {
        let mut health = Health::default();
        assert!(health.failed(at(0), "otlp", &down()).is_some());
        assert_eq!(health.worked(at(10), "otlp"), well());
        assert_eq!(health.failed(at(11), "otlp", &refused()), None);
        assert_eq!(health.failed(at(12), "otlp", &ExportError::permanent("404")), None);
        health
    }

    #[test]
    fn a_loss_right_after_another_line_is_told_when_its_time_has_come_or_at_the_end() {
        let lost = warning("lost spans: 400");
        assert_eq!(just_lost().final_line(), lost);
        assert_eq!(just_lost().failed(at(20), "otlp", &refused()), lost);
        assert_eq!(just_lost().failed(at(20), "otlp", &down()), lost);
        let mut health = just_lost();
        assert_eq!(health.worked(at(19), "otlp"), None);
        assert_eq!(health.worked(at(20), "otlp"), lost);
        assert_eq!(health.worked(at(30), "otlp"), well());
        assert_eq!(health.final_line(), None);
    }

    #[test]
    fn an_exporter_that_flaps_speaks_once_in_ten_seconds() {
        for error in [down(), refused()] {
            let mut health = Health::default();
            let mut lines = 0;
            for second in 0..100 {
                lines += usize::from(health.failed(at(second), "otlp", &error).is_some());
                lines += usize::from(health.worked(at(second), "otlp").is_some());
            }
            assert_eq!(lines, 10);
        }
    }
}
