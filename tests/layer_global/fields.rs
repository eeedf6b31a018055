//! Values whose formatting does what it should not.

use std::error::Error;
use std::fmt;

use super::process::{Default, alone, trace};
use crate::support::{Says, keeping, tailed};
use tailtrace::TraceSpanExt;
use tailtrace::model::TagRef;
use tracing::{Span, error, field, info, info_span};

#[test]
fn a_debug_that_logs_leaves_its_words_and_the_value() {
    alone(a_debug_that_logs_leaves_its_words_and_the_value, |default| {
        let logs = || {
            info!("formatting");
            "value"
        };
        let outcome = trace(default, keeping(), |_| {
            let _outer = info_span!("outer").entered();
            let span = info_span!("span", a = ?Says(logs), b = field::Empty);
            span.record("b", field::display(Says(logs)));
            let _inside = span.enter();
            info!(c = %Says(logs), "said");
        });
        let span = outcome.span("span");
        assert_eq!((span.tag("a"), span.tag("b")), (text("value"), text("value")));
        let said = span.logs().last().unwrap();
        assert_eq!(said.fields().collect::<Vec<_>>(), [("c", TagRef::Str("value"))]);
        // Under a scoped subscriber `tracing` itself keeps what is said meanwhile from it.
        let meanwhile = if default == Default::Global { 2 } else { 0 };
        assert_eq!(outcome.logs("outer").len(), meanwhile);
        assert_eq!(span.logs().count(), if default == Default::Global { 2 } else { 1 });
    });
}

#[test]
fn a_debug_that_opens_and_closes_spans_leaves_the_tree_whole() {
    alone(a_debug_that_opens_and_closes_spans_leaves_the_tree_whole, |default| {
        let opens = || {
            let _inside = info_span!("inside", depth = 1).entered();
            drop(info_span!("deeper"));
            "value"
        };
        let outcome = trace(default, tailed(), |_| {
            let span = info_span!("span", a = ?Says(opens));
            span.record("a", field::debug(Says(opens)));
            let _inside = span.enter();
            drop(info_span!("child", a = ?Says(opens)));
            info!(a = ?Says(opens), "said");
        });
        assert_eq!(outcome.span("span").tag("a"), text("value"));
        assert_eq!(outcome.parent_of("child"), Some("span"));
        // Two are opened outside of the span, two while it is entered.
        let nested = if default == Default::Global { 4 } else { 0 };
        let count = |name| outcome.names().iter().filter(|known| **known == name).count();
        assert_eq!((count("inside"), count("deeper")), (nested, nested));
        assert_eq!(outcome.traces.len(), 1 + nested / 2);
    });
}

#[test]
fn a_debug_that_reads_and_changes_the_span_it_is_recorded_on_does_both() {
    alone(a_debug_that_reads_and_changes_the_span_it_is_recorded_on_does_both, |default| {
        let outcome = trace(default, tailed(), |_| {
            let span = info_span!("span", a = field::Empty, b = field::Empty);
            let changes = || {
                assert!(span.context().is_some());
                // Under a scoped subscriber there may be no current span meanwhile.
                let current = Span::current().context();
                assert!(current.is_some() || default == Default::Scoped);
                span.record("b", field::debug(Says(|| "by the value")));
                span.set_tag("c", 3);
                span.set_parent(span.context().unwrap()).unwrap_err();
                "value"
            };
            let _inside = span.enter();
            span.record("a", field::debug(Says(changes)));
            info!(d = ?Says(changes), "said");
            drop(info_span!("child", e = ?Says(changes)));
        });
        let span = outcome.span("span");
        assert_eq!((span.tag("a"), span.tag("b")), (text("value"), text("by the value")));
        assert_eq!(span.tag("c"), Some(TagRef::I64(3)));
        assert_eq!(outcome.logs("span"), ["said"]);
        assert_eq!(outcome.parent_of("child"), Some("span"));
    });
}

#[test]
fn a_debug_that_panics_is_told_and_leaves_everything_else() {
    alone(a_debug_that_panics_is_told_and_leaves_everything_else, |default| {
        let panics = || panic!("no words");
        let outcome = trace(default, tailed(), |_| {
            let span = info_span!("span", a = ?Says(panics), b = 2);
            span.record("a", field::display(Says(panics)));
            let _inside = span.enter();
            info!(c = ?Says(panics), d = 4, "said");
            info!("{}", Says(panics));
            info!("after");
        });
        let span = outcome.span("span");
        let told = TagRef::Str("(its formatting panicked)");
        assert_eq!((span.tag("a"), span.tag("b")), (Some(told), Some(TagRef::I64(2))));
        assert_eq!(outcome.logs("span"), ["said", "(its formatting panicked)", "after"]);
        let said = span.logs().next().unwrap();
        assert_eq!(said.fields().collect::<Vec<_>>(), [("c", told), ("d", TagRef::I64(4))]);
    });
}

#[test]
fn a_value_that_closes_the_last_handle_of_another_span_closes_it() {
    alone(a_value_that_closes_the_last_handle_of_another_span_closes_it, |default| {
        let outcome = trace(default, tailed(), |_| {
            let other = std::cell::Cell::new(Some(info_span!("other")));
            let closes = || {
                drop(other.take());
                "value"
            };
            drop(info_span!("span", a = ?Says(closes)));
        });
        assert_eq!(outcome.names(), ["other", "span"]);
    });
}

struct Endless;

impl fmt::Display for Endless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        loop {
            f.write_str("and on ")?;
        }
    }
}

impl fmt::Debug for Endless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[derive(Debug)]
struct ItsOwnCause;

impl fmt::Display for ItsOwnCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("again")
    }
}

impl Error for ItsOwnCause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self)
    }
}

#[test]
fn a_display_that_never_stops_is_cut_and_counted() {
    alone(a_display_that_never_stops_is_cut_and_counted, |default| {
        let outcome = trace(default, tailed(), |_| {
            let _span = info_span!("span", a = %Endless, b = 2).entered();
            info!(c = ?Endless, "said");
            info!("{Endless}");
        });
        let limit = tailtrace::model::Limits::default().value_bytes as usize;
        let Some(TagRef::Str(cut)) = outcome.span("span").tag("a") else { panic!("no text") };
        assert!(cut.len() <= limit && cut.len() > limit - 10, "{}", cut.len());
        assert_eq!(outcome.span("span").tag("b"), Some(TagRef::I64(2)));
        assert_eq!(outcome.stats.cut_values, 3);
    });
}

#[test]
fn an_error_whose_chain_never_ends_is_told_in_part() {
    alone(an_error_whose_chain_never_ends_is_told_in_part, |default| {
        let outcome = trace(default, tailed(), |_| {
            let error: &(dyn Error + 'static) = &ItsOwnCause;
            let _span = info_span!("span", failure = error).entered();
            error!(failure = error, "said");
        });
        let span = outcome.span("span");
        let Some(TagRef::StringArray(chain)) = span.tag("failure.chain") else {
            panic!("no chain")
        };
        assert_eq!(chain.len(), 16);
        assert!(span.is_error());
    });
}

#[derive(Debug)]
struct PanicsAbout(&'static str);

impl fmt::Display for PanicsAbout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        assert!(self.0 != "itself", "no words");
        f.write_str(self.0)
    }
}

impl Error for PanicsAbout {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        panic!("no source")
    }
}

#[test]
fn an_error_that_panics_about_itself_or_its_source_is_told() {
    alone(an_error_that_panics_about_itself_or_its_source_is_told, |default| {
        let outcome = trace(default, tailed(), |_| {
            let first: &(dyn Error + 'static) = &PanicsAbout("itself");
            let second: &(dyn Error + 'static) = &PanicsAbout("its source");
            drop(info_span!("span", first, second, third = 3));
        });
        let span = outcome.span("span");
        assert_eq!(span.tag("first"), text("(its formatting panicked)"));
        assert_eq!(span.tag("second"), text("its source"));
        assert_eq!(span.tag("third"), Some(TagRef::I64(3)));
    });
}

fn text(text: &'static str) -> Option<TagRef<'static>> {
    Some(TagRef::Str(text))
}
