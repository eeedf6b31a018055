//! A peer on loopback that hears every request and answers as it is told.

// Each test program uses its part of it.
#![allow(dead_code)]

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// Longer than anything here takes; waited for only when a test fails.
pub(crate) const PLENTY: Duration = Duration::from_secs(30);

/// A request as it came.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The number of the connection it came by.
    pub(crate) connection: usize,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The message, of which a call of gRPC has a prefix of five bytes.
    pub(crate) fn message(&self) -> ExportTraceServiceRequest {
        let is_grpc = self.header("content-type") == Some("application/grpc");
        let bytes = if is_grpc { &self.body[5..] } else { &self.body[..] };
        ExportTraceServiceRequest::decode(bytes).unwrap()
    }

    /// The names of its spans.
    pub(crate) fn names(&self) -> Vec<String> {
        let message = self.message();
        let scopes = message.resource_spans.into_iter().flat_map(|spans| spans.scope_spans);
        scopes.flat_map(|scope| scope.spans).map(|span| span.name).collect()
    }
}

/// What the peer does.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Http {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    },
    Grpc {
        code: i32,
        message: &'static str,
        details: Vec<u8>,
        body: Vec<u8>,
    },
    /// Never answers.
    Hang,
    /// Breaks the connection.
    Close,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self::Http { status, headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn ok() -> Self {
        Self::status(200)
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Http { headers, .. } = &mut self {
            headers.push((name, value.into()));
        }
        self
    }

    pub(crate) fn with_body(mut self, content: impl Into<Vec<u8>>) -> Self {
        if let Self::Http { body, .. } | Self::Grpc { body, .. } = &mut self {
            *body = content.into();
        }
        self
    }

    pub(crate) fn code(code: i32) -> Self {
        Self::Grpc { code, message: "", details: Vec::new(), body: Vec::new() }
    }
}

/// Whether the peer speaks HTTP/1.1 or, for gRPC, HTTP/2.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Speaks {
    Http,
    Grpc,
}

type Script = Arc<Mutex<dyn FnMut(&Received) -> Reply + Send>>;
type Connection = Pin<Box<dyn Future<Output = io::Result<Box<dyn Stream>>> + Send>>;
/// What is put on top of TCP.
pub(crate) type Accept = Arc<dyn Fn(TcpStream) -> Connection + Send + Sync>;

pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    received: Receiver<Received>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Answers every request with what `script` says.
    pub(crate) fn start(
        speaks: Speaks,
        script: impl FnMut(&Received) -> Reply + Send + 'static,
    ) -> Self {
        let plain: Accept =
            Arc::new(|tcp| Box::pin(async { Ok(Box::new(tcp) as Box<dyn Stream>) }));
        Self::start_over(speaks, plain, script)
    }

    pub(crate) fn http(script: impl FnMut(&Received) -> Reply + Send + 'static) -> Self {
        Self::start(Speaks::Http, script)
    }

    pub(crate) fn grpc(script: impl FnMut(&Received) -> Reply + Send + 'static) -> Self {
        Self::start(Speaks::Grpc, script)
    }

    /// Answers with these replies, then with the last one.
    pub(crate) fn replies(speaks: Speaks, replies: impl Into<Vec<Reply>>) -> Self {
        let mut left = replies.into();
        left.reverse();
        Self::start(
            speaks,
            move |_| {
                if left.len() > 1 { left.pop().unwrap() } else { left[0].clone() }
            },
        )
    }

    pub(crate) fn start_over(
        speaks: Speaks,
        accept: Accept,
        script: impl FnMut(&Received) -> Reply + Send + 'static,
    ) -> Self {
        let (tell, received) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let script: Script = Arc::new(Mutex::new(script));
        let thread = thread::spawn(move || {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = runtime.enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                let serving = serve(listener, speaks, accept, script, tell);
                tokio::select! {
                    () = serving => {}
                    _ = stopped => {}
                }
            });
        });
        Self { address, received, stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The next request; each is there before it is answered.
    #[track_caller]
    pub(crate) fn next(&self) -> Received {
        self.received.recv_timeout(PLENTY).expect("a request came")
    }

    /// The requests that nobody has asked for yet.
    pub(crate) fn so_far(&self) -> Vec<Received> {
        self.received.try_iter().collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(
    listener: TcpListener,
    speaks: Speaks,
    accept: Accept,
    script: Script,
    tell: Sender<Received>,
) {
    for connection in 0.. {
        let Ok((tcp, _)) = listener.accept().await else { return };
        let (accepted, script, tell) = (accept(tcp), Arc::clone(&script), tell.clone());
        tokio::spawn(async move {
            let Ok(stream) = accepted.await else { return };
            let answer = service_fn(move |request| {
                answer(request, connection, Arc::clone(&script), tell.clone())
            });
            let stream = TokioIo::new(stream);
            // A connection that breaks is part of the play.
            let _ = match speaks {
                Speaks::Http => {
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(stream, answer)
                        .await
                }
                Speaks::Grpc => {
                    hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                        .serve_connection(stream, answer)
                        .await
                }
            };
        });
    }
}

type Body = BoxBody<Bytes, Infallible>;

async fn answer(
    request: Request<Incoming>,
    connection: usize,
    script: Script,
    tell: Sender<Received>,
) -> io::Result<Response<Body>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let received = Received {
        method: head.method.to_string(),
        path: head.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        headers: head.headers,
        body,
        connection,
    };
    let reply = (*script.lock().unwrap())(&received);
    let _ = tell.send(received);
    match reply {
        Reply::Http { status, headers, body } => {
            let mut response = Response::new(Full::new(Bytes::from(body)).boxed());
            *response.status_mut() = status.try_into().unwrap();
            for (name, value) in headers {
                let value = HeaderValue::from_str(&value).unwrap();
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
            Ok(response)
        }
        Reply::Grpc { code: 0, body, .. } => Ok(grpc_response(&body)),
        Reply::Grpc { code, message, details, .. } => {
            let mut response = Response::new(Full::default().boxed());
            let headers = response.headers_mut();
            headers.insert("content-type", HeaderValue::from_static("application/grpc"));
            headers.insert("grpc-status", HeaderValue::from(code));
            headers.insert("grpc-message", HeaderValue::from_static(message));
            if !details.is_empty() {
                let text = STANDARD_NO_PAD.encode(&details);
                headers.insert("grpc-status-details-bin", HeaderValue::from_str(&text).unwrap());
            }
            Ok(response)
        }
        Reply::Hang => std::future::pending().await,
        Reply::Close => Err(io::Error::other("closed by the test")),
    }
}

fn grpc_response(message: &[u8]) -> Response<Body> {
    let mut framed = vec![0];
    framed.extend((message.len() as u32).to_be_bytes());
    framed.extend(message);
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let body = Full::new(Bytes::from(framed));
    let mut response = Response::new(body.with_trailers(async { Some(Ok(trailers)) }).boxed());
    let form = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert("content-type", form);
    response
}
