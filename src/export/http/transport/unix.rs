//! Sockets of Unix, by their path.

use std::io;
use std::path::Path;

use tokio::net::UnixStream;

use super::stream::Socket;

impl Socket for UnixStream {
    fn discard_unsent(&self) {
        // The system hands over at once what is written: it holds nothing back.
    }
}

/// Connects to the socket at a path.
///
/// # Errors
/// When no peer listens there.
pub(super) async fn connect(path: &Path) -> io::Result<Box<dyn Socket>> {
    Ok(Box::new(UnixStream::connect(path).await?))
}
