//! Where a process that was forked off writes.

use std::path::{Path, PathBuf};

/// The file of a child beside that of its parent: two processes that cut and rotate one file would harm each other's
/// lines. The number stands before the ending, because a rotated file has one behind it. A device is not rotated.
pub(super) fn of(path: &Path, process: u32) -> PathBuf {
    let Some(stem) = path.file_stem().filter(|_| path.parent() != Some(Path::new("/dev"))) else {
        return path.to_owned();
    };
    let mut name = stem.to_owned();
    name.push(format!("-{process}"));
    if let Some(ending) = path.extension() {
        name.push(".");
        name.push(ending);
    }
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_the_process_stands_before_the_ending() {
        let of = |path: &str| of(Path::new(path), 7);
        assert_eq!(of("/var/traces.jsonl"), Path::new("/var/traces-7.jsonl"));
        assert_eq!(of("/var/traces"), Path::new("/var/traces-7"));
        assert_eq!(of("/dev/stdout"), Path::new("/dev/stdout"));
    }
}
