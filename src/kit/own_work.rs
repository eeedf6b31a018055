//! Keeps what the crate itself causes to be traced from coming back in.

use std::cell::Cell;

/// How many recorders may ask user code on one thread at a time, each inside the other's.
const DEEPEST: usize = 4;

thread_local! {
    static OWN: Cell<bool> = const { Cell::new(false) };
    static ASKING: Cell<[usize; DEEPEST]> = const { Cell::new([0; DEEPEST]) };
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
pub(crate) struct Asking(Option<usize>);

impl Asking {
    /// `owner` is whatever tells recorders apart; zero tells none.
    #[inline]
    pub(crate) fn begin(owner: usize) -> Self {
        let mut asking = ASKING.get();
        let free = asking.iter().position(|known| *known == 0 || *known == owner);
        match free {
            Some(place) if asking[place] == 0 => {
                asking[place] = owner;
                ASKING.set(asking);
                Self(Some(place))
            }
            _ => Self(None),
        }
    }

    /// Whether `owner` is asking on this thread already, or as many as may be are.
    #[inline]
    pub(crate) fn is_under_way(owner: usize) -> bool {
        let asking = ASKING.get();
        asking.contains(&owner) || asking[DEEPEST - 1] != 0
    }
}

impl Drop for Asking {
    #[inline]
    fn drop(&mut self) {
        if let Some(place) = self.0 {
            let mut asking = ASKING.get();
            asking[place] = 0;
            ASKING.set(asking);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_known_until_it_has_its_answer() {
        assert!(!Asking::is_under_way(1));
        let one = Asking::begin(1);
        let again = Asking::begin(1);
        drop(again);
        assert!(Asking::is_under_way(1) && !Asking::is_under_way(2));
        drop(one);
        assert!(!Asking::is_under_way(1));
    }

    #[test]
    fn owners_inside_each_other_are_bounded() {
        let _asking: Vec<Asking> = (1..=DEEPEST).map(Asking::begin).collect();
        assert!(Asking::is_under_way(DEEPEST + 1));
    }
}
