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
/// Who writes a file locks it in less time than this. An older one without a lock was left by a process that ended.
const MOST_UNLOCKED: Duration = Duration::from_secs(60);
/// Where there are no locks, a file of this age was left.
const MOST_UNFINISHED: Duration = Duration::from_secs(3600);

#[derive(Clone, Debug)]
pub(super) struct Directory {
    pub(super) path: PathBuf,
    pub(super) max_bytes: u64,
    pub(super) max_age: Duration,
    pub(super) sync: bool,
    /// Chosen when the spool was made; the child of a fork has the same.
    pub(super) seed: u64,
}

/// The files of the spool in its directory, by their names.
#[derive(Debug, Default)]
struct Files {
    /// The oldest first.
    batches: Vec<FileName>,
    unfinished: Vec<FileName>,
    /// Whether there is anything else.
    has_others: bool,
}

/// A batch that was written, and that no thread and no other process can take yet.
#[derive(Debug)]
#[must_use]
pub(super) struct Written {
    /// Holds the lock.
    _file: File,
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
    /// The number of this process, which its parent and its children have not.
    pub(super) fn process(&self) -> u64 {
        self.seed.wrapping_add(std::process::id().into())
    }

    /// Makes the directory where there is none; only this user may look into it, unless it holds other files.
    ///
    /// # Errors
    /// When it cannot be made, read or written, when it is a link, or when it holds other files and other users may write
    /// to it.
    pub(super) fn open(&self, now_nanos: u64) -> io::Result<()> {
        let directory = permissions::create_directory(&self.path)?;
        let files = self.files()?;
        permissions::close_to_others(&directory, files.has_others)?;
        self.remove_unfinished(&files.unfinished, now_nanos);
        Ok(())
    }

    /// The batches, the oldest first.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub(super) fn names(&self) -> io::Result<Vec<FileName>> {
        self.files().map(|files| files.batches)
    }

    fn files(&self) -> io::Result<Files> {
        let mut files = Files::default();
        for entry in fs::read_dir(&self.path)? {
            let file_name = entry?.file_name();
            let name = file_name.to_str().unwrap_or_default();
            let (list, name) = match name.strip_prefix(UNFINISHED) {
                Some(name) => (&mut files.unfinished, name),
                None => (&mut files.batches, name),
            };
            match FileName::read(name) {
                Some(name) => list.push(name),
                None => files.has_others = true,
            }
        }
        files.batches.sort_by_key(|name| (name.written_nanos, name.process, name.number));
        Ok(files)
    }

    /// Removes what a process that ended was writing.
    fn remove_unfinished(&self, names: &[FileName], now_nanos: u64) {
        for name in names {
            let age = Duration::from_nanos(now_nanos.saturating_sub(name.written_nanos));
            let path = self.unfinished_path_of(name);
            let is_unlocked =
                || permissions::open_file(&path).is_ok_and(|file| file.try_lock().is_ok());
            if age > MOST_UNFINISHED || (age > MOST_UNLOCKED && is_unlocked()) {
                let _ = fs::remove_file(&path);
            }
        }
    }

    fn path_of(&self, name: &FileName) -> PathBuf {
        self.path.join(name.to_string())
    }

    fn unfinished_path_of(&self, name: &FileName) -> PathBuf {
        self.path.join(format!("{UNFINISHED}{name}"))
    }

    /// Writes a batch, which no thread and no other process can take before the caller drops what is returned.
    ///
    /// # Errors
    /// When the disk does not take it; nothing of it stays then.
    pub(super) fn write(
        &self,
        bytes: &[u8],
        spans: u64,
        number: u64,
        now_nanos: u64,
    ) -> io::Result<Written> {
        let checksum = checksum(bytes);
        let process = self.process();
        let name = FileName { written_nanos: now_nanos, process, number, spans, checksum };
        let unfinished = self.unfinished_path_of(&name);
        let path = self.path_of(&name);
        let written = self.write_file(&unfinished, bytes).and_then(|file| {
            fs::rename(&unfinished, &path)?;
            if self.sync {
                sync_directory(&self.path)?;
            }
            Ok(Written { _file: file })
        });
        if written.is_err() {
            let _ = fs::remove_file(&unfinished);
            // It has this name where only the sync failed: the caller keeps the spans, so that they must not be sent
            // from here as well.
            let _ = fs::remove_file(&path);
        }
        written
    }

    fn write_file(&self, path: &Path, bytes: &[u8]) -> io::Result<File> {
        let mut file = permissions::create_file(path)?;
        // Where there are no locks, nothing can be taken either.
        let _ = file.try_lock();
        file.write_all(bytes)?;
        if self.sync {
            file.sync_all()?;
        }
        Ok(file)
    }

    /// Makes room for this many bytes, and removes what is too old: the oldest first. Returns what was thrown away.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub(super) fn make_room(&self, bytes: u64, now_nanos: u64) -> io::Result<Vec<FileName>> {
        let Files { batches: names, unfinished, .. } = self.files()?;
        self.remove_unfinished(&unfinished, now_nanos);
        let size = |name: &FileName| fs::metadata(self.path_of(name)).map_or(0, |file| file.len());
        let mut total: u64 = names.iter().map(size).sum();
        let mut gone = Vec::new();
        for name in names {
            if !self.is_too_old(&name, now_nanos) && total.saturating_add(bytes) <= self.max_bytes {
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

    /// Whether the batch has waited for longer than it may.
    pub(super) fn is_too_old(&self, name: &FileName, now_nanos: u64) -> bool {
        let most = u64::try_from(self.max_age.as_nanos()).unwrap_or(u64::MAX);
        name.written_nanos < now_nanos.saturating_sub(most)
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
        // Some systems and file systems have no such thing.
        Err(error)
            if matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput) =>
        {
            Ok(())
        }
        synced => synced,
    }
}
