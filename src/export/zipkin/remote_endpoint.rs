//! The service that a span called. Pure.

use std::net::IpAddr;

use crate::export::json::{display, key, string};
use crate::model::{SpanKind, TagRef};
use crate::trace::SpanRef;

/// What a tag names.
#[derive(Clone, Copy)]
enum PeerTag {
    Name,
    /// An address, and the tag that has its port.
    Address(&'static str),
}

/// The best first (specification, "OpenTelemetry to Zipkin Transformation": remote endpoint).
const RANKS: [(&str, PeerTag); 11] = [
    ("peer.service", PeerTag::Name),
    ("server.address", PeerTag::Name),
    ("net.peer.name", PeerTag::Name),
    ("network.peer.address", PeerTag::Address("network.peer.port")),
    ("server.socket.domain", PeerTag::Name),
    ("server.socket.address", PeerTag::Address("server.socket.port")),
    ("net.sock.peer.name", PeerTag::Name),
    ("net.sock.peer.addr", PeerTag::Address("net.sock.peer.port")),
    ("peer.hostname", PeerTag::Name),
    ("peer.address", PeerTag::Address("peer.port")),
    ("db.name", PeerTag::Name),
];

/// Writes the peer of a span that called a service, if its tags name it: without one Zipkin draws
/// no line between the services.
pub(super) fn write(out: &mut Vec<u8>, span: SpanRef<'_>) {
    if !matches!(span.kind(), SpanKind::Client | SpanKind::Producer) {
        return;
    }
    let text_of = |name| span.tag(name).and_then(TagRef::as_str).filter(|text| !text.is_empty());
    let best = RANKS.iter().find_map(|(name, tag_kind)| Some((text_of(name)?, *tag_kind)));
    let Some((peer, tag_kind)) = best else { return };
    key(out, ",\"remoteEndpoint\":{");
    let (address, port) = match tag_kind {
        PeerTag::Name => (None, None),
        PeerTag::Address(port) => (peer.parse::<IpAddr>().ok(), span.tag(port).and_then(port_of)),
    };
    match address {
        Some(address) => {
            key(out, if address.is_ipv4() { "\"ipv4\":\"" } else { "\"ipv6\":\"" });
            display(out, address);
            key(out, "\"");
        }
        None => {
            key(out, "\"serviceName\":");
            string(out, peer);
        }
    }
    if let Some(port) = port {
        key(out, ",\"port\":");
        display(out, port);
    }
    key(out, "}");
}

/// A port that is one; zero is none.
fn port_of(value: TagRef<'_>) -> Option<u16> {
    let port = match value {
        TagRef::Str(text) => text.parse().ok(),
        value => value.as_i64().and_then(|number| u16::try_from(number).ok()),
    };
    port.filter(|port| *port != 0)
}
