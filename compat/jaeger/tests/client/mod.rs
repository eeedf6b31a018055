//! HTTP for tests.

use std::io::{Read, Write};
use std::net::TcpStream;

use async_trait::async_trait;
use tailtrace_jaeger::opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};

/// A client of HTTP as small as one can be.
#[derive(Debug)]
pub(crate) struct Client;

#[async_trait]
impl HttpClient for Client {
    async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Bytes>, HttpError> {
        let address = request.uri().authority().unwrap().to_string();
        let mut stream = TcpStream::connect(address)?;
        let (path, body) = (request.uri().path(), request.body());
        write!(stream, "{} {path} HTTP/1.1\r\nhost: x\r\n", request.method())?;
        for (name, value) in request.headers() {
            write!(stream, "{name}: {}\r\n", value.to_str()?)?;
        }
        write!(stream, "content-length: {}\r\nconnection: close\r\n\r\n", body.len())?;
        stream.write_all(body)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let status: u16 = answer.split(' ').nth(1).unwrap_or_default().parse()?;
        Ok(Response::builder().status(status).body(Bytes::new())?)
    }
}
