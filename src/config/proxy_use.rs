//! What the builders of exporters say about a proxy.

/// Whether the requests to an endpoint go through a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "http-client"),
    expect(dead_code, reason = "without exporters there is no proxy")
)]
pub(super) enum ProxyUse {
    Direct,
    Through,
    /// No exporter can send through it.
    Unusable,
}
