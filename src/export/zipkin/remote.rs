//! Whom a span called. Pure.

use std::net::IpAddr;

use crate::export::json::{display, key, string};
use crate::model::{SpanKind, TagRef};
use crate::trace::SpanRef;

/// What a tag says about the peer.
#[derive(Clone, Copy)]
enum Says {
    Name,
    /// An address, and the tag that has its port.
    Address(&'static str),
}

/// The best first (specification, "OpenTelemetry to Zipkin Transformation": remote endpoint).
const RANKS: [(&str, Says); 11] = [
    ("peer.service", Says::Name),
    ("server.address", Says::Name),
    ("net.peer.name", Says::Name),
    ("network.peer.address", Says::Address("network.peer.port")),
    ("server.socket.domain", Says::Name),
    ("server.socket.address", Says::Address("server.socket.port")),
    ("net.sock.peer.name", Says::Name),
    ("net.sock.peer.addr", Says::Address("net.sock.peer.port")),
    ("peer.hostname", Says::Name),
    ("peer.address", Says::Address("peer.port")),
    ("db.name", Says::Name),
];

/// Writes the peer of a span that called somebody, if it says who that was: without one Zipkin draws
/// no line between the services.
pub(super) fn write(out: &mut Vec<u8>, span: SpanRef<'_>) {
    if !matches!(span.kind(), SpanKind::Client | SpanKind::Producer) {
        return;
    }
    let said = |name| span.tag(name).and_then(TagRef::as_str).filter(|text| !text.is_empty());
    let best = RANKS.iter().find_map(|(name, says)| Some((said(name)?, *says)));
    let Some((peer, says)) = best else { return };
    key(out, ",\"remoteEndpoint\":{");
    let (address, port) = match says {
        Says::Name => (None, None),
        Says::Address(port) => (peer.parse::<IpAddr>().ok(), span.tag(port).and_then(port_of)),
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
