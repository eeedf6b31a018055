//! What trusted proxies say of a request: the scheme and the address of the client.

use http::HeaderMap;

/// What the outermost trusted proxy saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Forwarded<'a> {
    pub(super) scheme: Option<&'a str>,
    pub(super) client: Option<&'a str>,
}

/// The headers in which proxies tell the scheme and the address of a client.
///
/// A proxy adds to one family, and mostly hands on the other as the client sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyHeaders {
    /// `X-Forwarded-For` and `X-Forwarded-Proto`, which most proxies write.
    XForwarded,
    /// `Forwarded`, the standard one of RFC 7239.
    Forwarded,
}

/// How many proxies are trusted, and what they write.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TrustedProxies {
    pub(super) count: usize,
    /// `None` where the program does not say it.
    pub(super) headers: Option<ProxyHeaders>,
}

impl TrustedProxies {
    /// Reads what the trusted proxies say.
    ///
    /// Each proxy adds what it saw at the end, so the last entries are those of trusted ones, and what stands
    /// before them is what a stranger claims.
    pub(super) fn read(self, headers: &HeaderMap) -> Forwarded<'_> {
        if self.count == 0 {
            return Forwarded::default();
        }
        match self.headers.or_else(|| only_family(headers)) {
            Some(ProxyHeaders::XForwarded) => read_common(headers, self.count),
            Some(ProxyHeaders::Forwarded) => read_standard(headers, self.count),
            None => Forwarded::default(),
        }
    }
}

/// The family that stands in the headers alone. Of two, one may be what a stranger claims.
fn only_family(headers: &HeaderMap) -> Option<ProxyHeaders> {
    let is_common =
        ["x-forwarded-for", "x-forwarded-proto"].iter().any(|name| headers.contains_key(*name));
    match (is_common, headers.contains_key("forwarded")) {
        (true, false) => Some(ProxyHeaders::XForwarded),
        (false, true) => Some(ProxyHeaders::Forwarded),
        _ => None,
    }
}

fn read_standard(headers: &HeaderMap, proxies: usize) -> Forwarded<'_> {
    let Some(element) = from_the_end(headers, "forwarded", proxies) else {
        return Forwarded::default();
    };
    let value = |wanted: &str| {
        let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
        let found = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.trim().trim_matches('"'))
    };
    Forwarded { scheme: scheme(value("proto")), client: client(value("for")) }
}

fn read_common(headers: &HeaderMap, proxies: usize) -> Forwarded<'_> {
    let entry = |name| from_the_end(headers, name, proxies);
    // Many proxies write one scheme, whatever stood there before.
    let proto =
        entry("x-forwarded-proto").or_else(|| from_the_end(headers, "x-forwarded-proto", 1));
    Forwarded { scheme: scheme(proto), client: client(entry("x-forwarded-for")) }
}

/// The `place`th entry from the end of a header that may be spread over several lines.
fn from_the_end<'a>(headers: &'a HeaderMap, name: &str, place: usize) -> Option<&'a str> {
    let lines = headers.get_all(name).iter().rev().filter_map(|line| line.to_str().ok());
    let mut entries = lines.flat_map(|line| line.rsplit(',')).map(str::trim);
    entries.nth(place.checked_sub(1)?)
}

fn scheme(text: Option<&str>) -> Option<&'static str> {
    ["http", "https"]
        .into_iter()
        .find(|known| text.is_some_and(|text| text.eq_ignore_ascii_case(known)))
}

/// An address without its port; `unknown` and hidden names, which begin with `_`, say nothing.
fn client(text: Option<&str>) -> Option<&str> {
    let text = text?;
    let address = match text.strip_prefix('[').and_then(|inside| inside.split_once(']')) {
        Some((inside, _)) => inside,
        // One colon separates a port; more are those of an IPv6 address.
        None if text.matches(':').count() == 1 => text.split_once(':')?.0,
        None => text,
    };
    let is_address = !address.is_empty() && address.len() <= 45 && !address.starts_with('_');
    (is_address && !address.eq_ignore_ascii_case("unknown")).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(pairs: &[(&'static str, &str)], proxies: usize, scheme: &str, client: &str) {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        let read = TrustedProxies { count: proxies, headers: None }.read(&headers);
        assert_eq!((read.scheme.unwrap_or(""), read.client.unwrap_or("")), (scheme, client));
    }

    #[test]
    fn what_strangers_claim_before_the_trusted_proxies_does_not_count() {
        let pairs =
            [("x-forwarded-for", "6.6.6.6, 10.0.0.1, 10.0.0.2"), ("x-forwarded-proto", "https")];
        reads(&pairs, 0, "", "");
        reads(&pairs, 1, "https", "10.0.0.2");
        reads(&pairs, 2, "https", "10.0.0.1");
        reads(&pairs, 9, "https", "");
        let spread = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "10.0.0.1")];
        reads(&spread, 1, "", "10.0.0.1");
    }

    #[test]
    fn of_two_families_one_may_be_the_clients_so_the_program_says_which_is_the_proxies() {
        let mut headers = HeaderMap::new();
        headers.insert("forwarded", "for=6.6.6.6;proto=https".parse().unwrap());
        headers.insert("x-forwarded-for", "10.0.0.1".parse().unwrap());
        let client = |headers_of| {
            let proxies = TrustedProxies { count: 1, headers: headers_of };
            proxies.read(&headers).client
        };
        assert_eq!(client(None), None);
        assert_eq!(client(Some(ProxyHeaders::XForwarded)), Some("10.0.0.1"));
        assert_eq!(client(Some(ProxyHeaders::Forwarded)), Some("6.6.6.6"));
        headers.remove("x-forwarded-for");
        let proxies = TrustedProxies { count: 1, headers: Some(ProxyHeaders::XForwarded) };
        assert_eq!(proxies.read(&headers), Forwarded::default());
    }

    #[test]
    fn addresses_are_read_in_every_spelling_and_what_is_none_is_not() {
        let standard = "for=6.6.6.6, For=\"[2001:db8::1]:4711\";Proto=HTTPS;by=_x";
        reads(&[("forwarded", standard)], 1, "https", "2001:db8::1");
        reads(&[("forwarded", "for=_hidden;proto=gopher")], 1, "", "");
        reads(&[("forwarded", "for=unknown")], 1, "", "");
        reads(&[("x-forwarded-for", "10.0.0.1:80")], 1, "", "10.0.0.1");
        reads(&[("x-forwarded-for", "2001:db8::1")], 1, "", "2001:db8::1");
    }
}
