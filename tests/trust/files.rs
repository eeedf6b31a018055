//! Files of traces, which may hold personal data.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::time::Duration;

use tailtrace::{AlwaysOn, FileExporter, Tracer};

#[test]
fn a_new_file_is_readable_by_its_owner_alone_and_not_made_through_a_link() {
    let folder = std::env::temp_dir().join(format!("tailtrace-trust-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("traces.jsonl");
    let tracer = Tracer::new("shop", AlwaysOn, FileExporter::new(&path).unwrap());
    drop(tracer.start_span("GET"));
    tracer.shutdown(Duration::from_secs(30)).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);

    // A link that leads nowhere yet: the file that it names must not be made.
    let elsewhere = folder.join("elsewhere");
    let link = folder.join("link.jsonl");
    symlink(&elsewhere, &link).unwrap();
    assert!(FileExporter::new(&link).is_err());
    assert!(!elsewhere.exists());
    fs::remove_dir_all(&folder).unwrap();
}
