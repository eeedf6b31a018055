//! The file system.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::rotation::Disk;
use crate::kit::named_file;

#[derive(Debug)]
pub(super) struct FileSystem;

/// Lets only the owner of a new file read it, where the system knows owners.
#[cfg(unix)]
fn readable_by_owner(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;

    options.mode(0o600)
}

#[cfg(not(unix))]
fn readable_by_owner(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

const FOREIGN: &str = "it has other content than lines of JSON; name another file";

/// The keys that a line may begin with: others than the first where the operator took some out of each line.
const FIRST_KEYS: [&str; 4] = ["trace_id", "span_id", "parent_span_id", "name"];

/// Whether a file is one of lines as they are written here, or has none yet. A pipe or a device is what it was named for.
fn is_ours(mut file: &File) -> io::Result<bool> {
    const LONGEST: u64 = 20;
    if !file.metadata()?.is_file() {
        return Ok(true);
    }
    let mut first = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(LONGEST).read_to_end(&mut first)?;
    Ok(FIRST_KEYS.iter().any(|key| {
        let beginning = format!("{{\"{key}\":");
        // A write that was cut short may have left less than the beginning of a line.
        first.starts_with(beginning.as_bytes()) || beginning.as_bytes().starts_with(&first)
    }))
}

/// Refuses a file of another user, and lets only the owner read an empty one, which may have been made in advance for
/// others to read.
#[cfg(unix)]
fn take_over(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Ok(());
    }
    // Who does not own a file cannot set its mode, not even to the one that it has.
    file.set_permissions(metadata.permissions())
        .map_err(|_| named_file::refused("it belongs to another user; name another file"))?;
    // The operator may have opened a file that has lines to other readers.
    if metadata.len() == 0 {
        // Some file systems have no modes.
        let _set = file.set_permissions(fs::Permissions::from_mode(0o600));
    }
    Ok(())
}

#[cfg(not(unix))]
fn take_over(_: &File) -> io::Result<()> {
    Ok(())
}

impl Disk for FileSystem {
    type File = File;

    fn open(&mut self, path: &Path) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).append(true);
        // A new file is made by us or not at all, and never through a link; spans may hold personal data.
        match readable_by_owner(options.clone().create_new(true)).open(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            opened => return opened,
        }
        // Links to the process's own outputs, which the system has there.
        if path.parent() == Some(Path::new("/dev")) {
            return options.open(path);
        }
        let file = named_file::open(&options, path)?;
        if !is_ours(&file)? {
            return Err(named_file::refused(FOREIGN));
        }
        take_over(&file)?;
        Ok(file)
    }

    fn exists(&mut self, path: &Path) -> io::Result<bool> {
        path.try_exists()
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        // Opening a pipe would wait for who writes to it.
        if fs::symlink_metadata(to).is_ok_and(|there| !there.is_file()) {
            return Err(named_file::refused("what it would replace is no file"));
        }
        match named_file::open(OpenOptions::new().read(true), to) {
            Ok(file) if is_ours(&file)? => {}
            Ok(_) => {
                return Err(named_file::refused(
                    "the file that it would replace has other content",
                ));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        fs::rename(from, to)
    }

    fn len(&mut self, file: &File) -> io::Result<u64> {
        file.metadata().map(|metadata| metadata.len())
    }

    fn last_byte(&mut self, file: &mut File) -> io::Result<Option<u8>> {
        let metadata = file.metadata()?;
        // A pipe or a device has no end to look at.
        if !metadata.is_file() || metadata.len() == 0 {
            return Ok(None);
        }
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        Ok(Some(last[0]))
    }

    fn append(&mut self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    fn cut(&mut self, file: &mut File, len: u64) -> io::Result<()> {
        // Never longer: another program may have emptied the file in the meantime.
        let here = file.metadata()?.len();
        file.set_len(len.min(here))
    }

    fn sync(&mut self, file: &mut File) -> io::Result<()> {
        match file.sync_data() {
            // Pipes and devices have nothing to wait for.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
                ) =>
            {
                Ok(())
            }
            synced => synced,
        }
    }
}
