//! The environment: every variable, and what goes before what.

mod exporters;
mod hostile;
#[path = "../support/lines.rs"]
mod lines;
#[cfg(not(feature = "otlp"))]
mod no_otlp;
#[cfg(feature = "otlp")]
mod otlp;
#[path = "../support/own_process.rs"]
mod own_process;
mod pipeline;
mod process;
#[cfg(feature = "otlp")]
mod server;
mod variables;

use tailtrace::config::{self, Settings};

/// The settings of these variables.
fn read(vars: &[(&str, &str)]) -> Settings {
    config::from_vars(&|name| {
        let found = vars.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

/// The variables that were warned about.
fn warned(settings: &Settings) -> Vec<&str> {
    settings.warnings().iter().map(config::Warning::variable).collect()
}

/// The settings of these variables, none of which is warned about.
#[track_caller]
fn fine(vars: &[(&str, &str)]) -> Settings {
    let settings = read(vars);
    assert_eq!(settings.warnings(), [], "{vars:?}");
    settings
}

/// The settings of one variable that is warned about by its name and value, and counts as unset.
#[track_caller]
fn refused(variable: &str, value: &str) -> Settings {
    let settings = read(&[(variable, value)]);
    let lines: Vec<String> = settings.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    let begins = format!("{variable}={value:?} is ignored: ");
    assert!(lines[0].starts_with(&begins) && lines[0].len() > begins.len(), "{lines:?}");
    settings
}
