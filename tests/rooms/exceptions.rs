//! What the rules let pass: a short list for good, and one that has to become empty.

use crate::check::{Breach, is_at};

/// A rule that may have exceptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// No two types of one name below a room.
    TypeNames,
    /// No circle of files inside a room.
    Circles,
    /// The most lines of a file.
    Length,
    /// An inherent `impl` stands where its type is defined.
    Impls,
    /// Comments name who acts.
    Comments,
    /// Two bindings are two statements.
    Bindings,
    /// No lint against unused code is switched off.
    Allowances,
}

/// What stays, each with its reason: (rule, file or folder, reason).
#[rustfmt::skip]
const FOR_GOOD: &[(Rule, &str, &str)] = &[
    (Rule::Circles, "trace/span/", "`Span::as_ref` and `SpanRef::to_span` lead to each other, as `String` and `str` do"),
    (Rule::Impls, "layer/trace_layer.rs", "`Pipeline::layer` is there with the feature of the room; pipeline may not name layer"),
    (Rule::Impls, "tracer/mod.rs", "`Pipeline::tracer` leads to the tracer; pipeline may not name tracer"),
];

/// OPEN: what is still to be put right, by room. A row goes as soon as its room keeps the rule.
#[rustfmt::skip]
const OPEN: &[(Rule, &str)] = &[
    (Rule::Circles, "model/"),
    (Rule::Circles, "pipeline/"),
    (Rule::Circles, "tail/"),
    (Rule::Length, "model/"),
    (Rule::Length, "pipeline/"),
    (Rule::Length, "record/"),
    (Rule::Length, "sampling/"),
    (Rule::Impls, "pipeline/"),
    (Rule::Comments, "kit/"),
    (Rule::Comments, "ledger/"),
    (Rule::Comments, "model/"),
    (Rule::Comments, "pipeline/"),
    (Rule::Comments, "propagation/"),
    (Rule::Comments, "sampling/"),
    (Rule::Comments, "tail/"),
    (Rule::Bindings, "model/"),
    (Rule::Bindings, "pipeline/"),
    (Rule::Bindings, "propagation/"),
    (Rule::Bindings, "record/"),
    (Rule::Bindings, "tail/"),
    (Rule::Bindings, "testing/"),
];

/// The breaches that no exception covers.
pub(crate) fn without_exceptions(rule: Rule, breaches: Vec<Breach>) -> Vec<Breach> {
    let for_good = FOR_GOOD.iter().map(|(rule, place, _)| (*rule, *place));
    let known: Vec<_> = for_good.chain(OPEN.iter().copied()).collect();
    let is_known = |breach: &Breach| {
        let file = breach.place.trim_start_matches("src/");
        known.iter().any(|(known, place)| *known == rule && is_at(file, place))
    };
    breaches.into_iter().filter(|breach| !is_known(breach)).collect()
}
