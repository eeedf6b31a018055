//! Requests by HTTP: what the exporters that speak it share.
//!
//! The only files that talk to the network, with the gRPC client beside OTLP. Requests run on the
//! runtime of the caller: in a pipeline that of delivery, one thread for each exporter. A client sends
//! one request at a time and never waits to try again.

mod body;
mod echo;
mod endpoint;
mod error;
mod failure;
mod gzip;
#[cfg(not(feature = "tls"))]
mod no_tls;
mod options;
mod response;
#[cfg(feature = "tls")]
mod tls;
mod transport;

#[cfg(not(feature = "tls"))]
use no_tls as tls;

#[cfg(feature = "otlp")]
pub(super) use body::Body;
#[cfg(feature = "otlp")]
pub(super) use echo::OwnSecrets;
pub(super) use endpoint::{Endpoint, Peer};
pub use error::HttpError;
#[cfg(feature = "otlp")]
pub(super) use failure::{RequestError, connection_failure, quoted};
pub(super) use options::{Options, http_options};
#[cfg(feature = "otlp")]
pub(super) use response::Response;
#[cfg(feature = "otlp")]
pub(super) use tls::{Connector, http2};
pub(super) use transport::Client;
#[cfg(feature = "otlp")]
pub(super) use transport::{MOST_ANSWERED, MOST_IDLE, give_back, tcp, too_late, within};
