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
mod json_field;
#[cfg(not(feature = "tls"))]
mod no_tls;
mod options;
mod progress;
mod proxy;
mod request_size;
mod response;
#[cfg(feature = "tls")]
mod tls;
mod transport;

#[cfg(not(feature = "tls"))]
use no_tls as tls;

#[cfg(feature = "otlp")]
pub(super) use echo::OwnSecrets;
pub(crate) use endpoint::is_endpoint;
pub(super) use endpoint::{Endpoint, Peer};
pub use error::HttpError;
#[cfg(feature = "otlp")]
pub(super) use failure::{GRPC_PORT, connection_failure, other_cure, quoted};
pub(super) use failure::{RequestError, log_words};
#[cfg(feature = "otlp")]
pub(super) use json_field::JsonField;
pub(super) use options::{Options, http_options};
pub(super) use progress::RequestProgress;
pub(crate) use proxy::{is_proxied, is_proxy};
#[cfg(feature = "otlp")]
pub(super) use request_size::RequestSize;
#[cfg(feature = "otlp")]
pub(super) use response::Response;
pub(super) use transport::{Client, Content};
#[cfg(feature = "otlp")]
pub(super) use transport::{ClientService, MOST_ANSWERED, Pool, Version, give_back};
