//! A connection that its client can break.
//!
//! A peer that stops answering may still take bytes, and so may the system's buffers on the way: a request whose
//! time is over would arrive whole minutes later, beside the one that was sent in its stead. So the client
//! breaks the connection then, and what has not arrived of the request never does.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Waker};

use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::kit::unwind_safe::lock;

/// What a stream runs over.
pub(super) trait Socket: AsyncRead + AsyncWrite + Send + Unpin {
    /// Lets the system throw away what it has not sent yet when the socket closes.
    fn discard_unsent(&self);
}

impl Socket for TcpStream {
    fn discard_unsent(&self) {
        // A socket that refuses is closed the usual way.
        let _ = self.set_zero_linger();
    }
}

/// Whether a stream is broken, known to the stream and to the client.
#[derive(Debug, Default)]
struct Break(Mutex<BreakState>);

#[derive(Debug, Default)]
struct BreakState {
    is_broken: bool,
    /// Wakes the task that reads from the stream.
    reader: Option<Waker>,
}

/// The streams of a client that are open.
#[derive(Clone, Debug, Default)]
pub(super) struct OpenStreams(Arc<Mutex<Vec<Weak<Break>>>>);

impl OpenStreams {
    /// A stream over a socket; `is_proxied` says whether a proxy reads the requests.
    pub(super) fn open(&self, socket: Box<dyn Socket>, is_proxied: bool) -> PeerStream {
        let broken = Arc::new(Break::default());
        let mut open = lock(&self.0);
        open.retain(|stream| stream.strong_count() > 0);
        open.push(Arc::downgrade(&broken));
        drop(open);
        PeerStream { socket, broken, is_proxied }
    }

    /// Breaks every stream that is open.
    pub(super) fn break_all(&self) {
        let open = std::mem::take(&mut *lock(&self.0));
        for stream in open.iter().filter_map(Weak::upgrade) {
            let mut state = lock(&stream.0);
            state.is_broken = true;
            let reader = state.reader.take();
            drop(state);
            if let Some(reader) = reader {
                reader.wake();
            }
        }
    }
}

pub(in crate::export) struct PeerStream {
    socket: Box<dyn Socket>,
    broken: Arc<Break>,
    is_proxied: bool,
}

impl PeerStream {
    fn is_broken(&self) -> bool {
        lock(&self.broken.0).is_broken
    }

    fn check(&self) -> io::Result<()> {
        if self.is_broken() { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }
}

impl AsyncRead for PeerStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // The waker is left before the look at the state, so that no break comes between the two.
        let old = lock(&self.broken.0).reader.replace(context.waker().clone());
        drop(old);
        self.check()?;
        Pin::new(&mut self.socket).poll_read(context, into)
    }
}

impl AsyncWrite for PeerStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_broken() {
            // What waits is not to be sent any more.
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.socket).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.socket).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }
}

impl Connection for PeerStream {
    fn connected(&self) -> Connected {
        Connected::new().proxy(self.is_proxied)
    }
}

impl Drop for PeerStream {
    fn drop(&mut self) {
        if self.is_broken() {
            self.socket.discard_unsent();
        }
    }
}
