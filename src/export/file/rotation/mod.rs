//! A file of lines that moves on to a new one before it grows too large.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

/// When a [`FileExporter`](super::FileExporter) begins a new file, and how many it keeps.
///
/// `traces.jsonl` becomes `traces.jsonl.1`, that one `traces.jsonl.2`, and so on; the oldest goes.
/// Together they take at most `max_bytes` times `files` of disk, unless single batches are larger
/// than `max_bytes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rotation {
    /// The size that a file does not outgrow; a larger batch gets a file of its own. Default 64 MiB.
    pub max_bytes: u64,
    /// How many files there are at most, with the one being written; at most 1000. Default 5.
    pub files: u32,
}

impl Default for Rotation {
    fn default() -> Self {
        Self { max_bytes: 64 * 1024 * 1024, files: 5 }
    }
}

impl Rotation {
    /// Sets the size that a file does not outgrow.
    #[must_use]
    pub fn with_max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Sets how many files there are at most, with the one being written.
    #[must_use]
    pub fn with_files(mut self, files: u32) -> Self {
        self.files = files;
        self
    }
}

/// What a [`Log`] needs of a file system.
pub(super) trait Disk {
    type File;

    /// Opens a file to append to it, and makes it where there is none.
    fn open(&mut self, path: &Path) -> io::Result<Self::File>;
    fn exists(&mut self, path: &Path) -> io::Result<bool>;
    /// Gives a file another name, in place of the one that has it.
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()>;
    fn len(&mut self, file: &Self::File) -> io::Result<u64>;
    /// The last byte of a file that has one.
    fn last_byte(&mut self, file: &mut Self::File) -> io::Result<Option<u8>>;
    fn append(&mut self, file: &mut Self::File, bytes: &[u8]) -> io::Result<()>;
    fn cut(&mut self, file: &mut Self::File, len: u64) -> io::Result<()>;
    fn sync(&mut self, file: &mut Self::File) -> io::Result<()>;
}

/// The file being written and the older ones.
#[derive(Debug)]
pub(super) struct Log<D: Disk> {
    disk: D,
    path: PathBuf,
    pub(super) rotation: Rotation,
    file: Option<OpenFile<D::File>>,
}

#[derive(Debug)]
struct OpenFile<F> {
    file: F,
    end: End,
}

/// How far the end of the open file can be trusted.
#[derive(Clone, Copy, Debug)]
enum End {
    /// Whole lines only.
    Clean,
    /// Written by another program: the last line may be half of one.
    Unknown,
    /// A write failed half-way and what it left could not be cut off. Up to here the lines are whole.
    Torn { whole: u64 },
}

impl<D: Disk> Log<D> {
    /// Opens the file, so that a wrong path is known at once.
    pub(super) fn open(disk: D, path: PathBuf, rotation: Rotation) -> io::Result<Self> {
        let mut log = Self::closed(disk, path, rotation);
        log.file = Some(log.open_current()?);
        Ok(log)
    }

    /// A file that is opened when it is needed.
    pub(super) fn closed(disk: D, path: PathBuf, rotation: Rotation) -> Self {
        Self { disk, path, rotation, file: None }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends whole lines with one write: all of them, or after an error none.
    pub(super) fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        let mut current = self.current()?;
        let mut whole = match self.mend(&mut current) {
            Ok(whole) => whole,
            Err(error) => {
                self.file = Some(current);
                return Err(error);
            }
        };
        if whole > 0 && whole.saturating_add(lines.len() as u64) > self.rotation.max_bytes {
            current = self.rotate(current)?;
            whole = 0;
        }
        let written = self.disk.append(&mut current.file, lines);
        if written.is_err() && self.disk.cut(&mut current.file, whole).is_err() {
            current.end = End::Torn { whole };
        }
        self.file = Some(current);
        written
    }

    /// Waits until what was written has reached the disk.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        match &mut self.file {
            Some(current) => self.disk.sync(&mut current.file),
            None => Ok(()),
        }
    }

    /// Closes the file; the next write opens it again.
    pub(super) fn close(&mut self) {
        self.file = None;
    }

    /// The open file, or a new one when another program has moved it away.
    fn current(&mut self) -> io::Result<OpenFile<D::File>> {
        let is_there = self.disk.exists(&self.path)?;
        match self.file.take() {
            Some(current) if is_there => Ok(current),
            _ => self.open_current(),
        }
    }

    fn open_current(&mut self) -> io::Result<OpenFile<D::File>> {
        let file = self.disk.open(&self.path)?;
        let end = End::Unknown;
        Ok(OpenFile { file, end })
    }

    /// Makes the file end with a whole line; its length.
    fn mend(&mut self, current: &mut OpenFile<D::File>) -> io::Result<u64> {
        let len = self.disk.len(&current.file)?;
        let len = match current.end {
            End::Clean => len,
            End::Torn { whole }
                if len >= whole && self.disk.cut(&mut current.file, whole).is_ok() =>
            {
                whole
            }
            End::Torn { .. } | End::Unknown => match self.disk.last_byte(&mut current.file)? {
                None | Some(b'\n') => len,
                Some(_) => {
                    self.disk.append(&mut current.file, b"\n")?;
                    len + 1
                }
            },
        };
        current.end = End::Clean;
        Ok(len)
    }

    /// Moves the full file aside and begins a new one.
    fn rotate(&mut self, mut full: OpenFile<D::File>) -> io::Result<OpenFile<D::File>> {
        let oldest = self.rotation.files.saturating_sub(1);
        if oldest == 0 {
            self.disk.cut(&mut full.file, 0)?;
            return Ok(full);
        }
        // Not every system renames a file that is open.
        drop(full);
        // Up to the first gap no file has to go; a gap is also what a rotation that failed leaves.
        let mut free = 1;
        while free < oldest && self.disk.exists(&self.elder(free))? {
            free += 1;
        }
        for age in (1..=free).rev() {
            let from = self.elder(age - 1);
            let to = self.elder(age);
            self.disk.rename(&from, &to)?;
        }
        let mut fresh = self.open_current()?;
        fresh.end = End::Clean;
        Ok(fresh)
    }

    fn elder(&self, age: u32) -> PathBuf {
        if age == 0 {
            return self.path.clone();
        }
        let mut name = OsString::from(&self.path);
        name.push(format!(".{age}"));
        name.into()
    }
}

#[cfg(test)]
mod tests;
