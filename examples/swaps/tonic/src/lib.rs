//! A stock that is asked by gRPC, and the customer who asks it: nothing here is swapped. The service is that of health
//! checks, whose messages come with tonic.

use std::net::SocketAddr;

use tokio_stream::Empty;
use tonic::codegen::{Body, Bytes, StdError};
use tonic::transport::{Channel, Endpoint, server::TcpIncoming};
use tonic::{Request, Response, Status, client::GrpcService};
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::health_server::Health;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tracing::level_filters::LevelFilter;
use tracing::{Instrument, info_span, instrument};
use tracing_subscriber::filter::Targets;

#[path = "../../shared/tree.rs"]
mod tree;
pub use tree::tree;

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// What is traced: the spans of tonic-tracing-opentelemetry are at the level TRACE, those of tonic are left out.
pub fn filter() -> Targets {
    Targets::new()
        .with_target("swap_tonic", LevelFilter::INFO)
        .with_target("otel::tracing", LevelFilter::TRACE)
}

/// Where the stock listens, and the way there.
pub fn connect() -> Result<(TcpIncoming, Channel)> {
    let incoming = TcpIncoming::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let stock = Endpoint::from_shared(format!("http://{}", incoming.local_addr()?))?;
    Ok((incoming, stock.connect_lazy()))
}

/// Asks for an article that is there, and for one that is not.
pub async fn visit<T>(channel: T)
where
    T: GrpcService<tonic::body::Body>,
    T::Error: Into<StdError>,
    T::ResponseBody: Body<Data = Bytes> + Send + 'static,
    <T::ResponseBody as Body>::Error: Into<StdError> + Send,
{
    let mut stock = HealthClient::new(channel);
    let both = async {
        for article in ["shoes", "hats"] {
            let answer = stock.check(HealthCheckRequest { service: article.to_owned() }).await;
            assert_eq!(answer.is_ok(), article == "shoes");
        }
    };
    both.instrument(info_span!("visit")).await;
}

pub struct Stock;

#[tonic::async_trait]
impl Health for Stock {
    type WatchStream = Empty<std::result::Result<HealthCheckResponse, Status>>;

    #[instrument(name = "look", skip_all, err)]
    async fn check(
        &self,
        article: Request<HealthCheckRequest>,
    ) -> std::result::Result<Response<HealthCheckResponse>, Status> {
        match article.get_ref().service.as_str() {
            "shoes" => Ok(Response::new(HealthCheckResponse::default())),
            _ => Err(Status::unavailable("sold out")),
        }
    }

    async fn watch(
        &self,
        _: Request<HealthCheckRequest>,
    ) -> std::result::Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("nobody watches"))
    }
}
