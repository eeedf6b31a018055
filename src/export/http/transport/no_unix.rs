//! In place of the sockets of Unix, where the system has none.

use std::io;
use std::path::Path;

use super::stream::Socket;

/// Connects to nothing.
///
/// # Errors
/// Always.
#[expect(clippy::unused_async, reason = "it stands in for what connects")]
pub(super) async fn connect(_: &Path) -> io::Result<Box<dyn Socket>> {
    Err(io::ErrorKind::Unsupported.into())
}
