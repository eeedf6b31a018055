//! The settings that the environment gives, and the pipeline that they make.

use std::sync::Arc;

use super::error::ConfigError;
use super::exporters::Choice;
use super::limits;
use super::otlp::OtlpSettings;
use super::propagators::PropagatorChoice;
use super::proxies::Proxies;
use super::resource::Identity;
use super::sampler::SamplerChoice;
use super::tail::TailChoice;
use super::variables::{VariableValue, Variables};
use super::warning::Warning;
use super::zipkin::ZipkinSettings;
use super::{coherence, delivery, unknown_names};
use crate::coherence::Coherence;
use crate::delivery::DeliveryConfig;
use crate::export::Exporter;
use crate::kit::internal_log::PendingWarnings;
use crate::kit::secret::Secret;
use crate::model::{LogLevel, Resource};
use crate::pipeline::{Pipeline, PipelineBuilder};
use crate::propagation::CompositePropagator;
use crate::record::RecordLimits;
use crate::sampling::Sampler;
use crate::tail::sampler::TailSampler;

/// The settings of the `OTEL_*` variables.
///
/// From [`from_env`](super::from_env) or [`from_vars`](super::from_vars). Most programs take the whole
/// [`pipeline`](Self::pipeline); the other methods give its parts.
#[derive(Clone, Debug)]
pub struct Settings {
    is_disabled: bool,
    default_name: String,
    identity: Identity,
    log_level: Option<LogLevel>,
    propagators: PropagatorChoice,
    sampler: Option<SamplerChoice>,
    limits: RecordLimits,
    delivery: DeliveryConfig,
    exporters: Choice,
    otlp: OtlpSettings,
    zipkin: ZipkinSettings,
    tail: Option<TailChoice>,
    coherence: Option<Coherence>,
    log_filter: Option<Secret<String>>,
    span_filter: Option<Secret<String>>,
    warnings: Vec<Warning>,
    pending: Arc<PendingWarnings>,
}

impl Settings {
    /// Reads the variables; `set` are the names of those that are set, as far as that is known.
    pub(super) fn read(lookup: &dyn Fn(&str) -> VariableValue, set: &[String]) -> Self {
        let mut vars = Variables::new(lookup);
        unknown_names::warn(&mut vars, set);
        for name in ["OTEL_CONFIG_FILE", "OTEL_EXPERIMENTAL_CONFIG_FILE"] {
            if let Some(file) = vars.text(name) {
                vars.warn_ignored(name, &file, "files are not supported; set the other variables");
            }
        }
        let is_disabled = vars.flag("OTEL_SDK_DISABLED").unwrap_or(false);
        let proxies = Proxies::read(&mut vars);
        let settings = Self {
            is_disabled,
            default_name: "unknown_service".to_owned(),
            identity: Identity::read(&mut vars),
            log_level: vars.choice("OTEL_LOG_LEVEL", LEVELS),
            propagators: PropagatorChoice::read(&mut vars),
            sampler: SamplerChoice::read(&mut vars),
            limits: RecordLimits::default().with_span(limits::read(&mut vars)),
            delivery: delivery::read(&mut vars),
            exporters: Choice::read(&mut vars),
            otlp: OtlpSettings::read(&mut vars, &proxies),
            zipkin: ZipkinSettings::read(&mut vars, &proxies),
            tail: TailChoice::read(&mut vars),
            coherence: coherence::read(&mut vars),
            log_filter: vars.text("RUST_LOG").map(Secret::pairs),
            span_filter: vars.text("TAILTRACE_FILTER").map(Secret::pairs),
            warnings: Vec::new(),
            pending: Arc::default(),
        };
        let warnings = vars.into_warnings();
        let pending =
            Arc::new(PendingWarnings::new(warnings.iter().map(ToString::to_string).collect()));
        Self { warnings, pending, ..settings }
    }

    /// These settings with the service's name for where the environment does not give one.
    ///
    /// An empty name is none. Default: `unknown_service`, with the program's name behind a colon if it is known.
    #[must_use]
    pub fn with_default_service_name(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        if !name.trim().is_empty() {
            self.default_name = name;
        }
        self
    }

    /// A pipeline as the environment describes it, ready to be changed and started.
    ///
    /// What the program sets on the builder afterwards wins over the environment. That holds for
    /// exporters too: those of the environment are used where the program adds none; to have both, add
    /// [`exporters`](Self::exporters) yourself. Where there is nothing to export to,
    /// because `OTEL_TRACES_EXPORTER` is `none`, and where `OTEL_SDK_DISABLED` is `true`, the pipeline
    /// starts all the same and records nothing.
    ///
    /// The warnings about the variables are reported once, through `tracing` at the level warning, as soon as a
    /// subscriber listens, or when the pipeline shuts down.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tailtrace::{Errors, InMemoryExporter, TailSampler, config};
    /// let vars = |name: &str| (name == "OTEL_SERVICE_NAME").then(|| "checkout".to_owned());
    /// let memory = InMemoryExporter::new();
    /// let pipeline = config::from_vars(&vars) // or `from_env()`
    ///     .pipeline()?
    ///     .with_tail(TailSampler::new().keep(Errors))
    ///     .with_exporter(memory.clone())
    ///     .start()?;
    /// pipeline.tracer().start_span("charge_card").set_error(&std::io::Error::other("declined"));
    /// pipeline.shutdown(Duration::from_secs(5))?;
    /// assert_eq!(memory.traces()[0].resource().service_name(), "checkout");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Whatever the environment says, there is a pipeline: an exporter that cannot be made is left out with a warning.
    ///
    /// # Errors
    /// None today. Programs that would rather not start ask for the [`exporters`](Self::exporters), which fail.
    pub fn pipeline(&self) -> Result<PipelineBuilder, ConfigError> {
        let exporters = if self.is_disabled { Vec::new() } else { self.exporters_or_warnings() };
        let resource = self.resource();
        let mut builder = Pipeline::builder(resource.service_name())
            .with_limits(self.limits)
            .with_delivery(self.delivery)
            .with_recording(!self.is_disabled)
            .with_default_exporters(exporters, self.exporters.missing())
            .with_pending_warnings(Arc::clone(&self.pending));
        for (key, value) in resource.iter() {
            builder = builder.with_resource_tag(key.to_owned(), value.clone());
        }
        builder = self.coherence().into_iter().fold(builder, PipelineBuilder::with_coherence);
        Ok(match self.sampler {
            Some(choice) => builder.with_sampler(choice.sampler()),
            None => builder,
        })
    }

    /// The exporters that can be made; of the others there is a warning.
    fn exporters_or_warnings(&self) -> Vec<Box<dyn Exporter>> {
        let made = self.exporters.make(&self.otlp, &self.zipkin).into_iter();
        let warn = |error| self.pending.add(format!("{error}; until then it exports nothing"));
        made.filter_map(|made| made.map_err(warn).ok()).collect()
    }

    /// Whether `OTEL_SDK_DISABLED` is `true`.
    ///
    /// [`pipeline`](Self::pipeline) records nothing then; the [`propagator`](Self::propagator) is the
    /// same.
    #[must_use]
    pub fn is_disabled(&self) -> bool {
        self.is_disabled
    }

    /// The service that makes the spans: `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`.
    #[must_use]
    pub fn resource(&self) -> Resource {
        self.identity.resource(&self.default_name)
    }

    /// The level of `OTEL_LOG_LEVEL`, if it is set.
    ///
    /// It changes nothing by itself: this crate reports through `tracing`, with the target `tailtrace`, and the
    /// program's subscriber filters.
    #[must_use]
    pub fn log_level(&self) -> Option<LogLevel> {
        self.log_level
    }

    /// The formats of headers: `OTEL_PROPAGATORS`. Each call makes a new one.
    #[must_use]
    pub fn propagator(&self) -> CompositePropagator {
        self.propagators.propagator()
    }

    /// The head sampler: `OTEL_TRACES_SAMPLER`. `None` when it is not set; a pipeline then records for
    /// its tail if it has one, and otherwise follows the caller and keeps new traces, which is
    /// OpenTelemetry's default.
    #[must_use]
    pub fn sampler(&self) -> Option<Box<dyn Sampler>> {
        self.sampler.map(SamplerChoice::sampler)
    }

    /// The tail policy: `TAILTRACE_TAIL`. Each call makes a new one. `None` when it is not set.
    ///
    /// [`pipeline`](Self::pipeline) leaves the tail to the program; `tailtrace::init` takes this one.
    ///
    /// ```
    /// use tailtrace::config;
    /// let vars = |name: &str| match name {
    ///     "TAILTRACE_TAIL" => Some("errors,slow=500ms,fraction=0.01,budget=50/s".to_owned()),
    ///     _ => None,
    /// };
    /// assert!(config::from_vars(&vars).tail().is_some());
    /// ```
    #[must_use]
    pub fn tail(&self) -> Option<TailSampler> {
        self.tail.and_then(|choice| choice.tail().ok())
    }

    /// The group of services that [`pipeline`](Self::pipeline) keeps its traces together with:
    /// `TAILTRACE_COHERENCE_URL` and `TAILTRACE_COHERENCE_GROUP`. `None` when the first is not set.
    #[must_use]
    pub fn coherence(&self) -> Option<Coherence> {
        self.coherence.clone()
    }

    /// The filter of the log lines: `RUST_LOG`, as it stands there.
    ///
    /// `tailtrace::init` applies it.
    #[must_use]
    pub fn log_filter(&self) -> Option<&str> {
        self.log_filter.as_ref().map(|text| &**text.expose())
    }

    /// The filter of the spans and events that are recorded: `TAILTRACE_FILTER`, as it stands there.
    ///
    /// `tailtrace::init` applies it.
    #[must_use]
    pub fn span_filter(&self) -> Option<&str> {
        self.span_filter.as_ref().map(|text| &**text.expose())
    }

    /// Whether a variable says where traces go: `OTEL_TRACES_EXPORTER`, or an endpoint of
    /// `OTEL_EXPORTER_OTLP_*`. Otherwise [`exporters`](Self::exporters) are the default ones.
    #[must_use]
    pub fn names_destination(&self) -> bool {
        self.exporters.is_named() || self.otlp.endpoint_variable.is_some()
    }

    /// How much may be recorded: `OTEL_*_LIMIT`, and the defaults of this crate's own limits.
    #[must_use]
    pub fn limits(&self) -> RecordLimits {
        self.limits
    }

    /// How traces wait and are gathered: `OTEL_BSP_*`.
    #[must_use]
    pub fn delivery(&self) -> DeliveryConfig {
        self.delivery
    }

    /// The exporters: `OTEL_TRACES_EXPORTER`. The list is empty for `none`, and where the build lacks the features
    /// of all that are named. Each call makes new ones.
    ///
    /// # Errors
    /// When a file that a variable names cannot be read, or an exporter refuses its settings.
    pub fn exporters(&self) -> Result<Vec<Box<dyn Exporter>>, ConfigError> {
        self.exporters.make(&self.otlp, &self.zipkin).into_iter().collect()
    }

    /// Where and how the exporter `otlp` sends: `OTEL_EXPORTER_OTLP_*`.
    #[must_use]
    pub fn otlp(&self) -> &OtlpSettings {
        &self.otlp
    }

    /// Where and how the exporter `zipkin` sends: `OTEL_EXPORTER_ZIPKIN_*`.
    #[must_use]
    pub fn zipkin(&self) -> &ZipkinSettings {
        &self.zipkin
    }

    /// The warnings about variables, at most one for each.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Reports the warnings now, through `tracing`, unless that was done before. A pipeline does it by itself; call
    /// it in programs that use only the parts.
    pub fn report_warnings(&self) {
        self.pending.log_all();
    }
}

const LEVELS: &[(&str, LogLevel)] = &[
    ("trace", LogLevel::Trace),
    ("debug", LogLevel::Debug),
    ("info", LogLevel::Info),
    ("warn", LogLevel::Warn),
    ("error", LogLevel::Error),
];
