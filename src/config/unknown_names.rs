//! Variables of this crate's that there are not: one that is misspelt changes nothing, and would do so in silence.

use super::variables::Variables;
use crate::kit::edits;
use crate::kit::secret::Secret;

const PREFIX: &str = "TAILTRACE_";

/// The variables of this crate's own.
const KNOWN: [&str; 4] =
    ["TAILTRACE_COHERENCE_GROUP", "TAILTRACE_COHERENCE_URL", "TAILTRACE_FILTER", "TAILTRACE_TAIL"];

/// How many letters of a name may be wrong.
const MOST_EDITS: usize = 2;

/// Warns of those among the names of variables that are set which look like one of this crate's and are none.
pub(super) fn warn(vars: &mut Variables<'_>, set: &[String]) {
    for name in set.iter().filter(|name| is_unknown(name)) {
        let meant =
            known_near(name).map_or_else(String::new, |meant| format!("did you mean {meant}? "));
        let known = KNOWN.join(", ");
        // A key may stand there too, where its name was forgotten.
        let shown = Secret::name(&**name).to_string();
        vars.warn(
            &shown,
            &format!(" is ignored: there is no such variable; {meant}There are {known}"),
        );
    }
}

fn is_unknown(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    // Where names have no case, another case is no other variable.
    let is_known = |known: &&str| *known == name || (cfg!(windows) && *known == upper);
    upper.starts_with(PREFIX) && !KNOWN.iter().any(is_known) && !is_of_kubernetes(name)
}

/// Whether Kubernetes sets a variable of this name in every container beside a service that is called like this crate.
fn is_of_kubernetes(name: &str) -> bool {
    ["_SERVICE_HOST", "_SERVICE_PORT", "_PORT"].iter().any(|end| name.ends_with(end))
        || ["_SERVICE_PORT_", "_PORT_"].iter().any(|part| name.contains(part))
}

/// The variable that a name is nearest to, if it is near to one or the beginning of one.
fn known_near(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_uppercase();
    let near = KNOWN.iter().map(|known| (edits(&name, known), *known));
    let near = near.filter(|(edits, _)| *edits <= MOST_EDITS).min_by_key(|(edits, _)| *edits);
    let begun =
        || KNOWN.into_iter().find(|known| name.len() > PREFIX.len() && known.starts_with(&name));
    near.map(|(_, known)| known).or_else(begun)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::variables::VariableValue;

    fn warnings(set: &[&str]) -> Vec<String> {
        let lookup = |_: &str| VariableValue::Unset;
        let mut vars = Variables::new(&lookup);
        let set: Vec<String> = set.iter().map(|name| (*name).to_owned()).collect();
        warn(&mut vars, &set);
        vars.into_warnings().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_misspelt_name_is_told_once_with_the_one_that_was_meant_and_those_that_there_are() {
        let known = KNOWN.join(", ");
        for (name, meant) in [
            ("TAILTRACE_TIAL", "did you mean TAILTRACE_TAIL? "),
            ("TAILTRACE_FILTERS", "did you mean TAILTRACE_FILTER? "),
            ("TAILTRACE_COHERENCE_URI", "did you mean TAILTRACE_COHERENCE_URL? "),
            ("TAILTRACE_COHERENCE", "did you mean TAILTRACE_COHERENCE_GROUP? "),
            ("TAILTRACE_SAMPLE_RATE", ""),
            ("TAILTRACE_", ""),
        ] {
            let line =
                format!("{name} is ignored: there is no such variable; {meant}There are {known}");
            assert_eq!(warnings(&[name, name]), [line]);
        }
        assert_eq!(warnings(&["tailtrace_tail"]).len(), usize::from(cfg!(not(windows))));
    }

    #[test]
    fn names_that_there_are_and_those_of_others_are_not_told() {
        assert_eq!(warnings(&KNOWN), [""; 0]);
        let of_kubernetes = [
            "TAILTRACE_SERVICE_HOST",
            "TAILTRACE_SERVICE_PORT_HTTP",
            "TAILTRACE_DEMO_PORT",
            "TAILTRACE_PORT_80_TCP_ADDR",
        ];
        assert_eq!(warnings(&of_kubernetes), [""; 0]);
        assert_eq!(warnings(&["TAILTRACE", "MY_TAILTRACE_TIAL", "OTEL_TAIL", ""]), [""; 0]);
    }

    #[test]
    fn a_key_in_the_place_of_a_name_is_not_repeated() {
        let lines = warnings(&["TAILTRACE_a1b2c3d4e5f60718"]);
        assert!(lines[0].starts_with("[26 characters] is ignored"), "{lines:?}");
    }

    #[test]
    fn what_is_known_is_what_is_read() {
        let asked = std::cell::RefCell::new(Vec::new());
        let _ = crate::config::from_vars(&|name| {
            asked.borrow_mut().push(name.to_owned());
            None
        });
        let mut asked = asked.into_inner();
        asked.retain(|name| name.starts_with(PREFIX));
        asked.sort();
        assert_eq!(asked, KNOWN);
    }
}
