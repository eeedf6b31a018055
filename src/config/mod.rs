//! Configuration by environment variables.
//!
//! Only this module reads them. [`from_env`] reads the `OTEL_*` variables once and makes a pipeline of them, or
//! any part of one:
//!
//! ```no_run
//! use std::time::Duration;
//! use tailtrace::{Errors, SlowerThan, TailSampler, config};
//!
//! let pipeline = config::from_env()
//!     .with_default_service_name("checkout")
//!     .pipeline()?
//!     .with_tail(TailSampler::new().keep(Errors).keep(SlowerThan(Duration::from_millis(500))))
//!     .start()?;
//! # drop(pipeline);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Values that the program sets win over the environment, and the environment wins over the defaults. A value
//! that cannot be understood counts as unset, with a [warning](Settings::warnings). The chapter
//! [configuration](crate::manual::configuration) has the table of all variables.

#[cfg(feature = "http-client")]
mod builder_checks;
mod coherence;
mod delivery;
#[cfg(feature = "detect")]
mod detect;
mod env_carrier;
mod error;
mod exporters;
mod key_value_list;
mod limits;
#[cfg(not(feature = "http-client"))]
mod missing_checks;
#[cfg(not(all(feature = "otlp", feature = "zipkin")))]
mod missing_exporter;
mod otlp;
#[cfg(feature = "otlp")]
mod otlp_exporter;
mod propagators;
mod proxies;
mod proxy_use;
mod resource;
mod sampler;
mod settings;
mod tail;
mod unknown_names;
mod url;
mod variables;
mod warning;
mod zipkin;
#[cfg(feature = "zipkin")]
mod zipkin_exporter;

use std::env;
use std::path::Path;

pub use env_carrier::EnvCarrier;
pub use error::ConfigError;
pub use otlp::OtlpSettings;
pub use settings::Settings;
pub use warning::Warning;
pub use zipkin::ZipkinSettings;

use variables::VariableValue;

/// Reads the settings from the environment of this process.
///
/// Later changes of the environment are not seen. A variable that begins with `TAILTRACE_` and is none of this crate's is
/// [warned](Settings::warnings) about. The default name of the service is
/// `unknown_service:` and the name of the program.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the room that reads the environment")]
pub fn from_env() -> Settings {
    let lookup = |name: &str| match env::var_os(name).map(|value| value.into_string()) {
        None => VariableValue::Unset,
        Some(Ok(text)) => VariableValue::Text(text),
        Some(Err(_)) => VariableValue::NotUnicode,
    };
    let set: Vec<String> = env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect();
    let settings = Settings::read(&lookup, &set);
    let program = env::current_exe().ok();
    match program.as_deref().and_then(Path::file_name) {
        Some(name) => {
            let name = name.to_string_lossy();
            settings.with_default_service_name(format!("unknown_service:{name}"))
        }
        None => settings,
    }
}

/// Reads the settings from variables that `lookup` gives: those of a test, of a file, or of the process with some
/// of them replaced.
///
/// ```
/// use std::collections::HashMap;
/// use tailtrace::config;
/// let vars = HashMap::from([("OTEL_PROPAGATORS", "b3multi")]);
/// let settings = config::from_vars(&|name| vars.get(name).map(|value| (*value).to_owned()));
/// assert!(settings.warnings().is_empty());
/// ```
#[must_use]
pub fn from_vars(lookup: &dyn Fn(&str) -> Option<String>) -> Settings {
    let lookup = |name: &str| lookup(name).map_or(VariableValue::Unset, VariableValue::Text);
    Settings::read(&lookup, &[])
}
