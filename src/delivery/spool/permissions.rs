//! Files that only the user of this process may read.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::kit::named_file;

/// Makes a directory where there is none, and opens it.
///
/// # Errors
/// When the directory is not there and cannot be made, or when it is a link.
pub(super) fn create_directory(path: &Path) -> io::Result<File> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    // Whose directory a link leads to is not known, nor for how long it does.
    if fs::symlink_metadata(path)?.is_symlink() {
        return Err(named_file::refused("it is a link; name the directory itself"));
    }
    named_file::open(OpenOptions::new().read(true), path)
}

/// Lets only this user look into a directory. One that holds other files, too, keeps its mode.
///
/// # Errors
/// When it holds other files and other users may write to it.
pub(super) fn close_to_others(directory: &File, has_others: bool) -> io::Result<()> {
    const OTHERS_MAY_WRITE: u32 = 0o022;
    if !has_others {
        // One that was there may be open to others.
        return directory.set_permissions(Permissions::from_mode(0o700));
    }
    if directory.metadata()?.permissions().mode() & OTHERS_MAY_WRITE != 0 {
        return Err(named_file::refused("other users may write to it, and it holds other files"));
    }
    Ok(())
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
