//! What headers are read from and written to.

use std::{collections::HashMap, hash::BuildHasher};

/// Where a [`Propagator`](super::Propagator) reads headers (OpenTelemetry:
/// `Extractor`, `Getter`).
///
/// Implement it for the message type of your transport.
///
/// ```
/// use tailtrace::propagation::Extractor;
///
/// struct Message { properties: Vec<(String, Vec<u8>)> }
///
/// impl Extractor for Message {
///     fn visit(&self, name: &str, each: &mut dyn FnMut(&[u8])) {
///         for (_, value) in self.properties.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name)) {
///             each(value);
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "headers cannot be read from `{Self}`",
    label = "expected an `Extractor`",
    note = "`HashMap<String, String>` is one, and with the feature `http` so is `http::HeaderMap`",
    note = "implement `tailtrace::propagation::Extractor` for the message type of another transport"
)]
pub trait Extractor {
    /// Calls `each` with the value of every header line of this name, in
    /// order. Upper and lower case are the same in names.
    fn visit(&self, name: &str, each: &mut dyn FnMut(&[u8]));

    /// Calls `each` for every header line whose name begins with `prefix`,
    /// with the rest of the name and the value. Upper and lower case are the
    /// same in names.
    ///
    /// Implement it if you read a format that puts data into names, as
    /// [`JaegerPropagator`](super::JaegerPropagator) does; by default there are
    /// no such lines.
    fn visit_prefix(&self, prefix: &str, each: &mut dyn FnMut(&str, &[u8])) {
        let _ = (prefix, each);
    }
}

/// What is behind the prefix in a name that begins with it, in any case.
fn behind<'a>(prefix: &str, name: &'a str) -> Option<&'a str> {
    let (start, rest) = name.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// Where a [`Propagator`](super::Propagator) writes headers (OpenTelemetry:
/// `Injector`, `Setter`).
///
/// Implement it for the message type of your transport.
#[diagnostic::on_unimplemented(
    message = "headers cannot be written to `{Self}`",
    label = "expected an `Injector`",
    note = "`HashMap<String, String>` is one, and with the feature `http` so is `http::HeaderMap`",
    note = "implement `tailtrace::propagation::Injector` for the message type of another transport"
)]
pub trait Injector {
    /// Sets a header to this value, instead of all its lines so far. Upper and
    /// lower case are the same in names; propagators write lower case. Values
    /// consist of printable ASCII characters.
    fn set(&mut self, name: &str, value: String);

    /// Removes all lines of a header. Upper and lower case are the same in names.
    ///
    /// A propagator removes what its format reads before it writes, so that a header that came in with a
    /// request does not go out again beside ours. Implement it unless the carrier is always new; by default
    /// nothing is removed.
    fn remove(&mut self, name: &str) {
        let _ = name;
    }

    /// Removes all headers whose names begin with `prefix`, in upper or lower case.
    ///
    /// Implement it for carriers that are not new if you write a format that puts data into names, as
    /// [`JaegerPropagator`](super::JaegerPropagator) does; by default nothing is removed.
    fn remove_prefix(&mut self, prefix: &str) {
        let _ = prefix;
    }
}

impl<S: BuildHasher> Extractor for HashMap<String, String, S> {
    fn visit(&self, name: &str, each: &mut dyn FnMut(&[u8])) {
        for (_, value) in self.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name)) {
            each(value.as_bytes());
        }
    }

    fn visit_prefix(&self, prefix: &str, each: &mut dyn FnMut(&str, &[u8])) {
        for (name, value) in self {
            if let Some(rest) = behind(prefix, name) {
                each(rest, value.as_bytes());
            }
        }
    }
}

impl<S: BuildHasher> Injector for HashMap<String, String, S> {
    fn set(&mut self, name: &str, value: String) {
        // A second spelling of the name would reach the receiver as a second
        // line, and two `traceparent` lines are none.
        self.retain(|key, _| key == name || !key.eq_ignore_ascii_case(name));
        self.insert(name.to_owned(), value);
    }

    fn remove(&mut self, name: &str) {
        self.retain(|key, _| !key.eq_ignore_ascii_case(name));
    }

    fn remove_prefix(&mut self, prefix: &str) {
        self.retain(|key, _| behind(prefix, key).is_none());
    }
}

#[cfg(feature = "http")]
impl Extractor for http::HeaderMap {
    fn visit(&self, name: &str, each: &mut dyn FnMut(&[u8])) {
        for value in self.get_all(name) {
            each(value.as_bytes());
        }
    }

    fn visit_prefix(&self, prefix: &str, each: &mut dyn FnMut(&str, &[u8])) {
        for (name, value) in self {
            if let Some(rest) = behind(prefix, name.as_str()) {
                each(rest, value.as_bytes());
            }
        }
    }
}

#[cfg(feature = "http")]
impl Injector for http::HeaderMap {
    fn set(&mut self, name: &str, value: String) {
        // A name or value that cannot stand in a header makes no header.
        if let (Ok(name), Ok(value)) =
            (http::HeaderName::from_bytes(name.as_bytes()), http::HeaderValue::try_from(value))
        {
            // A map that is full stays as it is: `insert` would panic.
            let _ = self.try_insert(name, value);
        }
    }

    fn remove(&mut self, name: &str) {
        Self::remove(self, name);
    }

    fn remove_prefix(&mut self, prefix: &str) {
        let names = self.keys().filter(|name| behind(prefix, name.as_str()).is_some());
        let names: Vec<http::HeaderName> = names.cloned().collect();
        for name in names {
            Self::remove(self, name);
        }
    }
}
