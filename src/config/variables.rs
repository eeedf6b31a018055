//! Reading variables by the rules that are the same for each.
//!
//! OpenTelemetry, "Environment variable specification": what is empty counts as unset; what cannot be
//! understood is warned about and counts as unset; names of choices have no case.

use std::path::PathBuf;
use std::time::Duration;

use super::warning::Warning;
use crate::kit::secret::Secret;

/// The value of a variable.
pub(super) enum VariableValue {
    Unset,
    Text(String),
    /// The variable is set to bytes that are not UTF-8.
    NotUnicode,
}

/// The variables, and the warnings about those that were read.
pub(super) struct Variables<'a> {
    lookup: &'a dyn Fn(&str) -> VariableValue,
    warnings: Vec<Warning>,
}

impl<'a> Variables<'a> {
    pub(super) fn new(lookup: &'a dyn Fn(&str) -> VariableValue) -> Self {
        Self { lookup, warnings: Vec::new() }
    }

    pub(super) fn into_warnings(self) -> Vec<Warning> {
        self.warnings
    }

    /// Warns, unless there is a warning about this variable already.
    pub(super) fn warn(&mut self, variable: &str, about: &str) {
        if !self.is_warned_about(variable) {
            self.warnings.push(Warning::new(variable, about));
        }
    }

    /// Whether there is a warning about a variable.
    pub(super) fn is_warned_about(&self, variable: &str) -> bool {
        self.warnings.iter().any(|warning| warning.variable() == variable)
    }

    /// Warns that a value is ignored. The warning repeats a number or a plain word.
    pub(super) fn warn_ignored(&mut self, variable: &str, value: &str, cure: &str) {
        self.warn_about(variable, &Secret::word(value), cure);
    }

    /// Warns that the whole value is ignored, and shows its harmless form.
    pub(super) fn warn_about(&mut self, variable: &str, value: &Secret<String>, cure: &str) {
        self.warn(variable, &format!("={value:?} is ignored: {cure}"));
    }

    /// What `read` makes of an address. A warning does not repeat an address that may hold a password.
    pub(super) fn address<T>(
        &mut self,
        variable: &str,
        cure: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(variable)?;
        let address = read(&text);
        if address.is_none() && text.contains('@') {
            self.warn(variable, &format!(" is ignored: {cure}, and put credentials into headers"));
        } else if address.is_none() {
            self.warn_about(variable, &Secret::url(text), cure);
        }
        address
    }

    /// The text of a variable without white space around it.
    pub(super) fn text(&mut self, variable: &str) -> Option<String> {
        match (self.lookup)(variable) {
            VariableValue::Unset => None,
            VariableValue::NotUnicode => {
                self.warn(variable, " is ignored: its value is not UTF-8; set it to plain text");
                None
            }
            VariableValue::Text(text) => {
                let text = text.trim();
                (!text.is_empty()).then(|| text.to_owned())
            }
        }
    }

    /// What `read` makes of a variable. Where it makes nothing of it, the value is ignored with a warning.
    pub(super) fn read<T>(
        &mut self,
        variable: &str,
        cure: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(variable)?;
        let value = read(&text);
        if value.is_none() {
            self.warn_ignored(variable, &text, cure);
        }
        value
    }

    /// Whether a variable is `true`. A value that is neither `true` nor `false` is ignored with a warning.
    pub(super) fn flag(&mut self, variable: &str) -> Option<bool> {
        let read = |text: &str| {
            let is = |word: &str| text.eq_ignore_ascii_case(word);
            if is("true") || is("false") { Some(is("true")) } else { None }
        };
        self.read(variable, "use true or false", read)
    }

    /// A whole number from zero on; a larger number than `u32` holds becomes `u32::MAX`.
    pub(super) fn count(&mut self, variable: &str) -> Option<u32> {
        self.read(variable, "use a whole number from 0 on", parse_whole).map(clamp)
    }

    /// A whole number from one on.
    pub(super) fn size(&mut self, variable: &str) -> Option<usize> {
        let read = |text: &str| parse_whole(text).filter(|number| *number > 0);
        let number = self.read(variable, "use a whole number from 1 on", read)?;
        Some(usize::try_from(number).unwrap_or(usize::MAX))
    }

    /// A number of milliseconds.
    pub(super) fn millis(&mut self, variable: &str) -> Option<Duration> {
        let cure = "use a whole number of milliseconds from 0 on";
        self.read(variable, cure, parse_whole).map(Duration::from_millis)
    }

    /// The name of a file.
    pub(super) fn path(&mut self, variable: &str) -> Option<PathBuf> {
        self.text(variable).map(PathBuf::from)
    }

    /// One of several names.
    pub(super) fn choice<T: Copy>(&mut self, variable: &str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(variable)?;
        let choice = find_choice(choices, &text);
        if choice.is_none() {
            self.warn_ignored(variable, &text, &format!("use {}", alternatives(choices)));
        }
        choice
    }

    /// A list of names, each once; `None` when the variable is unset or names no choice.
    ///
    /// `none` stands for an empty list and is ignored beside other names. Where a name is unknown, the warning
    /// ends with the advice that `advise` has about it, and with what `meanwhile` says about the known names;
    /// it gets `None` where the default applies.
    pub(super) fn list<T: Copy + PartialEq>(
        &mut self,
        variable: &str,
        choices: &[(&str, T)],
        advise: impl Fn(&str) -> Option<&'static str>,
        meanwhile: impl FnOnce(Option<&[T]>) -> String,
    ) -> Option<Vec<T>> {
        let text = self.text(variable)?;
        let mut list = Vec::new();
        let mut unknown = Vec::new();
        let mut has_none = false;
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            match find_choice(choices, name) {
                Some(choice) if list.contains(&choice) => {}
                Some(choice) => list.push(choice),
                None if name.eq_ignore_ascii_case("none") => has_none = true,
                None => unknown.push(name),
            }
        }
        let is_set = has_none || !list.is_empty();
        if !unknown.is_empty() {
            let advice = unknown.iter().find_map(|name| advise(name));
            let advice = advice.map_or_else(String::new, |advice| format!("; {advice}"));
            let unknown = Secret::word(unknown.join(","));
            let names = alternatives(choices);
            let meanwhile = meanwhile(is_set.then_some(&*list));
            let about = format!(
                ": {unknown:?} is ignored: use a list of {names}, or none{advice}; until then {meanwhile}"
            );
            self.warn(variable, &about);
        } else if has_none && !list.is_empty() {
            self.warn(variable, ": \"none\" is ignored: use it alone, or leave it out");
        }
        is_set.then_some(list)
    }
}

fn parse_whole(text: &str) -> Option<u64> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    // A number too large for `u64` is still a number, and means: as much as possible.
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}

fn clamp(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn find_choice<T: Copy>(choices: &[(&str, T)], name: &str) -> Option<T> {
    let mut choices = choices.iter();
    choices.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, choice)| *choice)
}

/// The names as a sentence lists them: `a, b or c`.
fn alternatives<T>(choices: &[(&str, T)]) -> String {
    let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

/// The names of a list, as they are written in a variable.
pub(super) fn joined_names<T: PartialEq>(choices: &[(&str, T)], list: &[T]) -> String {
    let name =
        |wanted: &T| choices.iter().find(|(_, choice)| choice == wanted).map(|(name, _)| *name);
    let names: Vec<&str> = list.iter().filter_map(name).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(",") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<T>(value: &str, read: impl FnOnce(&mut Variables<'_>) -> T) -> (T, Vec<String>) {
        let lookup = |_: &str| VariableValue::Text(value.to_owned());
        let mut vars = Variables::new(&lookup);
        let read = read(&mut vars);
        (read, vars.into_warnings().iter().map(ToString::to_string).collect())
    }

    fn list(vars: &mut Variables<'_>, choices: &[(&str, i32)]) -> Option<Vec<i32>> {
        let advise = |name: &str| (name == "y").then_some("y is z");
        vars.list("X", choices, advise, |list| joined_names(choices, list.unwrap_or(&[1])))
    }

    #[test]
    fn what_is_empty_counts_as_unset_without_a_warning() {
        for empty in ["", " ", "\t\n"] {
            assert_eq!(with(empty, |vars| vars.text("X")), (None, vec![]));
            assert_eq!(with(empty, |vars| vars.count("X")), (None, vec![]));
            assert_eq!(with(empty, |vars| vars.flag("X")), (None, vec![]));
            assert_eq!(with(empty, |vars| list(vars, &[("a", 1)])), (None, vec![]));
        }
    }

    #[test]
    fn a_number_beyond_all_use_is_still_a_number_and_a_negative_one_is_none() {
        let huge = "99999999999999999999999";
        assert_eq!(with(huge, |vars| vars.count("X")), (Some(u32::MAX), vec![]));
        assert_eq!(with(huge, |vars| vars.size("X")), (Some(usize::MAX), vec![]));
        let warning = "X=\"-1\" is ignored: use a whole number from 0 on".to_owned();
        assert_eq!(with("-1", |vars| vars.count("X")), (None, vec![warning]));
    }

    #[test]
    fn names_of_choices_have_no_case_and_stand_once_in_a_list() {
        let choices = [("alpha", 1), ("beta", 2)];
        assert_eq!(with("ALPHA", |vars| vars.choice("X", &choices)), (Some(1), vec![]));
        let read = |value| with(value, |vars| list(vars, &choices));
        assert_eq!(read("beta, Alpha,beta,,"), (Some(vec![2, 1]), vec![]));
        assert_eq!(read("none"), (Some(vec![]), vec![]));
    }

    #[test]
    fn what_a_list_does_not_know_is_named_once_and_the_rest_counts() {
        let choices = [("alpha", 1), ("beta", 2)];
        let (read, warnings) = with("x,beta,y", |vars| list(vars, &choices));
        assert_eq!(read, Some(vec![2]));
        let line =
            "X: \"x,y\" is ignored: use a list of alpha or beta, or none; y is z; until then beta";
        assert_eq!(warnings, [line]);
        assert_eq!(with("x", |vars| list(vars, &choices)).0, None);
    }

    #[test]
    fn a_variable_that_is_read_twice_is_warned_about_once() {
        let (_, warnings) = with("x", |vars| (vars.count("X"), vars.count("X")));
        assert_eq!(warnings.len(), 1);
    }
}
