//! Panics as errors of the span they happen in.

use std::panic::{self, PanicHookInfo};

use crate::kit::unwind_safe;

/// Logs each panic from now on, at the level error, and then calls the hook there was.
///
/// The hook runs before the stack unwinds, inside of the span that the thread is in, so the span's trace has
/// failed.
pub(super) fn install() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        // A subscriber that panics itself must not hide the panic.
        let _ = unwind_safe::call(|| log(panic));
        before(panic);
    }));
}

fn log(panic: &PanicHookInfo<'_>) {
    let payload = panic.payload();
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let text = text.unwrap_or("a value that is no text");
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(target: "tailtrace::panic", location = place, "panicked: {text}");
}
