//! `OTEL_TRACES_EXPORTER`, and the exporters behind its names.

use super::error::ConfigError;
#[cfg(not(feature = "otlp"))]
use super::missing_exporter as otlp_exporter;
#[cfg(not(feature = "zipkin"))]
use super::missing_exporter as zipkin_exporter;
use super::otlp::OtlpSettings;
#[cfg(feature = "otlp")]
use super::otlp_exporter;
use super::variables::{Variables, joined_names};
use super::zipkin::ZipkinSettings;
#[cfg(feature = "zipkin")]
use super::zipkin_exporter;
use crate::export::{ConsoleExporter, Exporter};

const VARIABLE: &str = "OTEL_TRACES_EXPORTER";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Otlp,
    Console,
    Zipkin,
}

const NAMES: &[(&str, Name)] =
    &[("otlp", Name::Otlp), ("console", Name::Console), ("zipkin", Name::Zipkin)];

/// The exporters that the environment asks for, as far as this build has them.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    names: Vec<Name>,
    /// Whether the variable chose them.
    is_named: bool,
    /// Why nothing is exported, where no variable asks for that.
    missing: Option<String>,
}

impl Choice {
    pub(super) fn read(vars: &mut Variables<'_>) -> Self {
        let Some(mut names) = vars.list(VARIABLE, NAMES, advise, meanwhile) else {
            let missing = (!otlp_exporter::IS_THERE).then(|| {
                format!(
                    "nothing is recorded: {VARIABLE} names no exporter, and its default otlp \
                     needs the feature `otlp` of tailtrace; turn it on, set the variable to console, or add an \
                     exporter in the program"
                )
            });
            let names = if missing.is_none() { vec![Name::Otlp] } else { Vec::new() };
            return Self { names, is_named: false, missing };
        };
        let lacking: Vec<&str> = names.iter().filter_map(|name| name.lacking_feature()).collect();
        names.retain(|name| name.lacking_feature().is_none());
        if !lacking.is_empty() {
            let features = lacking.join("` and `");
            let rest = if names.is_empty() { "nothing is recorded" } else { "the rest exports" };
            let about = format!(
                ": this build has no feature `{features}`; turn it on in Cargo.toml. Until then {rest}, \
                 unless the program adds an exporter"
            );
            vars.warn(VARIABLE, &about);
        }
        Self { names, is_named: true, missing: None }
    }

    pub(super) fn is_named(&self) -> bool {
        self.is_named
    }

    pub(super) fn missing(&self) -> Option<&str> {
        self.missing.as_deref()
    }

    /// Makes the exporters, or says why one cannot be made.
    pub(super) fn make(
        &self,
        otlp: &OtlpSettings,
        zipkin: &ZipkinSettings,
    ) -> Vec<Result<Box<dyn Exporter>, ConfigError>> {
        let make = |name: &Name| -> Result<Option<Box<dyn Exporter>>, ConfigError> {
            match name {
                Name::Otlp => otlp_exporter::make(otlp),
                Name::Console => Ok(Some(Box::new(ConsoleExporter::stdout()))),
                Name::Zipkin => zipkin_exporter::make(zipkin),
            }
        };
        self.names.iter().filter_map(|name| make(name).transpose()).collect()
    }
}

fn advise(unknown: &str) -> Option<&'static str> {
    unknown.eq_ignore_ascii_case("jaeger").then_some("Jaeger takes OTLP: use otlp")
}

/// What exports though some names are unknown. Where there is no list, that is for the program: `tailtrace::init` has
/// another default than a pipeline that is set up by hand.
fn meanwhile(names: Option<&[Name]>) -> String {
    let Some(asked) = names else { return "it counts as unset".to_owned() };
    let there: Vec<Name> =
        asked.iter().copied().filter(|name| name.lacking_feature().is_none()).collect();
    if there.is_empty() && !asked.is_empty() {
        return "nothing is recorded".to_owned();
    }
    joined_names(NAMES, &there)
}

impl Name {
    /// The feature that this build lacks for it.
    fn lacking_feature(self) -> Option<&'static str> {
        match self {
            Self::Otlp if !otlp_exporter::IS_THERE => Some("otlp"),
            Self::Zipkin if !zipkin_exporter::IS_THERE => Some("zipkin"),
            _ => None,
        }
    }
}
