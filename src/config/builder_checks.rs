//! What the builders of exporters accept: what they would refuse is warned about where it is read.

use super::proxy_use::ProxyUse;
use crate::export::{is_endpoint, is_proxied, is_proxy};

/// Whether an exporter can send there.
pub(super) fn accepts_endpoint(text: &str) -> bool {
    is_endpoint(text)
}

pub(super) fn proxy_use(proxy: &str, exceptions: &str, endpoint: &str) -> ProxyUse {
    if !is_proxied(endpoint, exceptions) {
        return ProxyUse::Direct;
    }
    if is_proxy(proxy) { ProxyUse::Through } else { ProxyUse::Unusable }
}
