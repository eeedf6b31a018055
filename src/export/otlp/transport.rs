//! The two ways that OTLP is sent.

use super::answer::{Answer, read_http};
use super::grpc::GrpcClient;
use crate::export::http::{Client, RequestError};
use crate::time::Clock;

/// A client that keeps its connection. A clone shares it.
#[derive(Clone, Debug)]
pub(super) enum Transport {
    Http(Client),
    Grpc(GrpcClient),
}

impl Transport {
    /// The most bytes that the next request should have.
    pub(super) fn request_limit(&self) -> usize {
        match self {
            Self::Http(client) => client.request_limit(),
            Self::Grpc(client) => client.request_limit(),
        }
    }

    /// Lets requests end as soon as the peer does not answer a probe either.
    #[cfg(feature = "spool")]
    pub(super) fn give_up_when_away(&self) {
        match self {
            Self::Http(client) => client.give_up_when_away(),
            Self::Grpc(client) => client.give_up_when_away(),
        }
    }

    /// Sends a request. The buffer comes back empty, with its memory where that is possible.
    ///
    /// # Errors
    /// When no answer came, or one that says that the request was not accepted.
    pub(super) async fn send(&self, body: &mut Vec<u8>) -> Result<Answer, RequestError> {
        match self {
            Self::Http(client) => {
                let response = client.post(body).await?;
                read_http(&response, client.target(), Clock::system().wall())
            }
            Self::Grpc(client) => client.call(body).await,
        }
    }
}
