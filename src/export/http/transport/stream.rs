//! A connection that its client can break.
//!
//! A peer that stops answering may still take bytes, and so may the system's buffers on the way: a request whose
//! time is over would arrive whole minutes later, beside the one that was sent in its stead. So the client
//! breaks the connection then, and what has not arrived of the request never does.
//!
//! It also breaks by itself where a peer sends more than an answer may have: answers without an end, such as one
//! "100 Continue" after another, would keep a processor busy until their time is over.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::task::{Context, Poll, Waker, ready};

use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::kit::fork::PerProcess;
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

/// Whether a stream is broken, and what it may still read, known to the stream and to the client.
#[derive(Debug, Default)]
struct Break(Mutex<BreakState>);

#[derive(Debug, Default)]
struct BreakState {
    is_broken: bool,
    /// How many bytes the peer may still send.
    allowance: usize,
    /// Wakes the task that reads from the stream.
    reader: Option<Waker>,
}

/// The streams of a client that are open, and what each may read from now on.
#[derive(Clone, Debug)]
pub(super) struct OpenStreams(Arc<PerProcess<Mutex<StreamList>>>);

/// The streams, and how many bytes each may read.
type StreamList = (Vec<Weak<Break>>, usize);

impl Default for OpenStreams {
    fn default() -> Self {
        Self(Arc::new(PerProcess::new(Mutex::default())))
    }
}

impl OpenStreams {
    /// Those of this process.
    fn list(&self) -> MutexGuard<'_, StreamList> {
        lock(self.0.get(Mutex::default))
    }

    /// A stream over a socket; `is_proxied` says whether a proxy reads the requests.
    pub(super) fn open(&self, socket: Box<dyn Socket>, is_proxied: bool) -> PeerStream {
        let mut streams = self.list();
        let (open, allowance) = &mut *streams;
        let state = BreakState { allowance: *allowance, ..BreakState::default() };
        let broken = Arc::new(Break(Mutex::new(state)));
        open.retain(|stream| stream.strong_count() > 0);
        open.push(Arc::downgrade(&broken));
        drop(streams);
        PeerStream { socket, broken, is_proxied }
    }

    /// Lets peers send this many bytes from now on, and no more.
    pub(super) fn allow(&self, bytes: usize) {
        let mut streams = self.list();
        streams.1 = bytes;
        for stream in streams.0.iter().filter_map(Weak::upgrade) {
            lock(&stream.0).allowance = bytes;
        }
    }

    /// Breaks every stream that is open.
    pub(super) fn break_all(&self) {
        let open = std::mem::take(&mut self.list().0);
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

    /// Counts what the peer sent.
    ///
    /// # Errors
    /// When it is more than the peer may send.
    fn spend(&self, bytes: usize) -> io::Result<()> {
        let mut state = lock(&self.broken.0);
        match state.allowance.checked_sub(bytes) {
            Some(left) => {
                state.allowance = left;
                Ok(())
            }
            None => Err(io::Error::other("the peer sends more than an answer may have")),
        }
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
        let before = into.filled().len();
        ready!(Pin::new(&mut self.socket).poll_read(context, into))?;
        let received = into.filled().len() - before;
        Poll::Ready(self.spend(received))
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
