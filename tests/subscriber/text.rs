//! A program that does what programs do with spans and events.

use std::io;

use tracing::{Span, debug, debug_span, error, field, info, info_span, instrument, trace, warn};

/// Spans of every level and parentage, with fields at once and later, and events in and out of them.
pub(crate) fn program() {
    info!("before");
    let outer = info_span!("outer", a = 1, late = field::Empty);
    let entered = outer.enter();
    info!(b = "text", "in outer");
    let hidden = debug_span!("hidden", c = ?Some(1));
    {
        let _hidden = hidden.enter();
        debug!("in hidden");
        warn!("in hidden too");
        let inner = info_span!("inner", n = 7);
        inner.in_scope(|| {
            trace!("in inner");
            info!(error = "no luck", "in inner");
            info!(parent: None, "to nothing");
        });
        outer.record("late", 2.5);
        warn!(parent: &hidden, "to hidden");
        info!(parent: &outer, "to outer");
        drop(info_span!(parent: &hidden, "below hidden").entered());
        info_span!(parent: &hidden, "below hidden again").in_scope(|| info!("there"));
    }
    drop(entered);
    let clone = outer.clone();
    let dispatch = tracing::dispatcher::get_default(Clone::clone);
    let elsewhere = move || {
        tracing::dispatcher::with_default(&dispatch, || clone.in_scope(|| warn!("elsewhere")));
    };
    std::thread::spawn(elsewhere).join().unwrap();
    let follower = info_span!(parent: None, "follower");
    follower.follows_from(&outer);
    follower.follows_from(&hidden);
    drop((outer, hidden));
    error!("between");
    let _ = fails(3);
    follower.in_scope(|| {
        let current = Span::current();
        let _again = current.enter();
        error!(a = 1, "twice in follower");
    });
}

#[instrument(level = "debug", err, ret)]
fn fails(n: u32) -> Result<u32, io::Error> {
    info!("failing");
    let below = tracing::trace_span!("below").entered();
    warn!("below");
    drop(below);
    Err(io::Error::other("on purpose"))
}
