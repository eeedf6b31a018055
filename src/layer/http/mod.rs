//! HTTP on top of the layer: the span of a request, made by [tower] layers.
//!
//! [`HttpServerLayer`] makes the span of each request that comes in, a child of the caller's.
//! [`HttpClientLayer`] makes the span of each request that goes out, and tells the receiver about it
//! in the headers. Both speak OpenTelemetry's stable semantic conventions for HTTP. Their spans are
//! spans of `tracing`, so what the handler does inside of them, with `#[instrument]` or `info!`,
//! stands below them; without a [`TraceLayer`](crate::TraceLayer) in the subscriber they are
//! ordinary spans, and no headers are written.
//!
//! Both work for any `tower::Service` from `http::Request` to `http::Response`, of version 1 of the
//! crate `http` and whatever their bodies: axum, hyper, tonic. A client that has a request type
//! of its own, such as `reqwest`, becomes such a service by a [`ForeignClient`].
//!
//! | tag | server | client |
//! |---|---|---|
//! | name | method and route | method |
//! | `http.request.method`, `http.request.method_original` | yes | yes |
//! | `http.route` | of [`with_route`](HttpServerLayer::with_route) | no |
//! | `url.scheme`, `url.path`, `url.query` | yes | no |
//! | `url.full` | no | yes |
//! | `server.address`, `server.port` | as the URL or `Host` say | as the URL or `Host` say |
//! | `user_agent.original` | yes | no |
//! | `network.protocol.version` | yes | of the response |
//! | `client.address` | as [trusted proxies](HttpServerLayer::with_trusted_proxies) say | no |
//! | `http.response.status_code` | yes | yes |
//! | `error.type` | status 5xx, or the type of the error | status 4xx or 5xx, or the type of the error |
//!
//! `error.type` comes with the status error. It is `cancelled` where the client goes away before there is a response, or
//! during its body. Credentials in URLs and the values of a query's secret keys, such as
//! `X-Amz-Signature`, `access_token`, `api_key`, `password` and `code`, are replaced by `REDACTED`, also in the text of
//! an error; [`Redaction`] adds keys, leaves tags out or hashes them.
//!
//! # gRPC
//! A request with the content type `application/grpc` is a call. Its span is named `package.Service/Method`, as
//! OpenTelemetry's conventions for RPC say, and has `rpc.system.name`, `rpc.method`, `rpc.response.status_code`, the older
//! names `rpc.system`, `rpc.service` and `rpc.grpc.status_code`, and `server.address` and `server.port`. The status
//! comes from the trailers, or from the head where there is no body. At a client every status but `OK` is an error; at a
//! server `UNKNOWN`, `DEADLINE_EXCEEDED`, `UNIMPLEMENTED`, `INTERNAL`, `UNAVAILABLE` and `DATA_LOSS` are. A response that
//! ends without a status counts as `UNKNOWN`.
//!
//! At a server the response decides: without the content type `application/grpc` it is one of HTTP, and an error from
//! 500 on. At a [border](crate::model::Border) what callers can have at will is no error either: a missing status,
//! `DEADLINE_EXCEEDED` and `UNIMPLEMENTED`. The span's name is `grpc` there, which is what a sampler of the head sees, until
//! a status shows that the method exists.
//!
//! # Filters
//! The spans' target is `tailtrace::http`, their level INFO. A filter that names your own crate only,
//! such as `my_crate=info`, hides them from the [`TraceLayer`](crate::TraceLayer). The spans inside still
//! stand under the caller, and calls still send its trace on, but nothing holds them together: each is
//! the root of a local trace that the tail decides alone. [`or_http`] lets the spans through whatever the filter says;
//! `tailtrace::init` does so by itself:
//!
//! ```
//! use tailtrace::layer::http::or_http;
//! use tailtrace::{ConsoleExporter, Pipeline};
//! use tracing_subscriber::filter::Targets;
//! use tracing_subscriber::prelude::*;
//! let pipeline = Pipeline::builder("shop").with_exporter(ConsoleExporter::stdout()).start()?;
//! let filter: Targets = "my_crate=info".parse()?; // Or an `EnvFilter`.
//! let subscriber = tracing_subscriber::registry().with(pipeline.layer().with_filter(or_http(filter)));
//! # let _ = subscriber;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A filter that is a layer itself, and so holds for all layers, needs the directive `tailtrace::http=info`.
//!
//! Feature `tower`.
//!
//! [tower]: https://docs.rs/tower

mod client;
mod filter;
mod foreign_client;
mod forwarded;
mod grpc;
mod method;
mod options;
mod redaction;
mod request_scope;
mod response;
mod response_body;
mod rpc_status;
mod server;
mod server_layer;
mod server_span;
mod side;
mod url;

pub use client::{HttpClientLayer, HttpClientService};
pub use filter::or_http;
pub use foreign_client::{ForeignClient, ForeignResponse};
pub use forwarded::ProxyHeaders;
pub use redaction::Redaction;
pub use response::ResponseFuture;
pub use response_body::ResponseBody;
pub use server::HttpServerService;
pub use server_layer::HttpServerLayer;
