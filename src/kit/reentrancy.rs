//! Keeps what the crate itself causes to be traced from coming back in.

use std::cell::Cell;

/// How deep calls of the program's deciders may nest on one thread, when one traces into another
/// recorder, whose decider traces into a third, and so on.
const MAX_DEPTH: usize = 4;

thread_local! {
    static IS_OWN_THREAD: Cell<bool> = const { Cell::new(false) };
    /// The innermost call that runs on this thread.
    static INNERMOST: Cell<UserCall> = const { Cell::new(UserCall { owner: 0, depth: 0 }) };
}

/// A call of a sampler, a policy or a filter of the program.
#[derive(Clone, Copy)]
struct UserCall {
    /// The recorder or layer that calls, by its address; 0 stands for none.
    owner: usize,
    /// How many calls run on the thread, this one included.
    depth: usize,
}

/// Marks the calling thread as one of the crate's for the rest of its life.
pub(crate) fn mark_own_thread() {
    IS_OWN_THREAD.set(true);
}

/// Whether the calling thread is one of the crate's.
#[inline]
pub(crate) fn is_own_thread() -> bool {
    IS_OWN_THREAD.get()
}

/// Lasts while a recorder or a layer calls a sampler, a policy or a filter on this thread.
pub(crate) struct UserCallScope {
    outer: UserCall,
}

impl UserCallScope {
    /// `owner` is the address of the recorder or layer that calls, and not 0.
    #[inline]
    pub(crate) fn enter(owner: usize) -> Self {
        debug_assert_ne!(owner, 0, "0 stands for no owner");
        let outer = INNERMOST.get();
        INNERMOST.set(UserCall { owner, depth: outer.depth + 1 });
        Self { outer }
    }

    /// Whether the innermost call on this thread is one of `owner`, or calls nest too deep already.
    #[inline]
    pub(crate) fn is_inside(owner: usize) -> bool {
        let innermost = INNERMOST.get();
        innermost.owner == owner || innermost.depth >= MAX_DEPTH
    }
}

/// Whether any recorder or layer calls the program's code on this thread. A thread that waits for
/// such a call may wait for itself here.
pub(crate) fn is_any_user_call_running() -> bool {
    INNERMOST.get().depth > 0
}

impl Drop for UserCallScope {
    #[inline]
    fn drop(&mut self) {
        INNERMOST.set(self.outer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_known_until_its_call_returns() {
        assert!(!UserCallScope::is_inside(1) && !is_any_user_call_running());
        let one = UserCallScope::enter(1);
        assert!(is_any_user_call_running());
        assert!(UserCallScope::is_inside(1) && !UserCallScope::is_inside(2));
        drop(UserCallScope::enter(2));
        assert!(UserCallScope::is_inside(1));
        drop(one);
        assert!(!UserCallScope::is_inside(1));
    }

    #[test]
    fn calls_inside_each_other_are_bounded() {
        let _scopes: Vec<UserCallScope> = (1..=MAX_DEPTH).map(UserCallScope::enter).collect();
        assert!(UserCallScope::is_inside(MAX_DEPTH + 1));
    }
}
