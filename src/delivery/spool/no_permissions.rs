//! Files, on systems whose users are kept apart by other means.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use crate::kit::named_file;

/// # Errors
/// When the directory is not there and cannot be made.
pub(super) fn create_directory(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

/// # Errors
/// None here: other users are kept out by other means.
pub(super) fn close_to_others(_: &(), _: bool) -> io::Result<()> {
    Ok(())
}

/// # Errors
/// When the file is there already or cannot be made.
pub(super) fn create_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// # Errors
/// When there is no such file, or a link in its place.
pub(super) fn open_file(path: &Path) -> io::Result<File> {
    named_file::open(OpenOptions::new().read(true).write(true), path)
}
