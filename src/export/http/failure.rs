//! Why a request failed.

use std::error::Error;
use std::io;
use std::time::Duration;

use super::endpoint::Peer;
use crate::export::escape::escape;
use crate::export::{Batch, ExportError};
use crate::kit::error_text::causes;
use crate::kit::internal_log;

/// The port at which peers take OTLP by gRPC.
pub(in crate::export) const GRPC_PORT: u16 = 4317;

/// The port at which they take it by HTTP.
const HTTP_PORT: u16 = 4318;

/// How much of the text of a peer, of the system or of a library is told on.
const MOST_QUOTED: usize = 200;

/// Why a request failed, and whether sending it again makes sense.
#[derive(Debug)]
pub(in crate::export) struct RequestError {
    pub(in crate::export) message: String,
    pub(in crate::export) is_retryable: bool,
    /// How long the peer asked to wait before the next try.
    pub(in crate::export) retry_after: Option<Duration>,
    /// What the peer said, which only the log at the level debug repeats.
    pub(in crate::export) words: String,
    /// Whether the connection failed, so that the peer said nothing.
    pub(super) is_unanswered: bool,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl RequestError {
    pub(in crate::export) fn retryable(message: String, retry_after: Option<Duration>) -> Self {
        let words = String::new();
        let is_unanswered = false;
        Self { message, is_retryable: true, retry_after, words, is_unanswered, source: None }
    }

    pub(in crate::export) fn permanent(message: String) -> Self {
        let words = String::new();
        let is_unanswered = false;
        Self { message, is_retryable: false, retry_after: None, words, is_unanswered, source: None }
    }

    /// This error with what the peer said.
    pub(in crate::export) fn with_words(mut self, words: String) -> Self {
        self.words = words;
        self
    }

    /// The error of an exporter for which `left` of the batch could be sent again.
    pub(in crate::export) fn into_export_error(self, left: Batch) -> ExportError {
        let Self { message, is_retryable, retry_after, source, .. } = self;
        let error = match (is_retryable, retry_after) {
            (false, _) => ExportError::permanent(message),
            (true, None) => ExportError::retryable(message, left),
            (true, Some(wait)) => ExportError::retryable(message, left).after(wait),
        };
        match source {
            Some(source) => error.with_source(source),
            None => error,
        }
    }
}

/// The failure to connect, or of a connection that broke before the answer came: both may be better at
/// the next try.
pub(in crate::export) fn connection_failure<E>(
    peer: &Peer,
    protocol: &str,
    is_connect: bool,
    error: E,
) -> RequestError
where
    E: Error + Send + Sync + 'static,
{
    let Peer { endpoint, name, language, .. } = peer;
    let target = &endpoint.shown;
    let cause = causes(&error, MOST_QUOTED).pop().unwrap_or_else(|| error.to_string());
    let cause = without_words(&cause);
    let other = other_advice(peer, protocol, cause);
    let message = if is_connect && is_refused(&error) {
        format!("connection refused at {target}; is {name} listening for {language} there?{other}")
    } else if is_connect {
        format!("cannot connect to {target}: {cause}; check its address, and the network between")
    } else {
        format!(
            "the connection to {target} broke before an answer came: {cause}; does {name} take {language} by {protocol} there?{other}"
        )
    };
    // What broke a connection may repeat the peer's words; what prevented one cannot.
    let source = is_connect.then(|| error.into());
    RequestError { source, is_unanswered: true, ..RequestError::retryable(message, None) }
}

/// How to speak the other protocol, where that seems to be spoken: by the port, or by an answer of HTTP/2 in the place
/// of HTTP/1.1, or the other way around.
fn other_advice(peer: &Peer, protocol: &str, cause: &str) -> String {
    // As hyper says it, by how early the answer comes; and as h2 does, for an answer of HTTP/1.1 and for none, by how
    // early the peer hangs up.
    let (other, port, signs): (_, _, &[&str]) = match protocol {
        "gRPC" => ("HTTP", HTTP_PORT, &["invalid size", "broken pipe", "closed", "reset"]),
        _ => ("gRPC", GRPC_PORT, &["HTTP version", "unexpected message"]),
    };
    let is_spoken = signs.iter().any(|said| cause.contains(said));
    let is_likely = is_spoken || peer.endpoint.uri.port_u16() == Some(port);
    if is_likely { other_cure(peer, other) } else { String::new() }
}

/// How to speak the other protocol to a peer that takes it; empty where there is no such way.
pub(in crate::export) fn other_cure(peer: &Peer, other: &str) -> String {
    peer.other_cure.map_or_else(String::new, |cure| format!(" If it takes {other}, {cure}"))
}

/// The text of a cause without what a peer of HTTP/2 said when it closed the connection, which `h2` puts at
/// the end as it writes bytes.
fn without_words(cause: &str) -> &str {
    cause.split_once(" (b\"").map_or(cause, |(before, _)| before)
}

/// Tells a person who looks for a cause what the peer said. It is the peer's text, whatever that holds: no
/// other message repeats it.
pub(in crate::export) fn log_words(target: &str, words: &str) {
    if !words.is_empty() {
        internal_log::debug(&format!("{target} says: {words}"));
    }
}

fn is_refused(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return io.kind() == io::ErrorKind::ConnectionRefused;
        }
        next = error.source();
    }
    false
}

/// The beginning of a peer's text, with every character that could do harm written out.
pub(in crate::export) fn quoted(text: &str) -> String {
    let text = text.trim();
    let end = text.char_indices().nth(MOST_QUOTED).map_or(text.len(), |(end, _)| end);
    let shown = escape(text.get(..end).unwrap_or_default());
    if end < text.len() { format!("{shown}…") } else { shown.into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::http::endpoint::Endpoint;

    #[test]
    fn at_the_port_of_the_other_protocol_the_way_to_speak_it_is_told_where_there_is_one() {
        let told = |url, protocol, other_cure| {
            let endpoint = Endpoint::exact(url, "/").unwrap();
            let peer = Peer { endpoint, name: "a collector", language: "OTLP", other_cure };
            connection_failure(&peer, protocol, false, std::fmt::Error).message
        };
        let cure = Some("choose it");
        for (url, protocol, other) in
            [("http://a:4317/", "HTTP", "gRPC"), ("http://a:4318/", "gRPC", "HTTP")]
        {
            let advised = told(url, protocol, cure);
            let end = format!("by {protocol} there? If it takes {other}, choose it");
            assert!(advised.ends_with(&end), "{advised}");
            for message in [told(url, protocol, None), told(url, other, cure)] {
                assert!(message.ends_with("there?"), "{message}");
            }
        }
    }
}
