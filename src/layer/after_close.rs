//! What is done when the registry has forgotten a span.

use tracing::{Subscriber, span};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::open::Held;
use crate::record::{Completed, Draft};
use crate::time::Tick;

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
    /// Ends a draft, now.
    #[cold]
    pub(super) fn of_draft(held: Held) -> Option<Self> {
        let Held::Draft(draft) = held else { return None };
        let now = draft.recorder().clock.now();
        Some(Self::Root(Some(draft), now))
    }
}

impl From<Completed> for Ending {
    fn from(trace: Completed) -> Self {
        Self::Trace(trace)
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if let Self::Root(draft, end) = self
            && let Some(draft) = draft.take()
            && let Some(question) = draft.question(None)
        {
            let mut span = draft.settle(question.ask_now());
            span.close(Some(*end), Completed::decide);
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
