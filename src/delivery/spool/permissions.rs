//! Files that only the user of this process may read.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::kit::named_file;

/// # Errors
/// When the directory is not there and cannot be made, or is a link.
pub(super) fn create_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    // Whose directory a link leads to is not known, nor for how long it does.
    if fs::symlink_metadata(path)?.is_symlink() {
        return Err(named_file::refused("it is a link; name the directory itself"));
    }
    // One that was there may be open to others.
    fs::set_permissions(path, Permissions::from_mode(0o700))
}

/// # Errors
/// When the file is there already or cannot be made.
pub(super) fn create_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// # Errors
/// When there is no such file, or a link in its place.
pub(super) fn open_file(path: &Path) -> io::Result<File> {
    named_file::open(OpenOptions::new().read(true).write(true), path)
}
