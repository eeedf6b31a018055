//! The directory of a spool: what is written, found, taken and thrown away.
//!
//! A batch is written under another name, synced if asked, and renamed: what has the name of a batch is whole, unless the
//! disk itself is at fault, which the checksum tells. A batch that is being sent is locked, and removed before the lock
//! is given back, so that two processes do not send it.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use flate2::Crc;

use super::file_name::FileName;
#[cfg(not(unix))]
use super::no_permissions as permissions;
#[cfg(unix)]
use super::permissions;

/// What is written and not renamed yet has this beginning.
const UNFINISHED: &str = ".unfinished-";

#[derive(Clone, Debug)]
pub(super) struct Directory {
    pub(super) path: PathBuf,
    pub(super) max_bytes: u64,
    pub(super) max_age: Duration,
    pub(super) sync: bool,
    pub(super) process: u64,
}

/// A batch that this process alone has.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) name: FileName,
    path: PathBuf,
    /// Holds the lock.
    file: File,
}

impl Directory {
    /// Makes the directory where there is none; only this user may look into it.
    ///
    /// # Errors
    /// When it cannot be made, read or written.
    pub(super) fn open(&self) -> io::Result<()> {
        permissions::create_directory(&self.path)?;
        self.names().map(drop)
    }

    /// The batches, the oldest first.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub(super) fn names(&self) -> io::Result<Vec<FileName>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            names.extend(entry?.file_name().to_str().and_then(FileName::read));
        }
        names.sort_by_key(|name| (name.written_nanos, name.process, name.number));
        Ok(names)
    }

    fn path_of(&self, name: &FileName) -> PathBuf {
        self.path.join(name.to_string())
    }

    /// Writes a batch.
    ///
    /// # Errors
    /// When the disk does not take it; nothing of it stays then.
    pub(super) fn write(
        &self,
        bytes: &[u8],
        spans: u64,
        number: u64,
        now_nanos: u64,
    ) -> io::Result<()> {
        let checksum = checksum(bytes);
        let process = self.process;
        let name = FileName { written_nanos: now_nanos, process, number, spans, checksum };
        let unfinished = self.path.join(format!("{UNFINISHED}{name}"));
        let written = self.write_file(&unfinished, bytes);
        let written = written.and_then(|()| fs::rename(&unfinished, self.path_of(&name)));
        if written.is_err() {
            let _ = fs::remove_file(&unfinished);
        } else if self.sync {
            sync_directory(&self.path)?;
        }
        written
    }

    fn write_file(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = permissions::create_file(path)?;
        file.write_all(bytes)?;
        if self.sync { file.sync_all() } else { Ok(()) }
    }

    /// Makes room for this many bytes, and removes what is too old: the oldest first. Returns what was thrown away.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub(super) fn make_room(&self, bytes: u64, now_nanos: u64) -> io::Result<Vec<FileName>> {
        let names = self.names()?;
        let size = |name: &FileName| fs::metadata(self.path_of(name)).map_or(0, |file| file.len());
        let mut total: u64 = names.iter().map(size).sum();
        let oldest =
            now_nanos.saturating_sub(u64::try_from(self.max_age.as_nanos()).unwrap_or(u64::MAX));
        let mut gone = Vec::new();
        for name in names {
            let is_old = name.written_nanos < oldest;
            if !is_old && total.saturating_add(bytes) <= self.max_bytes {
                break;
            }
            let size = size(&name);
            // One that another process is sending stays.
            if let Some(taken) = self.take(name) {
                total = total.saturating_sub(size);
                gone.push(taken.remove());
            }
        }
        Ok(gone)
    }

    /// Takes a batch, unless another process has it or it is gone.
    pub(super) fn take(&self, name: FileName) -> Option<Taken> {
        let path = self.path_of(&name);
        let file = permissions::open_file(&path).ok()?;
        file.try_lock().ok()?;
        // Who had the lock before may have removed it: names are not used twice.
        path.exists().then_some(Taken { name, path, file })
    }
}

impl Taken {
    /// The bytes of the batch; `None` when they are not those that were written.
    pub(super) fn read(&mut self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file.read_to_end(&mut bytes).ok()?;
        (checksum(&bytes) == self.name.checksum).then_some(bytes)
    }

    /// Removes the batch for good. The lock is given back behind that.
    pub(super) fn remove(self) -> FileName {
        let _ = fs::remove_file(&self.path);
        drop(self.file);
        self.name
    }
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// Has the system write down that a file has its name now.
fn sync_directory(path: &Path) -> io::Result<()> {
    match File::open(path).and_then(|directory| directory.sync_all()) {
        // Some systems have no such thing.
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(()),
        synced => synced,
    }
}
