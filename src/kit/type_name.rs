//! The names of types, for what the program has not named.

/// The last word of a type's full name: `Errors` of `tailtrace::tail::errors::Errors`, `Named` of
/// `app::Named<app::Policy>`, `closure` of a closure wherever it stands.
// Asked for the name of a policy whenever one keeps a trace, so it searches for single bytes.
pub(crate) fn short(full: &'static str) -> &'static str {
    // Most policies of programs are closures.
    if full.ends_with("::{{closure}}") {
        return "closure";
    }
    let name = without_arguments(full);
    let colon = name.bytes().rposition(|byte| byte == b':');
    colon.and_then(|colon| name.get(colon + 1..)).unwrap_or(name)
}

/// The name without the type arguments at its end. Those before its end are part of the way to it, as
/// in `<app::Shop as app::Watched>::policy`.
fn without_arguments(full: &'static str) -> &'static str {
    if !full.ends_with('>') {
        return full;
    }
    let mut open = 0_usize;
    for (at, character) in full.char_indices().rev() {
        match character {
            // That of an arrow, `fn() -> bool`, closes nothing.
            '>' if !full.get(..at).is_some_and(|before| before.ends_with('-')) => open += 1,
            '<' => open = open.saturating_sub(1),
            _ => {}
        }
        if open == 0 {
            return full.get(..at).unwrap_or(full);
        }
    }
    full
}

#[cfg(test)]
mod tests {
    use std::any::type_name_of_val;

    use super::short;

    trait Makes {
        fn closure_name(&self) -> &'static str;
    }

    struct Maker;

    impl Makes for Maker {
        fn closure_name(&self) -> &'static str {
            type_name_of_val(&|| ())
        }
    }

    #[test]
    fn a_type_is_called_by_its_last_word_without_arguments() {
        for (full, expected) in [
            ("tailtrace::tail::errors::Errors", "Errors"),
            ("app::Named<app::tail::Policy>", "Named"),
            ("app::Pair<app::Named<a::A>, fn(b::B) -> c::C>", "Pair"),
            ("app::queries_in_a_loop", "queries_in_a_loop"),
            ("app::make<app::T>::{{closure}}", "closure"),
            ("<app::Shop as app::Watched>::policy", "policy"),
            ("bool", "bool"),
            ("", ""),
        ] {
            assert_eq!(short(full), expected, "{full}");
        }
    }

    #[test]
    fn a_closure_has_a_name_inside_the_implementation_of_a_trait_too() {
        assert_eq!(short(Maker.closure_name()), "closure");
    }
}
