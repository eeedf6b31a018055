//! The body of a request.
//!
//! One type for HTTP and for gRPC: a client is generic in the body it sends, and all of HTTP/1 and HTTP/2
//! behind it would be compiled for each type.

use bytes::Bytes;
use http_body_util::Full;

#[cfg(feature = "otlp")]
pub(super) use tonic::body::Body;

#[cfg(not(feature = "otlp"))]
pub(super) type Body = Full<Bytes>;

/// A body that is there as a whole.
#[cfg(feature = "otlp")]
pub(super) fn whole(bytes: Bytes) -> Body {
    Body::new(Full::new(bytes))
}

/// A body that is there as a whole.
#[cfg(not(feature = "otlp"))]
pub(super) fn whole(bytes: Bytes) -> Body {
    Full::new(bytes)
}
