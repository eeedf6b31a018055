//! A server that takes requests and tells what it was sent.

// Each test program uses its part of it.
#![allow(dead_code)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// A request.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Method and path.
    pub(crate) line: String,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(known, _)| known == name);
        header.map(|(_, value)| value.as_str())
    }
}

pub(crate) struct Server {
    /// `http://127.0.0.1` and the port.
    pub(crate) url: String,
    seen: mpsc::Receiver<Seen>,
}

impl Server {
    /// Serves one connection, and takes everything.
    pub(crate) fn start() -> Self {
        Self::answering("")
    }

    /// The same, but its first answer begins like this.
    pub(crate) fn answering(first: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (send, seen) = mpsc::channel();
        thread::spawn(move || {
            let mut stream = BufReader::new(listener.accept().unwrap().0);
            let mut answer = first;
            while let Some(request) = read(&mut stream) {
                let _ = send.send(request);
                let begin = if answer.is_empty() { "202 Accepted" } else { answer };
                let text = format!("HTTP/1.1 {begin}\r\ncontent-length: 0\r\n\r\n");
                stream.get_mut().write_all(text.as_bytes()).unwrap();
                answer = "";
            }
        });
        Self { url, seen }
    }

    pub(crate) fn next(&self) -> Seen {
        self.seen.recv_timeout(Duration::from_secs(60)).expect("a request arrives")
    }
}

/// The next request of a connection; `None` when there is none.
fn read(stream: &mut BufReader<TcpStream>) -> Option<Seen> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok().filter(|read| *read > 0)?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let header = |line: &String| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_ascii_lowercase(), value.trim().to_owned())
    };
    let headers: Vec<_> = lines.iter().skip(1).map(header).collect();
    let mut seen = Seen { line: lines[0].clone(), headers, body: Vec::new() };
    let length = seen.header("content-length").map_or(0, |length| length.parse().unwrap());
    seen.body.resize(length, 0);
    stream.read_exact(&mut seen.body).unwrap();
    Some(seen)
}
