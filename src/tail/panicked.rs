//! The name of a policy that panicked, on its way from the combinator that caught the panic to the recorder.
//!
//! A verdict does not carry it: nearly none has one, and each of them is made for every trace.

use std::borrow::Cow;
use std::cell::RefCell;

use crate::kit::reentrancy::is_any_user_call_running;
use crate::kit::unwind_safe;

thread_local! {
    /// That of the first panic since a recorder asked for it.
    static NAME: RefCell<Option<Cow<'static, str>>> = const { RefCell::new(None) };
}

/// Notes the name of a policy that panicked while a recorder asks on this thread, unless there is one already.
#[cold]
pub(super) fn note(name: impl FnOnce() -> Cow<'static, str>) {
    if !is_any_user_call_running() {
        return;
    }
    // Asked for without the cell: that may run the program's code.
    let Some(name) = unwind_safe::call(name) else { return };
    let _ = NAME.try_with(|noted| {
        if let Ok(mut noted) = noted.try_borrow_mut() {
            noted.get_or_insert(name);
        }
    });
}

/// Takes the name that was noted on this thread; `None` where no combinator caught the panic.
#[cold]
pub(crate) fn take() -> Option<Cow<'static, str>> {
    NAME.try_with(|noted| noted.try_borrow_mut().ok()?.take()).ok().flatten()
}
