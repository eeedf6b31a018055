//! A link between an exporter and its peer that goes wrong as a test says, byte by byte.

// Each test program uses its part of it.
#![allow(dead_code)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How many bytes a connection carries before it stalls, its sockets open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Carries {
    pub(crate) requests: usize,
    pub(crate) answers: usize,
    /// Whether answers go on byte by byte, slower than any reader waits, where they would stall.
    pub(crate) drips: bool,
}

impl Carries {
    pub(crate) const ALL: Self = Self { requests: usize::MAX, answers: usize::MAX, drips: false };
}

#[derive(Default)]
struct State {
    /// Whether the connections that are open carry nothing any more.
    stalled: Mutex<Arc<AtomicBool>>,
    connections: AtomicUsize,
    /// Keeps the sockets of stalled connections open.
    open: Mutex<Vec<TcpStream>>,
    /// What `CONNECT` asked for, where the relay is a proxy.
    asked_for: Mutex<Vec<String>>,
}

pub(crate) struct Relay {
    address: SocketAddr,
    state: Arc<State>,
}

impl Relay {
    /// Carries what `carries` says of each connection, by its number.
    pub(crate) fn start(
        peer: SocketAddr,
        carries: impl Fn(usize) -> Carries + Send + 'static,
    ) -> Self {
        Self::start_with(peer, carries, false)
    }

    /// A proxy that opens a tunnel to the peer, wherever it is asked to lead.
    pub(crate) fn proxy(peer: SocketAddr) -> Self {
        Self::start_with(peer, |_| Carries::ALL, true)
    }

    fn start_with(
        peer: SocketAddr,
        carries: impl Fn(usize) -> Carries + Send + 'static,
        is_proxy: bool,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), state) = (client, Arc::clone(&shared)) else { return };
                let number = state.connections.fetch_add(1, Ordering::SeqCst);
                let carried = carries(number);
                thread::spawn(move || {
                    if is_proxy {
                        state.asked_for.lock().unwrap().push(open_tunnel(&client));
                    }
                    let Ok(server) = TcpStream::connect(peer) else { return };
                    carry(client, server, carried, &state);
                });
            }
        });
        Self { address, state }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// Lets the connections that are open carry nothing any more. New ones do.
    pub(crate) fn stall(&self) {
        let mut stalled = self.state.stalled.lock().unwrap();
        std::mem::take(&mut *stalled).store(true, Ordering::SeqCst);
    }

    pub(crate) fn asked_for(&self) -> Vec<String> {
        self.state.asked_for.lock().unwrap().clone()
    }
}

fn own(stream: &TcpStream) -> TcpStream {
    stream.try_clone().unwrap()
}

fn carry(client: TcpStream, server: TcpStream, carried: Carries, state: &Arc<State>) {
    let stalled = Arc::clone(&state.stalled.lock().unwrap());
    state.open.lock().unwrap().extend([own(&client), own(&server)]);
    let back = (own(&server), own(&client), Arc::clone(&stalled));
    thread::spawn(move || {
        let (mut from, mut to) = (own(&back.0), own(&back.1));
        pump(back.0, back.1, carried.answers, &back.2);
        if carried.drips {
            drip(&mut from, &mut to);
        }
    });
    pump(client, server, carried.requests, &stalled);
}

/// Carries bytes until one side is gone, `most` are carried or the connection stalls.
fn pump(mut from: TcpStream, mut to: TcpStream, most: usize, stalled: &AtomicBool) {
    let mut left = most;
    let mut buffer = [0; 4096];
    while left > 0 {
        let read = match from.read(&mut buffer) {
            Ok(0) | Err(_) => {
                let _ = to.shutdown(Shutdown::Both);
                return;
            }
            Ok(read) => read.min(left),
        };
        left -= read;
        if stalled.load(Ordering::SeqCst) || to.write_all(&buffer[..read]).is_err() {
            return;
        }
    }
}

/// Carries byte by byte until one side is gone.
fn drip(from: &mut TcpStream, to: &mut TcpStream) {
    let mut byte = [0];
    while from.read_exact(&mut byte).is_ok() && to.write_all(&byte).is_ok() {
        thread::park_timeout(Duration::from_millis(200));
    }
}

/// Answers a `CONNECT`; what it asked for.
fn open_tunnel(client: &TcpStream) -> String {
    // A client says nothing more before the answer: no byte of the tunnel is read here.
    let mut reader = BufReader::new(client);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).unwrap() > 0, "the head ends");
    }
    let mut client = client;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
    head
}
