//! Files that stand under their name themselves, and not behind a link that was put there.
//!
//! A user who may write to a folder can put a link in the place of a file between a look at it and its opening: the file
//! that was opened has to be the one that was looked at.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::Path;

/// Opens a file that is there.
///
/// # Errors
/// When it is not there or cannot be opened, when its name is a link, or when another file took its place meanwhile.
pub(crate) fn open(options: &OpenOptions, path: &Path) -> io::Result<File> {
    let named = fs::symlink_metadata(path)?;
    if named.is_symlink() {
        return Err(refused("it is a link; name the file itself"));
    }
    let file = options.open(path)?;
    if is_same(&named, &file.metadata()?) {
        Ok(file)
    } else {
        Err(refused("another file took its place"))
    }
}

/// The error for a file that must not be used.
pub(crate) fn refused(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

#[cfg(unix)]
fn is_same(named: &Metadata, opened: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;

    (named.dev(), named.ino()) == (opened.dev(), opened.ino())
}

#[cfg(not(unix))]
fn is_same(named: &Metadata, opened: &Metadata) -> bool {
    named.file_type() == opened.file_type()
}
