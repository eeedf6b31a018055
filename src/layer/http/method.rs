//! The method of a request, and the name its span gets from it.

use std::fmt;
use std::sync::Arc;

use http::Method;

/// The methods that a span names. All other methods count as one, so that a stranger cannot make up names.
#[derive(Clone, Debug, Default)]
pub(super) struct KnownMethods {
    /// `None` stands for those of RFC 9110 and `PATCH`.
    listed: Option<Arc<[Method]>>,
}

impl KnownMethods {
    pub(super) fn new(methods: impl IntoIterator<Item = Method>) -> Self {
        Self { listed: Some(methods.into_iter().collect()) }
    }

    /// The method if it is known.
    pub(super) fn name<'m>(&self, method: &'m Method) -> Option<&'m str> {
        let known = match &self.listed {
            Some(methods) => methods.contains(method),
            None => matches!(
                *method,
                Method::GET
                    | Method::POST
                    | Method::PUT
                    | Method::DELETE
                    | Method::HEAD
                    | Method::OPTIONS
                    | Method::CONNECT
                    | Method::PATCH
                    | Method::TRACE
            ),
        };
        known.then(|| method.as_str())
    }
}

/// The `http.request.method` of a method that is not known.
pub(super) const OTHER: &str = "_OTHER";

/// The name of a span: method and route, where they are of few values.
pub(super) struct SpanName<'a> {
    /// `None` if it is not known.
    pub(super) method: Option<&'a str>,
    pub(super) route: Option<&'a str>,
}

impl fmt::Display for SpanName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.method.unwrap_or("HTTP"))?;
        self.route.map_or(Ok(()), |route| write!(f, " {route}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn method(name: &str) -> Method {
        Method::from_bytes(name.as_bytes()).unwrap()
    }

    #[test]
    fn the_methods_of_the_standard_are_known_in_upper_case_only() {
        let known = KnownMethods::default();
        for name in ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "CONNECT", "PATCH", "TRACE"]
        {
            assert_eq!(known.name(&method(name)), Some(name));
        }
        for name in ["get", "Post", "PROPFIND", "X"] {
            assert_eq!(known.name(&method(name)), None, "{name}");
        }
    }

    #[test]
    fn a_list_of_known_methods_replaces_the_default() {
        let known = KnownMethods::new([method("PROPFIND"), Method::GET]);
        assert_eq!(known.name(&method("PROPFIND")), Some("PROPFIND"));
        assert_eq!(known.name(&Method::GET), Some("GET"));
        assert_eq!(known.name(&Method::POST), None);
    }

    #[test]
    fn a_span_is_called_by_method_and_route() {
        let name = |method, route| SpanName { method, route }.to_string();
        assert_eq!(name(Some("GET"), Some("/users/{id}")), "GET /users/{id}");
        assert_eq!(name(Some("GET"), None), "GET");
        assert_eq!(name(None, Some("/users/{id}")), "HTTP /users/{id}");
        assert_eq!(name(None, None), "HTTP");
    }
}
