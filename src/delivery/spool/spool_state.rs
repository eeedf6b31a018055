//! What the spool and the thread that empties it share.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};

use super::directory::Directory;
use super::file_name::FileName;
use super::signal::ReplaySignal;
use crate::export::{Batch, ExportError, OtlpExporter};
use crate::kit::internal_log;
use crate::kit::unwind_safe::lock;
use crate::ledger::SpoolAccount;
use crate::time::{Clock, unix_nanos};

#[derive(Debug)]
pub(super) struct SpoolState {
    pub(super) directory: Directory,
    pub(super) exporter: OtlpExporter,
    pub(super) signal: ReplaySignal,
    pub(super) account: OnceLock<SpoolAccount>,
    /// Whether the peer did not take the last batch.
    // Alone: a batch that is sent by one way or the other arrives either way.
    is_away: AtomicBool,
    next_number: AtomicU64,
    /// The numbers of batches that came on the disk after delivery had given them up: their spans are counted as
    /// dropped, whatever becomes of the batches.
    pub(super) uncounted: Mutex<HashSet<u64>>,
}

impl SpoolState {
    pub(super) fn new(directory: Directory, exporter: OtlpExporter) -> Self {
        Self {
            directory,
            exporter,
            signal: ReplaySignal::default(),
            account: OnceLock::new(),
            is_away: AtomicBool::new(false),
            next_number: AtomicU64::new(0),
            uncounted: Mutex::default(),
        }
    }

    pub(super) fn is_away(&self) -> bool {
        self.is_away.load(Ordering::Relaxed)
    }

    pub(super) fn went_away(&self) {
        self.is_away.store(true, Ordering::Relaxed);
    }

    pub(super) fn came_back(&self) {
        self.is_away.store(false, Ordering::Relaxed);
    }

    /// Writes a batch down, as many files as it takes. What is on the disk leaves the batch.
    ///
    /// # Errors
    /// When the disk does not take it all. What is left may be tried again.
    pub(super) fn write(&self, mut batch: Batch) -> Result<(), ExportError> {
        let mut bytes = Vec::new();
        while batch.span_count() > 0 {
            let spans = self.exporter.encode_request(&mut batch, &mut bytes);
            let now = unix_nanos(Clock::system().wall());
            let number = self.next_number.fetch_add(1, Ordering::Relaxed);
            let size = bytes.len() as u64;
            if size > self.directory.max_bytes {
                batch.mark_rejected(spans);
                continue;
            }
            let made = self.directory.make_room(size, now);
            made.iter().flatten().for_each(|name| self.lost(name));
            if let Some(count) = made.as_ref().ok().filter(|gone| !gone.is_empty()).map(Vec::len) {
                let directory = self.directory.path.display();
                internal_log::warn(&format!(
                    "the spool {directory} is full or holds what is too old: its {count} oldest batches are thrown away"
                ));
            }
            let written =
                made.and_then(|_| self.directory.write(&bytes, spans as u64, number, now));
            match written {
                Ok(written) => {
                    self.count_spooled(&mut batch, spans, number);
                    // The batch is in the account before it can be sent.
                    drop(written);
                }
                Err(error) => {
                    let directory = self.directory.path.display();
                    let message = format!("the spool {directory} does not take spans: {error}");
                    return Err(ExportError::retryable(message, batch).with_source(error));
                }
            }
        }
        self.signal.notify();
        Ok(())
    }

    /// The first spans of a batch are on the disk.
    fn count_spooled(&self, batch: &mut Batch, spans: usize, number: u64) {
        if !batch.mark_accepted_in_time(spans) {
            lock(&self.uncounted).insert(number);
        } else if let Some(account) = self.account.get() {
            account.spooled(spans as u64);
        }
    }

    pub(super) fn arrived(&self, name: &FileName) {
        if let Some(account) = self.own_account(name) {
            account.sent(name.spans);
        }
    }

    pub(super) fn lost(&self, name: &FileName) {
        if let Some(account) = self.own_account(name) {
            account.lost(name.spans);
        }
    }

    /// The account, where the batch stands in it: those of other processes do not.
    fn own_account(&self, name: &FileName) -> Option<&SpoolAccount> {
        // A batch leaves the disk once.
        let is_counted =
            name.process == self.directory.process && !lock(&self.uncounted).remove(&name.number);
        self.account.get().filter(|_| is_counted)
    }
}
