//! A shop on actix-web behind tracing-actix-web, and a customer who visits it by reqwest-tracing: nothing here is
//! swapped.

use actix_web::error::ErrorInternalServerError;
use actix_web::{App, HttpServer, Result as Answer, rt, web};
use reqwest_middleware::ClientBuilder;
use reqwest_tracing::TracingMiddleware;
use tracing::level_filters::LevelFilter;
use tracing::{Instrument, info_span, instrument};
use tracing_actix_web::{DefaultRootSpanBuilder, RootSpanBuilder, TracingLogger};
use tracing_subscriber::filter::Targets;

#[path = "../../shared/tree.rs"]
mod tree;
pub use tree::tree;

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// What is traced.
pub fn filter() -> Targets {
    Targets::new().with_default(LevelFilter::INFO)
}

/// Serves a customer, who asks for an order and for one that fails.
pub async fn visit() -> Result<()> {
    let client = ClientBuilder::new(reqwest::Client::new());
    let client = client.with(TracingMiddleware::default()).build();
    serve::<DefaultRootSpanBuilder>(async |url| {
        client.get(url).send().await?.text().await?;
        Ok(())
    })
    .await
}

/// Serves a customer who asks by this function; the spans of the shop's requests are made as `R` says.
pub async fn serve<R: RootSpanBuilder + 'static>(
    ask: impl AsyncFn(String) -> Result<()>,
) -> Result<()> {
    let shop =
        || App::new().wrap(TracingLogger::<R>::new()).route("/orders/{id}", web::get().to(order));
    let server = HttpServer::new(shop).workers(1).disable_signals().bind(("127.0.0.1", 0))?;
    let address = *server.addrs().first().ok_or("it is bound")?;
    let server = server.run();
    let stop = server.handle();
    let running = rt::spawn(server);

    let both = async {
        for id in [7, 13] {
            ask(format!("http://{address}/orders/{id}")).await?;
        }
        Ok(())
    };
    let visited = both.instrument(info_span!("visit")).await;
    stop.stop(true).await;
    running.await??;
    visited
}

#[instrument(err)]
async fn order(id: web::Path<u32>) -> Answer<String> {
    if *id == 13 { Err(ErrorInternalServerError("sold out")) } else { Ok(format!("order {id}")) }
}
