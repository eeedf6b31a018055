//! Which spans are recorded, and which lines are logged.

use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::{Context, Filter};

use crate::kit::reentrancy;

/// The targets that the exporters' own threads may log under.
const OWN_TARGET: &str = "tailtrace";

/// The filter that `text` describes, else the default; a `text` that cannot be understood is warned about.
pub(super) fn read(variable: &str, text: Option<&str>, warnings: &mut Vec<String>) -> EnvFilter {
    let builder = || EnvFilter::builder().with_default_directive(LevelFilter::INFO.into());
    let Some(text) = text else { return builder().parse_lossy("") };
    builder().parse(text).unwrap_or_else(|error| {
        warnings.push(format!(
            "{variable}={text:?} is ignored: {error}; use a list such as info,my_crate=debug"
        ));
        builder().parse_lossy("")
    })
}

/// The filter of spans: what `text` says, and the spans of our HTTP layers whatever it says.
pub(super) fn read_for_spans(text: Option<&str>, warnings: &mut Vec<String>) -> EnvFilter {
    let filter = read("TAILTRACE_FILTER", text, warnings);
    match "tailtrace::http=trace".parse() {
        Ok(always) => filter.add_directive(always),
        Err(_) => filter,
    }
}

/// Lets nothing through that libraries log on the exporters' threads: a line about each request that sends
/// traces would drown the program's own.
#[derive(Clone, Copy, Debug)]
pub(super) struct NotOfExporters;

impl<S> Filter<S> for NotOfExporters {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        metadata.target().starts_with(OWN_TARGET) || !reentrancy::is_own_thread()
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if metadata.target().starts_with(OWN_TARGET) {
            Interest::always()
        } else {
            Interest::sometimes()
        }
    }
}
