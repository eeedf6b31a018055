//! `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`: the proxy on the way to an endpoint.

#[cfg(feature = "http-client")]
use super::builder_checks as checks;
#[cfg(not(feature = "http-client"))]
use super::missing_checks as checks;
use super::proxy_use::ProxyUse;
use super::url::has_tls;
use super::variables::Variables;
use crate::kit::secret::Secret;

/// A variable and what it says, which may hold a password.
type Named = (&'static str, Secret<String>);

/// The proxies of the environment.
#[derive(Clone, Debug, Default)]
pub(super) struct Proxies {
    http: Option<Named>,
    https: Option<Named>,
    exceptions: String,
}

impl Proxies {
    pub(super) fn read(vars: &mut Variables<'_>) -> Self {
        let mut named = |name| vars.text(name).map(|text| (name, Secret::url(text)));
        let lower = named("http_proxy");
        let upper = named("HTTP_PROXY");
        let https = [named("https_proxy"), named("HTTPS_PROXY")];
        let exceptions = [named("no_proxy"), named("NO_PROXY")].into_iter().flatten().next();
        // A client of a CGI program chooses this variable by the header `Proxy`.
        let is_cgi = named("REQUEST_METHOD").is_some();
        Self {
            http: lower.or(upper.filter(|_| !is_cgi)),
            https: https.into_iter().flatten().next(),
            exceptions: exceptions.map(|(_, list)| list.expose().clone()).unwrap_or_default(),
        }
    }

    /// The URL of the proxy for an endpoint, if there is one.
    pub(super) fn for_endpoint(
        &self,
        endpoint: &str,
        vars: &mut Variables<'_>,
    ) -> Option<Secret<String>> {
        let (variable, url) = if has_tls(endpoint) { &self.https } else { &self.http }.as_ref()?;
        match checks::proxy_use(url.expose(), &self.exceptions, endpoint) {
            ProxyUse::Direct => None,
            ProxyUse::Through => Some(url.clone()),
            ProxyUse::Unusable => {
                vars.warn_about(variable, url, "use a URL such as http://proxy:3128");
                None
            }
        }
    }
}
