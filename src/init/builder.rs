//! What `init` may be told.

use std::fmt;
use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::prelude::*;
use tracing_subscriber::util::TryInitError;

use super::destination::Destination;
use super::error::InitError;
use super::filters::{self, FilterText, SpanFilter};
use super::guard::{FLUSH_TIMEOUT, Guard};
use super::logs::{self, LogFormat};
use super::panic_hook;
use crate::config::Settings;
use crate::export::Exporter;
use crate::kit::internal_log;
use crate::model::{Resource, SettingError, TagKey, TagValue};
use crate::pipeline::{Pipeline, PipelineBuilder};
use crate::propagation;
use crate::sampling::Sampler;
use crate::tail::errors::Errors;
use crate::tail::policy::TailPolicy;
use crate::tail::sampler::TailSampler;
use crate::tail::{PerSecond, Slowest};

/// How many traces per second are kept of what neither failed nor was slow.
const BUDGET: f64 = 10.0;

/// What counts as slow: all but the slowest hundredth of an operation is not.
const SLOW: f64 = 0.99;

/// Changes on the pipeline that the environment describes.
type Change = Box<dyn FnOnce(PipelineBuilder) -> PipelineBuilder>;

/// Chooses what [`init`](fn@crate::init) sets up.
///
/// From [`builder`](super::builder). What the program chooses goes before the environment, except for the name of the
/// service, which `OTEL_SERVICE_NAME` replaces.
#[must_use = "nothing is set up until `start`"]
pub struct InitBuilder {
    settings: Settings,
    changes: Vec<Change>,
    has_tail: bool,
    has_exporter: bool,
    log_filter: Option<String>,
    span_filter: Option<String>,
    logs: bool,
    json: Option<bool>,
    panic_hook: bool,
    signals: bool,
}

impl InitBuilder {
    pub(super) fn new(service_name: String, settings: Settings) -> Self {
        Self {
            settings: settings.with_default_service_name(service_name),
            changes: Vec::new(),
            has_tail: false,
            has_exporter: false,
            log_filter: None,
            span_filter: None,
            logs: true,
            json: None,
            panic_hook: true,
            signals: false,
        }
    }

    /// Changes the pipeline before it starts, with all that its builder can be told: limits, delivery, resource.
    pub fn with_pipeline(
        mut self,
        change: impl FnOnce(PipelineBuilder) -> PipelineBuilder + 'static,
    ) -> Self {
        self.changes.push(Box::new(change));
        self
    }

    /// Sets the tail policy. Default: errors, the slowest hundredth of each operation, and ten traces per second of
    /// the rest. `TAILTRACE_TAIL` does not replace what the program sets.
    pub fn with_tail(mut self, tail: impl TailPolicy + 'static) -> Self {
        self.has_tail = true;
        self.with_pipeline(move |pipeline| pipeline.with_tail(tail))
    }

    /// Sets the head sampler. Default: `OTEL_TRACES_SAMPLER`, else every trace is recorded and the tail decides.
    pub fn with_sampler(self, sampler: impl Sampler + 'static) -> Self {
        self.with_pipeline(move |pipeline| pipeline.with_sampler(sampler))
    }

    /// Adds an exporter, in the place of what the environment and the terminal would get.
    pub fn with_exporter(mut self, exporter: impl Exporter + 'static) -> Self {
        self.has_exporter = true;
        self.with_pipeline(move |pipeline| pipeline.with_exporter(exporter))
    }

    /// Adds something that describes the service, such as `deployment.environment.name`.
    pub fn with_resource_tag(
        self,
        key: impl Into<TagKey<'static>>,
        value: impl Into<TagValue>,
    ) -> Self {
        let key = key.into();
        let value = value.into();
        self.with_pipeline(move |pipeline| pipeline.with_resource_tag(key, value))
    }

    /// Adds what describes the service, such as what `Resource::detect` (feature `detect`) finds. What the environment or
    /// the program set before stays.
    pub fn with_resource(self, resource: Resource) -> Self {
        self.with_pipeline(move |pipeline| pipeline.with_resource(resource))
    }

    /// Sets which spans and events are recorded, in the words of `EnvFilter`. Default: `TAILTRACE_FILTER`, else
    /// `info`. The spans of the HTTP layers are recorded whatever it says. One that asks for the name or the fields of a
    /// span, such as `[place_order]=debug`, makes each span cost about twice as much.
    ///
    /// `debug` with logs at `info` gives the debug events of the traces that are kept, and of no others.
    pub fn with_span_filter(mut self, filter: impl Into<String>) -> Self {
        self.span_filter = Some(filter.into());
        self
    }

    /// Sets which lines are logged, in the words of `EnvFilter`. Default: `RUST_LOG`, else `info`.
    ///
    /// Warnings of this crate are logged too, unless the filter names the target `tailtrace` or is `off`.
    pub fn with_log_filter(mut self, filter: impl Into<String>) -> Self {
        self.log_filter = Some(filter.into());
        self
    }

    /// Sets whether log lines are written. Default: yes.
    pub fn with_logs(mut self, logs: bool) -> Self {
        self.logs = logs;
        self
    }

    /// Sets whether log lines are JSON. Default: unless standard output is a terminal.
    pub fn with_json_logs(mut self, json: bool) -> Self {
        self.json = Some(json);
        self
    }

    /// Sets whether panics are logged as errors of the span they happen in. Default: yes.
    pub fn with_panic_hook(mut self, panic_hook: bool) -> Self {
        self.panic_hook = panic_hook;
        self
    }

    /// Flushes when SIGTERM or SIGINT comes, within five seconds, and then lets the signal end the process. Default: no
    /// handler, as a server that drains needs it. Without effect elsewhere than on Unix.
    pub fn with_signals(mut self) -> Self {
        self.signals = true;
        self
    }

    /// Sets up what was chosen: starts the pipeline, installs the subscriber and the hook.
    ///
    /// # Errors
    /// When a subscriber is installed already, when the machine refuses a thread, or when a setting that
    /// [`with_pipeline`](Self::with_pipeline) made is out of range. An exporter that the environment names and that
    /// cannot be made is left out with a warning.
    pub fn start(self) -> Result<Guard, InitError> {
        let is_terminal = io::stdout().is_terminal();
        let mut warnings = Vec::new();
        let log_filter = filters::read_for_logs(self.log_filter_text(), &mut warnings);
        let span_filter = filters::read_for_spans(self.span_filter_text(), &mut warnings);
        let span_source = self.span_filter_text().map_or("TAILTRACE_FILTER", |text| text.source);
        let format = match self.json.unwrap_or(!is_terminal) {
            true => LogFormat::Json,
            false => LogFormat::Text { color: is_terminal },
        };
        let logs = self.logs.then_some((format, log_filter));
        let panic_hook = self.panic_hook;
        let signals = self.signals;
        let propagator = self.settings.propagator();
        let pipeline = self.pipeline(is_terminal)?;
        install(&pipeline, span_filter, logs).map_err(|error| {
            pipeline.set_enabled(false);
            pipeline.end_in_silence();
            InitError::Installed(error)
        })?;
        pipeline.ask_at_end(format!(
            "does {span_source} let spans through, and did `main` hold the guard: `let _guard`, not `let _`?"
        ));
        // Not only when the pipeline's own thread looks: the program may end before.
        pipeline.pending_warnings().log_when_subscribed();
        propagation::set_default(propagator);
        if signals {
            listen(&pipeline);
        }
        if panic_hook {
            panic_hook::install();
        }
        for warning in warnings {
            internal_log::warn(&warning);
        }
        Ok(Guard::new(pipeline))
    }

    fn log_filter_text(&self) -> Option<FilterText<'_>> {
        let chosen = self.log_filter.as_deref();
        let chosen = chosen.map(|text| FilterText { source: "with_log_filter", text });
        let variable = || self.settings.log_filter();
        chosen.or_else(|| variable().map(|text| FilterText { source: "RUST_LOG", text }))
    }

    fn span_filter_text(&self) -> Option<FilterText<'_>> {
        let chosen = self.span_filter.as_deref();
        let chosen = chosen.map(|text| FilterText { source: "with_span_filter", text });
        let variable = || self.settings.span_filter();
        chosen.or_else(|| variable().map(|text| FilterText { source: "TAILTRACE_FILTER", text }))
    }

    fn pipeline(self, is_terminal: bool) -> Result<Pipeline, InitError> {
        let mut builder = self.settings.pipeline()?;
        if !self.has_exporter {
            builder = Destination::choose(&self.settings, is_terminal).apply(builder);
        }
        if !self.has_tail {
            builder = builder.with_tail(self.settings.tail().map_or_else(default_tail, Ok)?);
        }
        let builder = self.changes.into_iter().fold(builder, |builder, change| change(builder));
        Ok(builder.start()?)
    }
}

/// Installs what leads spans to the pipeline, with the log lines beside it.
fn install(
    pipeline: &Pipeline,
    filter: SpanFilter,
    logs: Option<(LogFormat, EnvFilter)>,
) -> Result<(), TryInitError> {
    let registry = tracing_subscriber::registry;
    match filter {
        SpanFilter::Targets(filter) => {
            let subscriber = pipeline.subscriber().with_filter(filter);
            match logs {
                Some((format, filter)) => {
                    let logs = registry().with(logs::layer(format, filter));
                    subscriber.with_logs(logs).try_init()
                }
                None => subscriber.try_init(),
            }
        }
        // Our subscriber has no such filter.
        SpanFilter::Env(filter) => {
            let logs = logs.map(|(format, filter)| logs::layer(format, filter));
            let layer = pipeline.layer().with_filter(*filter);
            registry().with(layer).with(logs).try_init()
        }
    }
}

/// Flushes when the process is told to end, where that can be heard.
#[cfg(unix)]
fn listen(pipeline: &Pipeline) {
    if let Err(error) = pipeline.flush_on_signals(FLUSH_TIMEOUT) {
        internal_log::warn(&format!("signals end the process without a flush: {error}"));
    }
}

#[cfg(not(unix))]
fn listen(_: &Pipeline) {}

/// What a careful operator would keep: errors, what is slow for its kind, and something of everything.
fn default_tail() -> Result<TailSampler, SettingError> {
    let slow = Slowest::percentile(SLOW)?;
    Ok(TailSampler::new().keep(Errors).keep(slow).keep(PerSecond::new(BUDGET)?))
}

impl fmt::Debug for InitBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InitBuilder").field("settings", &self.settings).finish_non_exhaustive()
    }
}
