//! What a process that was forked off finds: its parent's memory, without its parent's threads.
//!
//! A lock that another thread of the parent held at that moment is never released in the child, and a thread that
//! the child waits for is not there. So what a pipeline shares between threads is made anew in the child, at the
//! first need, and a lock that stays taken there is replaced.

use std::hint;
use std::sync::{Arc, LazyLock, OnceLock};
use std::thread;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};

/// How often a thread of the child gives way to others before it sleeps, or gives a lock up that it can do without.
const YIELDS: u32 = 2_000;

/// How often it sleeps, then, before it takes a lock for one that no thread holds any more: about a second in all. A thread
/// that lives and holds it comes to its turn meanwhile, on a busy machine as well: no lock of ours is held for long.
const SLEEPS: u32 = 1_000;

const SLEEP: Duration = Duration::from_millis(1);

/// How often a thread looks whether a lock is free before it falls asleep: for some microseconds.
const SPINS: u32 = 100;

/// The process in which a guard was made first.
static PROCESS: LazyLock<ForkGuard> = LazyLock::new(|| ForkGuard(forkguard::Guard::try_new().ok()));

/// Tells whether the process is still the one that the guard was made in.
///
/// A handler of `pthread_atfork` counts forks: asking costs a load and a comparison. A child that was made without the C
/// library's `fork` is not noticed.
#[derive(Clone, Debug)]
pub(crate) struct ForkGuard(Option<forkguard::Guard>);

impl Default for ForkGuard {
    fn default() -> Self {
        Self::new()
    }
}

impl ForkGuard {
    /// A guard of this process. Where the system refuses the handler it never notices anything.
    pub(crate) fn new() -> Self {
        LazyLock::force(&PROCESS);
        Self(forkguard::Guard::try_new().ok())
    }

    /// Whether this process was forked off the one that the guard was made in, or off a child of that.
    #[inline(always)]
    pub(crate) fn is_in_child(&self) -> bool {
        match &self.0 {
            Some(guard) => guard.clone().detected_fork(),
            None => false,
        }
    }
}

/// Whether this process was forked off one in which this crate was used.
#[cfg(unix)]
pub(crate) fn is_forked_off() -> bool {
    PROCESS.is_in_child()
}

/// A value that each process has for itself: a child makes its own at the first need.
#[derive(Debug)]
pub(crate) struct PerProcess<T> {
    guard: ForkGuard,
    value: Arc<T>,
    child: OnceLock<Box<Self>>,
}

impl<T> PerProcess<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { guard: ForkGuard::new(), value: Arc::new(value), child: OnceLock::new() }
    }

    /// The value of this process; `make` is called where there is none yet. Of two threads that make one at the same
    /// time, one throws away what it has made.
    #[inline]
    pub(crate) fn get(&self, make: impl FnOnce() -> T) -> &T {
        if self.guard.is_in_child() { self.get_in_child(make) } else { &self.value }
    }

    #[cold]
    fn get_in_child(&self, make: impl FnOnce() -> T) -> &T {
        match self.child.get() {
            Some(child) => child.get(make),
            None => {
                // Made before the slot is touched: a fork meanwhile must not find it half filled.
                let made = Box::new(Self::new(make()));
                &self.child.get_or_init(|| made).value
            }
        }
    }
}

impl<T> Drop for PerProcess<T> {
    fn drop(&mut self) {
        if self.guard.is_in_child() {
            // What belongs to the parent may hold its locks, and wait for its threads: it is never dropped here.
            std::mem::forget(Arc::clone(&self.value));
        }
    }
}

/// A lock that a child takes although a thread of its parent held it: what it guards begins anew there.
#[derive(Debug)]
pub(crate) struct ForkLock<T> {
    state: Mutex<T>,
    guard: ForkGuard,
    /// What stands for the lock in a child where it is held for ever.
    child: OnceLock<Box<Self>>,
}

impl<T: Default> Default for ForkLock<T> {
    fn default() -> Self {
        Self { state: Mutex::default(), guard: ForkGuard::new(), child: OnceLock::new() }
    }
}

impl<T: Default> ForkLock<T> {
    /// Takes the lock.
    #[inline(always)]
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.state.try_lock().unwrap_or_else(|| self.wait())
    }

    /// Takes the lock where it is free at once.
    #[cfg(feature = "layer")]
    #[inline(always)]
    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.state.try_lock()
    }

    #[cold]
    fn wait(&self) -> MutexGuard<'_, T> {
        if !self.guard.is_in_child() {
            return wait_for(&self.state);
        }
        (0..YIELDS + SLEEPS).find_map(|turn| self.try_in_child(turn)).unwrap_or_else(|| {
            let child = self.child.get_or_init(Box::default);
            child.lock()
        })
    }

    /// Takes the lock, or what stands for it, at one of the turns of a thread that waits.
    fn try_in_child(&self, turn: u32) -> Option<MutexGuard<'_, T>> {
        let taken = self.state.try_lock();
        if let Some(child) = self.child.get() {
            // All threads use the same one: a lock that was replaced stays taken if it comes free after all.
            std::mem::forget(taken);
            return Some(child.lock());
        }
        if taken.is_none() {
            give_way(turn);
        }
        taken
    }
}

#[expect(clippy::disallowed_methods, reason = "a lock in a child cannot tell who waits for it")]
fn give_way(turn: u32) {
    if turn < YIELDS { thread::yield_now() } else { thread::sleep(SLEEP) }
}

/// Takes a lock of which no thread of the parent process can be the holder.
#[inline(always)]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.try_lock().unwrap_or_else(|| wait_for(mutex))
}

/// Takes such a lock where it is not free.
#[cold]
pub(crate) fn wait_for<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    if !PROCESS.is_in_child() {
        return spin(mutex).unwrap_or_else(|| mutex.lock());
    }
    // Threads that wait for any lock stand in one table, whose own locks may be held for ever in a child.
    loop {
        if let Some(guard) = mutex.try_lock() {
            return guard;
        }
        thread::yield_now();
    }
}

/// Takes a lock that is about to come free: our locks are held for less time than it takes a thread to fall asleep and to
/// be woken.
fn spin<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    (0..SPINS).find_map(|_| {
        hint::spin_loop();
        if mutex.is_locked() { None } else { mutex.try_lock() }
    })
}

/// Takes a lock in a child, unless a thread of the parent holds it for ever, or one of the child for longer than it is
/// waited for.
#[cold]
pub(crate) fn try_for_a_while<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    (0..YIELDS).find_map(|_| {
        let guard = mutex.try_lock();
        if guard.is_none() {
            thread::yield_now();
        }
        guard
    })
}

#[cfg(all(test, unix))]
mod tests {
    use std::process;
    use std::sync::atomic::{AtomicBool, Ordering};

    use fork::{Fork, fork, waitpid};

    use super::*;

    /// Whether it holds in a process that is forked off here.
    fn holds_in_child(check: impl FnOnce() -> bool) -> bool {
        match fork().unwrap() {
            Fork::Child => process::exit(i32::from(!check())),
            Fork::Parent(child) => waitpid(child).unwrap() == 0,
        }
    }

    #[test]
    fn a_child_waits_for_a_lock_that_one_of_its_threads_holds_for_long() {
        let lock = ForkLock::<u32>::default();
        let is_held = AtomicBool::new(false);
        assert!(holds_in_child(|| {
            thread::scope(|threads| {
                threads.spawn(|| {
                    let mut held = lock.lock();
                    is_held.store(true, Ordering::Release);
                    (0..10 * YIELDS).for_each(|_| thread::yield_now());
                    *held = 7;
                });
                while !is_held.load(Ordering::Acquire) {
                    thread::yield_now();
                }
                *lock.lock() == 7
            })
        }));
    }

    #[test]
    fn a_lock_that_a_child_has_replaced_stays_replaced() {
        let lock = ForkLock::<u32>::default();
        let held = lock.lock();
        assert!(holds_in_child(|| {
            *lock.lock() = 7;
            // Both ways are gone: the lock is held, and then free.
            let is_same = *lock.lock() == 7;
            drop(held);
            let is_child = lock.wait();
            let is_kept = *is_child == 7;
            drop(is_child);
            is_same && is_kept && *lock.lock() == 7
        }));
    }

    #[test]
    fn without_a_fork_there_is_one_value_and_one_lock() {
        let value = PerProcess::new(1);
        assert_eq!(value.get(|| 2), &1);
        assert!(!ForkGuard::new().is_in_child());
        let lock = ForkLock::<u32>::default();
        *lock.lock() += 1;
        assert_eq!(*lock.lock(), 1);
    }
}
