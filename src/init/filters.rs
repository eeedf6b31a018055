//! Which spans are recorded, and which lines are logged.

use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::{Context, Filter};

use super::directives;
use crate::kit::reentrancy;
use crate::kit::secret::Secret;
use crate::layer::TraceFilter;

/// The targets that the exporters' own threads may log under.
const OWN_TARGET: &str = "tailtrace";

/// What a filter is made of, and who says so.
#[derive(Clone, Copy, Debug)]
pub(super) struct FilterText<'a> {
    /// The variable, or the method that the program called.
    pub(super) source: &'static str,
    pub(super) text: &'a str,
}

/// The filter that is described, else the default; what cannot be understood is warned about.
pub(super) fn read(described: Option<FilterText<'_>>, warnings: &mut Vec<String>) -> EnvFilter {
    let builder = || EnvFilter::builder().with_default_directive(LevelFilter::INFO.into());
    let understood = described.and_then(|described| {
        if let Some((word, level)) = directives::mistyped_level(described.text) {
            let source = described.source;
            warnings.push(format!(
                "{source}: {word:?} is ignored: it is no level; use {level}, or {word}=trace for a target of that name"
            ));
            return None;
        }
        let parsed = builder().parse(described.text);
        parsed.inspect_err(|_| described.warn_of(warnings)).ok()
    });
    understood.unwrap_or_else(|| builder().parse_lossy(""))
}

impl FilterText<'_> {
    /// Warns of a text that is no list of directives.
    fn warn_of(self, warnings: &mut Vec<String>) {
        let Self { source, text } = self;
        if let Some((word, level)) = directives::misspelt_level(text) {
            warnings.push(format!(
                "{source}: {word:?} is no level, and all of the value is ignored: use {level}"
            ));
            return;
        }
        // The error may repeat the text as it is.
        let shown = Secret::pairs(text);
        warnings.push(format!(
            "{source}: {shown:?} is ignored: use a list of levels and target=level, such as info,my_crate=debug, with \
             error, warn, info, debug, trace or off"
        ));
    }
}

/// The filter of log lines: what is described, and the warnings of this crate unless it says something about them.
pub(super) fn read_for_logs(
    described: Option<FilterText<'_>>,
    warnings: &mut Vec<String>,
) -> EnvFilter {
    let told = warnings.len();
    let filter = read(described, warnings);
    let is_used = warnings.len() == told;
    let hides = is_used && described.is_some_and(|read| directives::hides(read.text, OWN_TARGET));
    match "tailtrace=warn".parse() {
        Ok(always) if hides => filter.add_directive(always),
        _ => filter,
    }
}

/// The filter of spans: what is described, and the spans of our HTTP layers whatever it says.
pub(super) fn read_for_spans(
    described: Option<FilterText<'_>>,
    warnings: &mut Vec<String>,
) -> SpanFilter {
    let filter = read(described, warnings);
    let filter = match "tailtrace::http=trace".parse() {
        Ok(always) => filter.add_directive(always),
        Err(_) => filter,
    };
    SpanFilter::of(filter)
}

/// Which spans and events are recorded.
#[derive(Debug)]
pub(super) enum SpanFilter {
    /// Levels by target, which cost little.
    Targets(TraceFilter),
    /// What asks for the names or fields of spans, too.
    Env(Box<EnvFilter>),
}

impl SpanFilter {
    fn of(filter: EnvFilter) -> Self {
        // It prints its directives as it read them; those about a span have brackets.
        let directives = filter.to_string();
        let targets = Some(directives).filter(|text| !text.contains('['));
        let targets = targets.and_then(|text| text.parse().ok());
        targets.map_or_else(|| Self::Env(Box::new(filter)), Self::Targets)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_understood_is_told_with_its_source_and_without_secrets() {
        let mut warnings = Vec::new();
        let text = "info,my_crate=S3CRET,[span{token=(S3CRET}]=debug";
        for source in ["RUST_LOG", "with_log_filter"] {
            let read = read(Some(FilterText { source, text }), &mut warnings);
            assert_eq!(read.to_string(), "info");
        }
        assert!(warnings[0].starts_with("RUST_LOG: \"…,my_crate=…,"), "{warnings:?}");
        assert!(warnings[1].starts_with("with_log_filter: "), "{warnings:?}");
        assert!(!warnings.concat().contains("S3CRET"), "{warnings:?}");
    }

    #[test]
    fn the_warnings_of_this_crate_are_logged_unless_the_text_is_about_them() {
        for (text, expected) in [
            ("shop=info", "tailtrace=warn,shop=info"),
            ("error", "tailtrace=warn,error"),
            ("off,shop=info", "tailtrace=warn,shop=info,off"),
            ("off", "off"),
            ("tailtrace=error,info", "tailtrace=error,info"),
            ("tailtrace::http=debug", "tailtrace::http=debug"),
            ("tailtraces=info", "tailtraces=info,tailtrace=warn"),
            ("debug", "debug"),
            ("shop=error,info", "shop=error,info"),
        ] {
            let text = FilterText { source: "RUST_LOG", text };
            assert_eq!(read_for_logs(Some(text), &mut Vec::new()).to_string(), expected);
        }
    }

    #[test]
    fn a_filter_of_spans_is_one_of_targets_unless_it_asks_for_names_or_fields() {
        let read = |text| {
            let text = FilterText { source: "TAILTRACE_FILTER", text };
            read_for_spans(Some(text), &mut Vec::new())
        };
        for (text, expected) in [
            ("debug", "debug,tailtrace::http=trace"),
            ("info,shop=debug,hyper=off", "info,shop=debug,hyper=off,tailtrace::http=trace"),
            ("shop", "shop=trace,tailtrace::http=trace"),
            ("tailtrace::http=off", "tailtrace::http=trace"),
            ("off", "off,tailtrace::http=trace"),
        ] {
            let SpanFilter::Targets(filter) = read(text) else { panic!("{text} is of targets") };
            let expected: TraceFilter = expected.parse().unwrap();
            assert_eq!(format!("{filter:?}"), format!("{expected:?}"), "{text}");
        }
        for text in ["info,[place_order]=debug", "shop[{tenant=gold}]=trace"] {
            assert!(matches!(read(text), SpanFilter::Env(_)), "{text}");
        }
    }

    #[test]
    fn a_mistyped_level_is_told_and_the_default_stands() {
        let mut warnings = Vec::new();
        let text = FilterText { source: "RUST_LOG", text: "wran" };
        assert_eq!(read_for_logs(Some(text), &mut warnings).to_string(), "info");
        let line = "RUST_LOG: \"wran\" is ignored: it is no level; use warn, or wran=trace for a target of that name";
        assert_eq!(warnings, [line]);
    }

    #[test]
    fn a_level_that_is_misspelt_in_a_list_is_named() {
        let mut warnings = Vec::new();
        let text = FilterText { source: "RUST_LOG", text: "shop=inof,debug" };
        assert_eq!(read(Some(text), &mut warnings).to_string(), "info");
        assert_eq!(
            warnings,
            ["RUST_LOG: \"inof\" is no level, and all of the value is ignored: use info"]
        );
    }

    #[test]
    fn what_is_understood_is_not_warned_about() {
        let mut warnings = Vec::new();
        let text = FilterText { source: "RUST_LOG", text: "warn,my_crate=debug" };
        assert_eq!(read(Some(text), &mut warnings).to_string(), "my_crate=debug,warn");
        assert_eq!(read(None, &mut warnings).to_string(), "info");
        assert!(warnings.is_empty());
    }
}
