//! A program's own logs beside the traces.

mod callbacks;
mod interest;
mod last_answer;

use std::fmt;

use tailtrace_downcast::{Downcast, Parts};
use tracing::{Metadata, Subscriber};

use self::interest::{CallsiteInterest, LogInterest};
use super::TraceSubscriber;
use super::callsites::CallsiteNotes;

/// A [`TraceSubscriber`] with the subscriber of a program's logs beside it.
///
/// From [`TraceSubscriber::with_logs`].
pub struct SubscriberWithLogs<S> {
    traces: TraceSubscriber,
    logs: S,
    interests: CallsiteNotes,
}

impl TraceSubscriber {
    /// Puts the subscriber of the program's logs beside this one: a `tracing_subscriber` registry with `fmt`,
    /// `EnvFilter`, or layers of other crates.
    ///
    /// It is shown the spans and events that it is interested in, and no others: where it is not, a span costs
    /// what it costs without logs. What it writes is what it would write alone; with [`TraceIds`](crate::TraceIds),
    /// lines have the ids of their traces. It has filters of its own, which say nothing about the traces, so that
    /// traces at `DEBUG` beside logs at `INFO` are one line. Downcasts reach it, as `tracing-error` needs.
    ///
    /// A registry by itself keeps every span for ever: put at least one layer on it.
    ///
    /// A span that the logs are shown has the id that they give it, and ends when they say that it has closed: with a
    /// registry, when its last handle is gone and the children that the registry knows have closed. A line that `fmt`
    /// writes when a span is new (`FmtSpan::NEW`) has no trace ids.
    ///
    /// ```
    /// use tailtrace::{ConsoleExporter, Pipeline, TraceIds};
    /// use tracing_subscriber::filter::LevelFilter;
    /// use tracing_subscriber::fmt;
    /// use tracing_subscriber::prelude::*;
    /// let pipeline = Pipeline::builder("checkout").with_exporter(ConsoleExporter::stdout()).start()?;
    /// let logs = fmt::layer().compact().map_event_format(TraceIds::text);
    /// let subscriber = pipeline
    ///     .subscriber()
    ///     .with_filter(LevelFilter::DEBUG)
    ///     .with_logs(tracing_subscriber::registry().with(logs).with(LevelFilter::INFO));
    /// # let _ = subscriber;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_logs<S: Subscriber>(self, logs: S) -> Downcast<SubscriberWithLogs<S>> {
        self.state.blind_spots.look_below::<S>();
        let interests = CallsiteNotes::default();
        Downcast::new(SubscriberWithLogs { traces: self, logs, interests })
    }
}

impl<S: Subscriber> SubscriberWithLogs<S> {
    /// Who is interested in a callsite.
    #[inline]
    fn interest_in(&self, metadata: &'static Metadata<'static>) -> CallsiteInterest {
        match self.interests.get(metadata) {
            Some(note) => CallsiteInterest::from_note(note),
            None => self.find_interest(metadata).0,
        }
    }

    /// Whether the logs want what comes from a callsite now.
    #[inline]
    fn logs_want(&self, interest: CallsiteInterest, metadata: &Metadata<'_>) -> bool {
        match interest.logs {
            LogInterest::Never => false,
            LogInterest::Always => true,
            LogInterest::Sometimes => match last_answer::take_of(metadata) {
                Some(answer) => answer.logs != LogInterest::Never,
                None => self.logs.enabled(metadata),
            },
        }
    }
}

impl<S: Subscriber> Parts for SubscriberWithLogs<S> {
    type First = TraceSubscriber;
    type Second = S;

    fn first(&self) -> &TraceSubscriber {
        &self.traces
    }

    fn second(&self) -> &S {
        &self.logs
    }
}

impl<S: fmt::Debug> fmt::Debug for SubscriberWithLogs<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubscriberWithLogs")
            .field("traces", &self.traces)
            .field("logs", &self.logs)
            .finish_non_exhaustive()
    }
}
