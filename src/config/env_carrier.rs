//! Environment variables as a carrier of propagation.

use std::collections::btree_map;
use std::collections::{BTreeMap, BTreeSet};
use std::env;

use crate::propagation::{Extractor, Injector};

/// Carries a [`TraceContext`](crate::TraceContext) in environment variables: from the parent of this
/// process, or to a child.
///
/// Use it in programs that another program starts, such as steps of a build or jobs of a scheduler, so that
/// their spans belong to the trace of that program. Header names become names of variables: letters become
/// upper case, and every character that is no letter, digit or `_` becomes `_`, so that `traceparent` travels
/// as `TRACEPARENT`. The carrier starts no process itself.
///
/// ```
/// use tailtrace::config::EnvCarrier;
/// use tailtrace::Incoming;
/// use tailtrace::propagation::{CompositePropagator, Propagator};
/// use tailtrace::{SpanId, TraceContext, TraceId};
/// let propagator = CompositePropagator::default();
/// let context = TraceContext::new(TraceId::new(), SpanId::new());
///
/// let mut carrier = EnvCarrier::new();
/// propagator.inject(&context, &mut carrier);
/// let mut child = std::process::Command::new("make");
/// child.envs(carrier.iter());
/// carrier.removed().for_each(|name| drop(child.env_remove(name))); // and spawn it
/// assert_eq!(carrier.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["TRACEPARENT"]);
///
/// // In the child this would be `EnvCarrier::from_env()`.
/// let mut incoming = Incoming::default();
/// propagator.extract(&carrier, &mut incoming);
/// assert_eq!(incoming.context.unwrap().span_id, context.span_id);
/// ```
///
/// Specification: OpenTelemetry, "Environment variables as context propagation carriers".
#[derive(Clone, Default, PartialEq, Eq)]
pub struct EnvCarrier {
    vars: BTreeMap<String, String>,
    /// What a child must not inherit from this process.
    removed: BTreeSet<String>,
}

impl EnvCarrier {
    /// A carrier without variables, to write to.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A carrier with a copy of this process's variables, to read what the parent process wrote.
    ///
    /// Variables whose names no header is written to, or whose values are not UTF-8, are left out.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the room that reads the environment")]
    pub fn from_env() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        env::vars_os().filter_map(text).collect()
    }

    /// Every variable with its value, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.vars.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The names of the variables that must not reach the child from the environment of this process: they
    /// belong to another trace. Give each to `Command::env_remove`.
    pub fn removed(&self) -> impl Iterator<Item = &str> {
        self.removed.iter().map(String::as_str)
    }
}

/// Takes the variables whose names are in the form that headers are written in.
impl FromIterator<(String, String)> for EnvCarrier {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(vars: I) -> Self {
        Self {
            vars: vars.into_iter().filter(|(name, _)| variable_name(name) == *name).collect(),
            removed: BTreeSet::new(),
        }
    }
}

impl IntoIterator for EnvCarrier {
    type Item = (String, String);
    type IntoIter = btree_map::IntoIter<String, String>;

    fn into_iter(self) -> Self::IntoIter {
        self.vars.into_iter()
    }
}

/// The name of the variable for a header.
fn variable_name(name: &str) -> String {
    let upper = |char: char| match char.to_ascii_uppercase() {
        char @ ('A'..='Z' | '0'..='9' | '_') => char,
        _ => '_',
    };
    let starts_well = name.starts_with(|first: char| !first.is_ascii_digit());
    let start = if starts_well { "" } else { "_" };
    start.chars().chain(name.chars().map(upper)).collect()
}

impl Extractor for EnvCarrier {
    fn visit(&self, name: &str, each: &mut dyn FnMut(&[u8])) {
        if let Some(value) = self.vars.get(&variable_name(name)) {
            each(value.as_bytes());
        }
    }

    fn visit_prefix(&self, prefix: &str, each: &mut dyn FnMut(&str, &[u8])) {
        let prefix = variable_name(prefix);
        for (name, value) in self.vars.range(prefix.clone()..) {
            let Some(rest) = name.strip_prefix(&prefix) else { break };
            each(&rest.to_ascii_lowercase(), value.as_bytes());
        }
    }
}

impl Injector for EnvCarrier {
    fn set(&mut self, name: &str, value: String) {
        let name = variable_name(name);
        self.removed.remove(&name);
        self.vars.insert(name, value);
    }

    fn remove(&mut self, name: &str) {
        let name = variable_name(name);
        self.vars.remove(&name);
        self.removed.insert(name);
    }

    fn remove_prefix(&mut self, prefix: &str) {
        let prefix = variable_name(prefix);
        self.vars.retain(|name, _| !name.starts_with(&prefix));
        #[expect(clippy::disallowed_methods, reason = "the room that reads the environment")]
        let inherited = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        self.removed.extend(inherited.filter(|name| name.starts_with(&prefix)));
    }
}

impl std::fmt::Debug for EnvCarrier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The values may be secrets.
        f.debug_set().entries(self.vars.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_normalised_as_the_specification_says() {
        for (name, expected) in [
            ("traceparent", "TRACEPARENT"),
            ("x-b3-traceid", "X_B3_TRACEID"),
            ("uber.trace id", "UBER_TRACE_ID"),
            ("3d", "_3D"),
            ("", "_"),
            ("é", "_"),
            ("_ok_9", "_OK_9"),
        ] {
            assert_eq!(variable_name(name), expected);
            assert_eq!(variable_name(expected), expected);
        }
    }

    #[test]
    fn only_normal_names_are_taken_over() {
        let vars = [("TRACEPARENT", "a"), ("traceparent", "b"), ("Path", "c"), ("1A", "d")];
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let carrier: EnvCarrier = vars.into_iter().map(own).collect();
        assert_eq!(carrier.iter().collect::<Vec<_>>(), [("TRACEPARENT", "a")]);
    }

    #[test]
    fn a_header_is_found_by_its_name_and_by_the_beginning_of_it() {
        let mut carrier = EnvCarrier::new();
        carrier.set("uberctx-Tenant", "acme".to_owned());
        carrier.set("uberctx-user-id", "7".to_owned());
        carrier.set("uberd", "no".to_owned());
        let mut seen = Vec::new();
        carrier.visit("UBERCTX-tenant", &mut |value| seen.push(value.to_vec()));
        assert_eq!(seen, [b"acme"]);
        let mut rests = Vec::new();
        carrier.visit_prefix("uberctx-", &mut |rest, _| rests.push(rest.to_owned()));
        assert_eq!(rests, ["tenant", "user_id"]);
    }

    #[test]
    fn what_it_shows_for_debugging_has_no_values() {
        let mut carrier = EnvCarrier::new();
        carrier.set("secret", "hunter2".to_owned());
        assert_eq!(format!("{carrier:?}"), "{\"SECRET\"}");
    }
}
