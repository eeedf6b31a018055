//! What the spool and the thread that empties it share.

use std::collections::HashSet;
use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::directory::Directory;
use super::file_name::FileName;
use super::signal::ReplaySignal;
use crate::delivery::health::{Health, LogLine};
use crate::export::{Batch, ExportError, OtlpExporter, TraceSizes};
use crate::kit::fork::{ForkGuard, ForkLock, PerProcess};
use crate::kit::internal_log;
use crate::ledger::SpoolAccount;
use crate::time::{Clock, unix_nanos};

#[derive(Debug)]
pub(super) struct SpoolState {
    pub(super) directory: Directory,
    pub(super) exporter: OtlpExporter,
    pub(super) signal: ReplaySignal,
    /// A process that was forked off has an account of its own, in which nothing of its parent's stands.
    account: PerProcess<OnceLock<SpoolAccount>>,
    /// Whether the peer did not take the last batch.
    // Alone: a batch that is sent by one way or the other arrives either way.
    is_away: AtomicBool,
    /// How long the peer asked to be left alone when it did not take a batch.
    asked: ForkLock<Option<Duration>>,
    /// What the operator knows of the peer.
    health: ForkLock<Health>,
    next_number: AtomicU64,
    guard: ForkGuard,
    /// The numbers of batches that came on the disk after delivery had given them up: their spans are counted as
    /// dropped, whatever becomes of the batches.
    pub(super) uncounted: ForkLock<HashSet<u64>>,
}

impl SpoolState {
    pub(super) fn new(directory: Directory, exporter: OtlpExporter) -> Self {
        exporter.give_up_when_away();
        Self {
            directory,
            exporter,
            signal: ReplaySignal::default(),
            account: PerProcess::new(OnceLock::new()),
            is_away: AtomicBool::new(false),
            asked: ForkLock::default(),
            health: ForkLock::default(),
            next_number: AtomicU64::new(0),
            guard: ForkGuard::new(),
            uncounted: ForkLock::default(),
        }
    }

    /// Never in a process that was forked off: no thread of it asks the peer again, so each batch does.
    pub(super) fn is_away(&self) -> bool {
        self.is_away.load(Ordering::Relaxed) && !self.guard.is_in_child()
    }

    /// The peer did not take a batch.
    pub(super) fn went_away(&self, error: &ExportError) {
        *self.asked.lock() = error.retry_after();
        self.is_away.store(true, Ordering::Relaxed);
        let line = self.health.lock().failed(Clock::system().now(), "Spool", error);
        LogLine::tell(line);
    }

    /// How long the peer asked to be left alone the last time; once for each time.
    pub(super) fn take_asked(&self) -> Option<Duration> {
        self.asked.lock().take()
    }

    /// The peer answered: what is live goes to it again.
    pub(super) fn answered(&self) {
        self.look_again();
        let line = self.health.lock().worked(Clock::system().now(), "Spool");
        LogLine::tell(line);
    }

    /// Nothing is on the disk to ask the peer with: what is live asks it.
    pub(super) fn look_again(&self) {
        self.is_away.store(false, Ordering::Relaxed);
    }

    pub(super) fn tell_thrown_away(&self, batches: usize) {
        if batches > 0 {
            let directory = self.directory.path.display();
            internal_log::warn(&format!(
                "the spool {directory} is full or holds what is too old: its {batches} oldest batches are thrown away"
            ));
        }
    }

    /// Writes a batch down, as many files as it takes. What is on the disk leaves the batch.
    ///
    /// # Errors
    /// When the disk does not take it all. What is left may be tried again.
    pub(super) fn write(&self, batch: &mut Batch) -> io::Result<()> {
        let mut bytes = Vec::new();
        let mut sizes = TraceSizes::default();
        while batch.span_count() > 0 {
            let spans = self.exporter.encode_request(batch, &mut bytes, &mut sizes);
            let now = unix_nanos(Clock::system().wall());
            let number = self.next_number.fetch_add(1, Ordering::Relaxed);
            let size = bytes.len() as u64;
            if size > self.directory.max_bytes {
                batch.mark_rejected(spans);
                continue;
            }
            let made = self.directory.make_room(size, now)?;
            made.iter().for_each(|name| self.lost(name));
            self.tell_thrown_away(made.len());
            let written = self.directory.write(&bytes, spans as u64, number, now)?;
            batch.count_request(&sizes, bytes.len());
            self.count_spooled(batch, spans, number);
            // The batch is in the account before it can be sent.
            drop(written);
            self.wake();
        }
        Ok(())
    }

    /// Wakes the thread that sends what is on the disk, in the process that has it. Another leaves its lock alone, which
    /// may be held there for ever.
    fn wake(&self) {
        if !self.guard.is_in_child() {
            self.signal.notify();
        }
    }

    /// Ends that thread.
    pub(super) fn stop(&self) {
        if !self.guard.is_in_child() {
            self.signal.stop();
        }
    }

    /// The first spans of a batch are on the disk.
    fn count_spooled(&self, batch: &mut Batch, spans: usize, number: u64) {
        if !batch.mark_accepted_in_time(spans) {
            self.uncounted.lock().insert(number);
        } else if let Some(account) = self.account() {
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
            name.process == self.directory.process() && !self.uncounted.lock().remove(&name.number);
        self.account().filter(|_| is_counted)
    }

    /// Sets the account of this process; the first stands.
    pub(super) fn attach(&self, account: &SpoolAccount) {
        let _ = self.account.get(OnceLock::new).set(account.clone());
    }

    fn account(&self) -> Option<&SpoolAccount> {
        self.account.get(OnceLock::new).get()
    }
}
