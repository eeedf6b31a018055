//! The standard output and the standard error, which a process that was forked off writes to without their locks: a thread
//! of its parent may have held one, which is never released there.

use std::fs::File;
use std::io::{self, Write};
#[cfg(unix)]
use std::os::fd::AsFd;

#[cfg(unix)]
use super::fork;

/// Writes to the standard output, under its lock but in a process that was forked off.
///
/// # Errors
/// When the stream does not take it.
pub(crate) fn stdout(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    match without_lock(&io::stdout())? {
        Some(mut stream) => write(&mut stream),
        None => write(&mut io::stdout().lock()),
    }
}

/// Writes to the standard error, under its lock but in a process that was forked off.
///
/// # Errors
/// When the stream does not take it.
pub(crate) fn stderr(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    match without_lock(&io::stderr())? {
        Some(mut stream) => write(&mut stream),
        None => write(&mut io::stderr().lock()),
    }
}

/// The stream by another way than its lock, in a process that was forked off.
#[cfg(unix)]
fn without_lock(stream: &impl AsFd) -> io::Result<Option<File>> {
    if !fork::is_forked_off() {
        return Ok(None);
    }
    stream.as_fd().try_clone_to_owned().map(|stream| Some(File::from(stream)))
}

#[cfg(not(unix))]
fn without_lock<S>(_: &S) -> io::Result<Option<File>> {
    Ok(None)
}
