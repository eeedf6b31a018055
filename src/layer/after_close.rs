//! What is done when the registry has forgotten a span.

use std::sync::Arc;

use tracing::{Subscriber, span};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::open::Held;
use crate::kit::Tick;
use crate::record::{Completed, Draft};

/// What ends with a span: dropping it asks the sampler of a draft, and the tail about a complete trace.
///
/// Both are user code, which may trace. The registry forgets a span only when every layer has been told
/// that it closed, and never forgets one that opens and closes meanwhile; so what is to be asked waits
/// in the span's own extensions, which go last.
pub(super) enum Ending {
    Trace(#[expect(dead_code, reason = "it is there to be dropped")] Completed),
    Root(Option<Draft>, Tick),
}

impl Ending {
    /// Ends a span; `None` when nothing is to be asked.
    #[inline]
    pub(super) fn of(held: Held) -> Option<Self> {
        let mut ending = None;
        match held {
            Held::Active(span) => {
                span.close(None, |completed| ending = Some(Self::Trace(completed)));
            }
            Held::Draft(draft) => {
                let now = draft.recorder().clock.now();
                ending = Some(Self::Root(Some(draft), now));
            }
            Held::Moving => {}
        }
        ending
    }

    /// Ends a span where nothing may be asked.
    #[cold]
    pub(super) fn postpone(held: Held) {
        let Some(recorder) = held.recorder().map(Arc::clone) else { return drop(Self::of(held)) };
        if let Some(ending) = Self::of(held) {
            recorder.drop_later(ending);
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if let Self::Root(draft, end) = self
            && let Some(draft) = draft.take()
        {
            let answer = draft.question(None).ask_now();
            draft.settle(answer).close(Some(*end), Completed::decide);
        }
    }
}

/// Endings that wait in a span's extensions: one, unless there are several layers.
struct AfterClose {
    _first: Ending,
    more: Vec<Ending>,
}

/// Keeps an ending until the registry has forgotten the span.
pub(super) fn wait<S>(ending: Ending, id: &span::Id, context: &Context<'_, S>)
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let Some(span) = context.span(id) else { return drop(ending) };
    let mut extensions = span.extensions_mut();
    match extensions.get_mut::<AfterClose>() {
        Some(waiting) => waiting.more.push(ending),
        None => extensions.insert(AfterClose { _first: ending, more: Vec::new() }),
    }
}
