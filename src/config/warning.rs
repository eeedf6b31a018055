//! Warnings about variables.

use std::fmt;

/// A variable that was ignored, wholly or in part, and why.
///
/// A warning prints as one line that names the variable, its value and the cure. Of a value it repeats what is too plain for
/// a secret: numbers of up to 16 characters, words of small letters, names, hosts and paths, and what has up to three
/// characters. Of anything else, and of headers, it says the length or the place alone.
///
/// ```
/// use tailtrace::config;
/// let vars = |name: &str| (name == "OTEL_BSP_MAX_QUEUE_SIZE").then(|| "many".to_owned());
/// let settings = config::from_vars(&vars);
/// assert_eq!(
///     settings.warnings()[0].to_string(),
///     "OTEL_BSP_MAX_QUEUE_SIZE=\"many\" is ignored: use a whole number from 1 on",
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    variable: String,
    line: String,
}

impl Warning {
    /// A warning about a variable; its line is the name followed by `about`.
    pub(super) fn new(variable: &str, about: &str) -> Self {
        Self { variable: variable.to_owned(), line: format!("{variable}{about}") }
    }

    /// The name of the variable.
    #[must_use]
    pub fn variable(&self) -> &str {
        &self.variable
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}
