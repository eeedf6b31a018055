//! The system's allocator with a count.
//!
//! A program installs it with `#[global_allocator]`. Counting costs two instructions at each
//! allocation and one at each release, in what is measured too.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);
static PEAK: AtomicU64 = AtomicU64::new(0);

/// Counts and passes on to [`System`].
pub struct Counting;

// SAFETY: every call is passed on unchanged to `System`, which keeps the contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        BYTES.fetch_add(layout.size() as u64, Relaxed);
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        BYTES.fetch_add(layout.size() as u64, Relaxed);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        BYTES.fetch_add((new_size as u64).wrapping_sub(layout.size() as u64), Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(ptr, layout, new_size) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        BYTES.fetch_sub(layout.size() as u64, Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(ptr, layout) }
    }
}

/// Counts as [`Counting`] does, and remembers the most bytes. For programs in which the time does not count.
pub struct Peaking;

// SAFETY: every call is passed on unchanged to `Counting`, which keeps the contract.
unsafe impl GlobalAlloc for Peaking {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        PEAK.fetch_max(bytes() + layout.size() as u64, Relaxed);
        // SAFETY: the caller's promises are those that `Counting` asks for.
        unsafe { Counting.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        PEAK.fetch_max(bytes() + layout.size() as u64, Relaxed);
        // SAFETY: as above.
        unsafe { Counting.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // What is copied is there twice for a moment.
        PEAK.fetch_max(bytes() + new_size as u64, Relaxed);
        // SAFETY: as above.
        unsafe { Counting.realloc(ptr, layout, new_size) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { Counting.dealloc(ptr, layout) }
    }
}

/// The most bytes that were allocated at once since the last call, in a program under [`Peaking`].
pub fn take_peak() -> u64 {
    PEAK.swap(bytes(), Relaxed)
}

/// Allocations and reallocations so far, on all threads.
pub fn allocations() -> u64 {
    ALLOCATIONS.load(Relaxed)
}

/// Bytes that are allocated now, as they were asked for.
pub fn bytes() -> u64 {
    BYTES.load(Relaxed)
}
