//! `OTEL_TRACES_EXPORTER`, and the exporters behind its names.

use std::io;
#[cfg(feature = "otlp")]
use std::path::Path;
use std::path::PathBuf;

use super::otlp::OtlpSettings;
use super::variables::{Variables, joined_names};
use super::zipkin::ZipkinSettings;
use super::{make_otlp, make_zipkin};
use crate::export::{ConsoleExporter, Exporter};

const VARIABLE: &str = "OTEL_TRACES_EXPORTER";

/// Why an exporter could not be made as the environment asks.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A file that a variable names cannot be read.
    #[error("cannot read {}: {source}; name a readable PEM file in {variable}", path.display())]
    File {
        /// The variable, without the `TRACES_` that it may have.
        variable: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The exporter refuses what the variables say together.
    #[error("cannot make the exporter {name}: {source}")]
    Exporter {
        /// Its name in `OTEL_TRACES_EXPORTER`.
        name: &'static str,
        /// What the exporter says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The exporter cannot have TLS, which nobody asked for: a gRPC endpoint without a scheme means it.
    #[error(
        "cannot make the exporter {name}: {source}; the endpoint has no scheme, which means https:// for gRPC: write http:// before it, or set OTEL_EXPORTER_OTLP_INSECURE=true"
    )]
    NoScheme {
        /// Its name in `OTEL_TRACES_EXPORTER`.
        name: &'static str,
        /// What the exporter says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

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
    /// Why nothing is exported, where nobody asked for that.
    missing: Option<String>,
}

impl Choice {
    pub(super) fn read(vars: &mut Variables<'_>) -> Self {
        let Some(mut names) = vars.list(VARIABLE, NAMES, advise, meanwhile) else {
            let missing = (!make_otlp::IS_THERE).then(|| {
                format!(
                    "nothing is recorded: {VARIABLE} names no exporter, and its default otlp \
                     needs the feature `otlp` of tailtrace; turn it on, set the variable to console, or add an \
                     exporter in the program"
                )
            });
            let names = if missing.is_none() { vec![Name::Otlp] } else { Vec::new() };
            return Self { names, missing };
        };
        let lacking: Vec<&str> = names.iter().filter_map(|name| name.lacking_feature()).collect();
        names.retain(|name| name.lacking_feature().is_none());
        if !lacking.is_empty() {
            let features = lacking.join("` and `");
            let rest = if names.is_empty() { "nothing is recorded" } else { "the others export" };
            let about = format!(
                ": this build has no feature `{features}`; turn it on in Cargo.toml. Until then {rest}, \
                 unless the program adds an exporter"
            );
            vars.warn(VARIABLE, &about);
        }
        Self { names, missing: None }
    }

    pub(super) fn missing(&self) -> Option<&str> {
        self.missing.as_deref()
    }

    /// Makes the exporters.
    ///
    /// # Errors
    /// When a file cannot be read, or an exporter refuses its settings.
    pub(super) fn make(
        &self,
        otlp: &OtlpSettings,
        zipkin: &ZipkinSettings,
    ) -> Result<Vec<Box<dyn Exporter>>, ConfigError> {
        let make = |name: &Name| -> Result<Option<Box<dyn Exporter>>, ConfigError> {
            match name {
                Name::Otlp => make_otlp::make(otlp),
                Name::Console => Ok(Some(Box::new(ConsoleExporter::stdout()))),
                Name::Zipkin => make_zipkin::make(zipkin),
            }
        };
        self.names.iter().filter_map(|name| make(name).transpose()).collect()
    }
}

fn advise(unknown: &str) -> Option<&'static str> {
    unknown.eq_ignore_ascii_case("jaeger").then_some("Jaeger takes OTLP: use otlp")
}

/// What exports though some names are unknown; without a list, the default.
fn meanwhile(names: Option<&[Name]>) -> String {
    let asked = names.unwrap_or(&[Name::Otlp]);
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
            Self::Otlp if !make_otlp::IS_THERE => Some("otlp"),
            Self::Zipkin if !make_zipkin::IS_THERE => Some("zipkin"),
            _ => None,
        }
    }
}

/// The content of a PEM file.
///
/// # Errors
/// When it cannot be read.
#[cfg(feature = "otlp")]
pub(super) fn pem(variable: &'static str, path: &Path) -> Result<Vec<u8>, ConfigError> {
    std::fs::read(path).map_err(|source| {
        let path = path.to_owned();
        ConfigError::File { variable, path, source }
    })
}
