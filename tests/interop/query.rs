//! Questions to Jaeger's HTTP API, by the few words of HTTP that they take.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tailtrace::TraceId;

use crate::seen::Seen;

/// How often something is looked for before a test gives up, a tenth of a second apart.
const TRIES: u32 = 600;

/// Longer than any answer takes.
const ANSWER: Duration = Duration::from_secs(60);

/// Looks again and again until there is something; `what` is it that never came.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..TRIES {
        if let Some(found) = look() {
            return found;
        }
        thread::park_timeout(Duration::from_millis(100));
    }
    panic!("{what} did not come");
}

/// The status and the body of an answer. HTTP/1.0, so that the body ends with the connection.
pub(crate) fn get(address: &str, path: &str) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(ANSWER))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let strange = || io::Error::other(format!("not an HTTP answer: {answer:.100}"));
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(strange)?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(strange)?;
    Ok((status, body.to_owned()))
}

/// A Jaeger that answers questions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Query<'a>(pub(crate) &'a str);

impl Query<'_> {
    /// The spans of one trace, without what Jaeger has to say about them; none when it is not there.
    #[track_caller]
    pub(crate) fn trace(self, id: TraceId) -> Vec<Seen> {
        let (status, body) = get(self.0, &format!("/api/v3/traces/{id}?raw_traces=true")).unwrap();
        match status {
            200 => Seen::read_all(&parse(&body)),
            404 => Vec::new(),
            _ => panic!("the query was answered with {status}: {body}"),
        }
    }

    /// The spans of all traces of a service, in no order.
    #[track_caller]
    pub(crate) fn service(self, name: &str) -> Vec<Seen> {
        let path = format!(
            "/api/v3/traces?query.service_name={name}&query.num_traces=100000\
             &query.start_time_min=2000-01-01T00:00:00Z&query.start_time_max=2100-01-01T00:00:00Z"
        );
        let (status, body) = get(self.0, &path).unwrap();
        match status {
            200 => Seen::read_all(&parse(&body)),
            404 => Vec::new(),
            _ => panic!("the query was answered with {status}: {body}"),
        }
    }
}

#[track_caller]
fn parse(body: &str) -> Value {
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error} in {body:.300}"))
}
