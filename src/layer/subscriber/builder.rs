//! The builder of a subscriber.

use super::{TraceFilter, TraceSubscriber};
use crate::layer::options::{RecordingOptions, option_methods};
use crate::pipeline::Pipeline;

/// Puts a [`TraceSubscriber`] together.
///
/// From [`TraceSubscriber::builder`]. The options are those of [`TraceLayerBuilder`](crate::layer::TraceLayerBuilder),
/// and a filter.
///
/// ```
/// use tailtrace::{ConsoleExporter, Pipeline, TraceSubscriber};
/// use tracing_subscriber::filter::LevelFilter;
/// let pipeline = Pipeline::builder("checkout").with_exporter(ConsoleExporter::stdout()).start()?;
/// let subscriber =
///     TraceSubscriber::builder(&pipeline).with_location(true).with_filter(LevelFilter::INFO).build();
/// # let _ = subscriber;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "a subscriber is made with `build`"]
pub struct TraceSubscriberBuilder {
    pipeline: Pipeline,
    options: RecordingOptions,
    filter: TraceFilter,
}

impl TraceSubscriberBuilder {
    pub(super) fn new(pipeline: &Pipeline) -> Self {
        Self {
            pipeline: pipeline.weak(),
            options: RecordingOptions::default(),
            filter: TraceFilter::default(),
        }
    }

    /// Sets which spans and events are recorded. Default: all.
    pub fn with_filter(mut self, filter: impl Into<TraceFilter>) -> Self {
        self.filter = filter.into();
        self
    }

    /// Makes the subscriber.
    #[must_use]
    pub fn build(self) -> TraceSubscriber {
        TraceSubscriber::new(&self.pipeline, self.options.finish(), self.filter)
    }
}

option_methods!(TraceSubscriberBuilder);
