//! The rules of `tests/rooms/tables.rs`, applied to one file or one list of names.

use crate::paths::{self, Named};
use crate::tables::{
    FENCES, FREE, Fence, MOST_LINES, NOT_IN_TESTS, TABLE, TESTS_MAY_NAME, TOP_LEVEL, Tests,
};
use std::fmt;

/// One breach: where, which rule, and what to do.
#[derive(Clone)]
pub(crate) struct Breach {
    pub(crate) place: String,
    pub(crate) line: usize,
    pub(crate) rule: String,
    pub(crate) cure: String,
}

impl Breach {
    /// The file below `src/`.
    pub(crate) fn file(&self) -> &str {
        self.place.trim_start_matches("src/")
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Breach { place, line, rule, cure } = self;
        write!(f, "{place}:{line}: {rule}\n    what to do: {cure}")
    }
}

/// Checks one file of `src/`; `file` is its path below `src/`.
pub(crate) fn check_source(file: &str, source: &str) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let mut report = |line, rule, cure: &str| {
        let place = format!("src/{file}");
        breaches.push(Breach { place, line, rule, cure: cure.to_owned() });
    };
    let room = file.split('/').next().unwrap_or(file);
    let row = TABLE.iter().find(|(name, _)| *name == room);
    if row.is_none() && !FREE.contains(&room) {
        let rule = format!("`{room}` has no row in the import table");
        report(
            1,
            rule,
            "give the room a row in TABLE of tests/rooms/tables.rs, or move the file into a room",
        );
    }
    for named in paths::named_paths(file, source) {
        if let Some((_, may_name)) = row
            && let Some(rule) = import_breach(room, may_name, &named)
        {
            report(
                named.line,
                rule,
                "sink what both need to model or kit, or turn the call around",
            );
        }
        for fence in FENCES {
            if let Some(rule) = fence.breach(file, &named) {
                report(named.line, rule, fence.cure);
            }
        }
        if let Some(rule) = sleep_breach(&named) {
            report(named.line, rule, "step a manual clock, or wait on a channel");
        }
    }
    breaches
}

/// Checks the length of one file.
pub(crate) fn check_length(file: &str, source: &str) -> Vec<Breach> {
    let lines = source.lines().count();
    let too_long = (lines > MOST_LINES).then(|| Breach {
        place: format!("src/{file}"),
        line: lines,
        rule: format!("the file has {lines} lines; at most {MOST_LINES} are allowed"),
        cure: "split it by idea, or move its unit tests to `tests.rs` in a folder".to_owned(),
    });
    too_long.into_iter().collect()
}

/// Checks one path against its room's row of the import table.
fn import_breach(room: &str, may_name: &[&str], named: &Named) -> Option<String> {
    let [root, rest @ ..] = named.segments.as_slice() else {
        return None;
    };
    if root != "crate" {
        return None;
    }
    let target = rest.first().map_or("crate", String::as_str);
    // A row may name a room, or one name of it.
    let name = format!("{target}::{}", rest.get(1).map_or("", String::as_str));
    let allowed = target == room
        || may_name.iter().any(|entry| *entry == target || *entry == name)
        || (named.in_test && target == TESTS_MAY_NAME);
    if allowed {
        return None;
    }
    if TABLE.iter().any(|(name, _)| *name == target) {
        let may_name =
            if may_name.is_empty() { "nothing of ours".to_owned() } else { may_name.join(", ") };
        return Some(format!("{room} may not name {target} (it may name: {may_name})"));
    }
    let path = named.segments.join("::");
    Some(format!("`{path}` names no room, so the import table cannot see whose it is"))
}

/// Checks one path for waiting in a test.
pub(crate) fn sleep_breach(named: &Named) -> Option<String> {
    let waits = named.in_test && NOT_IN_TESTS.iter().any(|word| says(&named.segments, word));
    waits.then(|| format!("`{}` in a test", named.segments.join("::")))
}

impl Fence {
    fn breach(&self, file: &str, named: &Named) -> Option<String> {
        let bound = !named.in_test || self.tests == Tests::Fenced;
        let inside = self.places.iter().any(|place| is_at(file, place));
        let word = self.words.iter().find(|word| says(&named.segments, word))?;
        (bound && !inside).then(|| {
            let path = named.segments.join("::");
            let places =
                if self.places.is_empty() { "nowhere".to_owned() } else { self.places.join(", ") };
            format!("`{path}` stands outside of its fence (`{word}` may stand: {places})")
        })
    }
}

/// Whether a path begins, or after `..::` ends, with `word`.
pub(crate) fn says(segments: &[String], word: &str) -> bool {
    let end = word.strip_prefix("..::");
    let parts: Vec<&str> = end.unwrap_or(word).split("::").collect();
    let Some(room_for) = segments.len().checked_sub(parts.len()) else {
        return false;
    };
    let skip = if end.is_some() { room_for } else { 0 };
    parts.iter().zip(&segments[skip..]).all(|(part, name)| is_like(name, part))
}

fn is_like(name: &str, pattern: &str) -> bool {
    let core = pattern.trim_matches('*');
    match (pattern.starts_with('*'), pattern.ends_with('*')) {
        (true, true) => name.contains(core),
        (true, false) => name.ends_with(core),
        (false, true) => name.starts_with(core),
        (false, false) => name == core,
    }
}

/// Whether `file` is `place`, or lies in it when it is a folder.
pub(crate) fn is_at(file: &str, place: &str) -> bool {
    let folder = place.strip_suffix('/');
    let parts: Vec<&str> = folder.unwrap_or(place).split('/').collect();
    let names: Vec<&str> = file.split('/').collect();
    let long_enough = match folder {
        Some(_) => names.len() > parts.len(),
        None => names.len() == parts.len(),
    };
    long_enough && parts.iter().zip(names).all(|(part, name)| *part == "*" || *part == name)
}

/// Checks the names at the top of the repository.
pub(crate) fn check_top_level<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<Breach> {
    let known = |name: &str| name.starts_with('.') || name == "target" || TOP_LEVEL.contains(&name);
    let unknown = names.into_iter().filter(|name| !known(name));
    unknown
        .map(|name| Breach {
            place: name.to_owned(),
            line: 1,
            rule: "nothing of this name belongs at the top of the repository".to_owned(),
            cure: "put it where its subject lives, or add it to TOP_LEVEL of tests/rooms/tables.rs"
                .to_owned(),
        })
        .collect()
}
