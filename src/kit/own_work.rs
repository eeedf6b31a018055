//! Keeps what the crate itself causes to be traced from coming back in.

use std::cell::Cell;

/// How deep asking may go on one thread, when what is asked traces into another recorder, and so on.
const DEEPEST: usize = 4;

thread_local! {
    static OWN: Cell<bool> = const { Cell::new(false) };
    /// Who is asking, and how deep.
    static ASKING: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

/// Marks the calling thread as one of ours for the rest of its life.
pub(crate) fn mark_thread() {
    OWN.set(true);
}

/// Whether the calling thread is one of ours.
#[inline]
pub(crate) fn is_own_thread() -> bool {
    OWN.get()
}

/// Lasts while `owner` asks a sampler or a policy on this thread.
pub(crate) struct Asking {
    before: (usize, usize),
}

impl Asking {
    /// `owner` is whatever tells recorders apart; zero tells none.
    #[inline]
    pub(crate) fn begin(owner: usize) -> Self {
        let before = ASKING.get();
        ASKING.set((owner, before.1 + 1));
        Self { before }
    }

    /// Whether the innermost who is asking on this thread is `owner`, or asking goes too deep already.
    #[inline]
    pub(crate) fn is_under_way(owner: usize) -> bool {
        let (asking, depth) = ASKING.get();
        asking == owner || depth >= DEEPEST
    }
}

/// Whether anybody is asking on this thread: whoever waits for an answer here may wait for itself.
pub(crate) fn is_asking() -> bool {
    ASKING.get().1 > 0
}

impl Drop for Asking {
    #[inline]
    fn drop(&mut self) {
        ASKING.set(self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_known_until_it_has_its_answer() {
        assert!(!Asking::is_under_way(1) && !is_asking());
        let one = Asking::begin(1);
        assert!(is_asking());
        assert!(Asking::is_under_way(1) && !Asking::is_under_way(2));
        drop(Asking::begin(2));
        assert!(Asking::is_under_way(1));
        drop(one);
        assert!(!Asking::is_under_way(1));
    }

    #[test]
    fn owners_inside_each_other_are_bounded() {
        let _asking: Vec<Asking> = (1..=DEEPEST).map(Asking::begin).collect();
        assert!(Asking::is_under_way(DEEPEST + 1));
    }
}
