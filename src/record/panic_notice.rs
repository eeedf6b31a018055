//! What an operator is told of a decider that panicked.

use std::borrow::Cow;
use std::mem;
use std::sync::Mutex;

use crate::kit::unwind_safe::lock;

/// The first panic of a decider, which is told once.
#[derive(Debug, Default)]
pub(super) struct PanicNotice(Mutex<State>);

#[derive(Debug, Default)]
enum State {
    #[default]
    NoPanic,
    /// With the name of what panicked.
    Untold(Cow<'static, str>),
    Told,
}

impl PanicNotice {
    /// Notes a panic. The name is asked for at the first, without the lock: that may run the program's code.
    #[cold]
    pub(super) fn note(&self, name: impl FnOnce() -> Cow<'static, str>) {
        if !matches!(*lock(&self.0), State::NoPanic) {
            return;
        }
        let name = name();
        let mut state = lock(&self.0);
        if matches!(*state, State::NoPanic) {
            *state = State::Untold(name);
        }
    }

    /// The name of what panicked, where that is yet to be told.
    pub(super) fn take(&self) -> Option<Cow<'static, str>> {
        let mut state = lock(&self.0);
        match mem::replace(&mut *state, State::Told) {
            State::Untold(name) => Some(name),
            other => {
                *state = other;
                None
            }
        }
    }
}
