//! What the rules let pass, each with its reason.

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

/// (rule, file or folder below `src/`, reason).
#[rustfmt::skip]
const EXCEPTIONS: &[(Rule, &str, &str)] = &[
    (Rule::Circles, "trace/span/mod.rs", "`Span::as_ref` and `SpanRef::to_span` lead to each other, as `String` and `str` do"),
    (Rule::Impls, "config/detect/mod.rs", "`Resource::detect` reads the environment, which model may not"),
    (Rule::Impls, "layer/trace_layer.rs", "`Pipeline::layer` is there with the feature of the room; pipeline may not name layer"),
    (Rule::Impls, "layer/subscriber/mod.rs", "`Pipeline::subscriber` is there with the feature of the room; pipeline may not name layer"),
    (Rule::Impls, "tracer/mod.rs", "`Pipeline::tracer` leads to the tracer; pipeline may not name tracer"),
];

/// The breaches that no exception covers, and the exceptions that cover none.
pub(crate) fn without_exceptions(rule: Rule, breaches: Vec<Breach>) -> Vec<Breach> {
    let of_rule = EXCEPTIONS.iter().filter(|(of, ..)| *of == rule);
    let places: Vec<&str> = of_rule.map(|(_, place, _)| *place).collect();
    apply(rule, &places, breaches)
}

fn apply(rule: Rule, places: &[&str], mut breaches: Vec<Breach>) -> Vec<Breach> {
    let covers = |place: &str, breach: &Breach| is_at(breach.file(), place);
    let needless = places.iter().filter(|place| !breaches.iter().any(|one| covers(place, one)));
    let needless: Vec<Breach> = needless
        .map(|place| Breach {
            place: (*place).to_owned(),
            line: 1,
            rule: format!("the exception of {rule:?} is not needed any more"),
            cure: "remove its row from EXCEPTIONS of tests/rooms/exceptions.rs".to_owned(),
        })
        .collect();
    breaches.retain(|breach| !places.iter().any(|place| covers(place, breach)));
    breaches.extend(needless);
    breaches
}

#[cfg(test)]
mod tests {
    use super::{Rule, apply};
    use crate::check::Breach;

    fn breach(place: &str) -> Breach {
        Breach { place: place.to_owned(), line: 1, rule: String::new(), cure: String::new() }
    }

    #[test]
    fn an_exception_covers_its_place_and_goes_when_it_covers_nothing() {
        let left = |places: &[&str]| {
            let breaches = vec![breach("src/tail/a.rs"), breach("src/trace/b/c.rs")];
            let left = apply(Rule::Circles, places, breaches);
            left.into_iter().map(|breach| breach.place).collect::<Vec<_>>()
        };
        assert_eq!(left(&[]), ["src/tail/a.rs", "src/trace/b/c.rs"]);
        assert_eq!(left(&["tail/a.rs", "trace/"]), [""; 0]);
        assert_eq!(left(&["tail/", "tail/b.rs"]), ["src/trace/b/c.rs", "tail/b.rs"]);
    }
}
