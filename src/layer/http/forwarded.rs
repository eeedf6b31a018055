//! What trusted proxies say of a request: the scheme and the address of the client.

use http::HeaderMap;

/// What the outermost trusted proxy saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Forwarded<'a> {
    pub(super) scheme: Option<&'a str>,
    pub(super) client: Option<&'a str>,
}

impl<'a> Forwarded<'a> {
    /// Reads `Forwarded`, or else `X-Forwarded-For` and `X-Forwarded-Proto`.
    ///
    /// Each proxy adds what it saw at the end, so the last `proxies` entries are those of trusted ones, and what stands
    /// before them is what a stranger claims.
    pub(super) fn read(headers: &'a HeaderMap, proxies: usize) -> Self {
        if proxies == 0 {
            return Self::default();
        }
        if let Some(element) = from_the_end(headers, "forwarded", proxies) {
            let value = |wanted: &str| {
                let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
                let found = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted));
                found.map(|(_, value)| value.trim().trim_matches('"'))
            };
            return Self { scheme: scheme(value("proto")), client: client(value("for")) };
        }
        let entry = |name| from_the_end(headers, name, proxies);
        // Many proxies write one scheme, whatever stood there before.
        let proto =
            entry("x-forwarded-proto").or_else(|| from_the_end(headers, "x-forwarded-proto", 1));
        Self { scheme: scheme(proto), client: client(entry("x-forwarded-for")) }
    }
}

/// The `place`th entry from the end of a header that may be spread over several lines.
fn from_the_end<'a>(headers: &'a HeaderMap, name: &str, place: usize) -> Option<&'a str> {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    let entries: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
    entries.len().checked_sub(place).and_then(|at| entries.get(at).copied())
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
        let read = Forwarded::read(&headers, proxies);
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
    fn the_standard_header_goes_before_the_common_ones() {
        let pairs = [
            ("forwarded", "for=6.6.6.6, For=\"[2001:db8::1]:4711\";Proto=HTTPS;by=_x"),
            ("x-forwarded-for", "10.0.0.1"),
        ];
        reads(&pairs, 1, "https", "2001:db8::1");
        reads(&[("forwarded", "for=_hidden;proto=gopher")], 1, "", "");
        reads(&[("forwarded", "for=unknown")], 1, "", "");
        reads(&[("x-forwarded-for", "10.0.0.1:80")], 1, "", "10.0.0.1");
        reads(&[("x-forwarded-for", "2001:db8::1")], 1, "", "2001:db8::1");
    }
}
