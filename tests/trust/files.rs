//! Files of traces, which may hold personal data, and what stands in their place.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tailtrace::export::{Batch, Rotation};
use tailtrace::model::Resource;
use tailtrace::testing::{span, trace};
use tailtrace::{AlwaysOn, Exporter, FileExporter, LogLevel, Tracer};

/// A folder of one test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let name = format!("tailtrace-trust-{}-{test}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Another program's file.
    fn foreign(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, FOREIGN).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const FOREIGN: &str = "export PATH=/bin\n";

#[track_caller]
fn assert_untouched(path: &Path) {
    assert_eq!(fs::read_to_string(path).unwrap(), FOREIGN);
}

fn export(exporter: &FileExporter) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(exporter.export(Batch::from([trace(span("GET"))]))).is_ok()
}

#[test]
fn a_new_file_is_readable_by_its_owner_alone_and_not_made_through_a_link() {
    let folder = Folder::new("new");
    let path = folder.path("traces.jsonl");
    let tracer = Tracer::new("shop", AlwaysOn, FileExporter::new(&path).unwrap());
    drop(tracer.start_span("GET"));
    tracer.shutdown(Duration::from_secs(30)).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);

    // A link that leads nowhere yet: the file that it names must not be made.
    let elsewhere = folder.path("elsewhere");
    let link = folder.path("link.jsonl");
    symlink(&elsewhere, &link).unwrap();
    assert!(FileExporter::new(&link).is_err());
    assert!(!elsewhere.exists());
}

#[test]
fn nothing_is_written_through_a_link_whenever_it_appeared() {
    let folder = Folder::new("links");
    let foreign = folder.foreign("profile");
    let ours = folder.path("traces.jsonl");
    drop(FileExporter::new(&ours).unwrap());
    for (at, target) in [&foreign, &ours].into_iter().enumerate() {
        let link = folder.path(&format!("link-{at}"));
        symlink(target, &link).unwrap();
        let told = FileExporter::new(&link).unwrap_err().to_string();
        assert!(told.contains("link"), "{told}");
    }

    // In place of the file while it is closed, and in place of the next one at a rotation.
    let rotation = Rotation::default().with_max_bytes(1);
    let exporter = FileExporter::builder(&ours).with_rotation(rotation).build().unwrap();
    assert!(export(&exporter));
    fs::rename(&ours, folder.path("moved")).unwrap();
    symlink(&foreign, &ours).unwrap();
    // It goes to the open file, or nowhere.
    export(&exporter);
    export(&exporter);
    assert_untouched(&foreign);
}

#[test]
fn a_file_of_another_program_is_neither_continued_nor_replaced() {
    let folder = Folder::new("foreign");
    let foreign = folder.foreign("profile");
    let told = FileExporter::new(&foreign).unwrap_err().to_string();
    assert!(told.contains("other content") && told.contains("profile"), "{told}");
    assert_untouched(&foreign);

    let path = folder.path("traces.jsonl");
    let elder = folder.foreign("traces.jsonl.1");
    let rotation = Rotation::default().with_max_bytes(1).with_files(2);
    let exporter = FileExporter::builder(&path).with_rotation(rotation).build().unwrap();
    assert!(export(&exporter));
    assert!(!export(&exporter), "there is no room but in place of the other program's file");
    assert_untouched(&elder);
    fs::remove_file(&elder).unwrap();
    assert!(export(&exporter), "nothing is lost once it is out of the way");
}

#[test]
fn a_file_that_was_made_in_advance_for_others_to_read_is_taken_over() {
    let folder = Folder::new("advance");
    let path = folder.path("traces.jsonl");
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    drop(FileExporter::new(&path).unwrap());
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
}

#[test]
fn other_json_is_not_taken_for_lines_of_traces() {
    let folder = Folder::new("other-json");
    let path = folder.path("settings.json");
    fs::write(&path, "{\"trace\":1}\n").unwrap();
    let told = FileExporter::new(&path).unwrap_err().to_string();
    assert!(told.contains("other content"), "{told}");
    fs::write(&path, "{}").unwrap();
    assert!(FileExporter::new(&path).is_err());
}

#[test]
fn a_pipe_in_the_place_of_a_rotated_file_is_refused_without_waiting() {
    let folder = Folder::new("pipe");
    let path = folder.path("traces.jsonl");
    let pipe = folder.path("traces.jsonl.1");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let rotation = Rotation::default().with_max_bytes(1).with_files(2);
    let exporter = FileExporter::builder(&path).with_rotation(rotation).build().unwrap();
    assert!(export(&exporter));
    assert!(!export(&exporter), "a pipe is not replaced");
    fs::remove_file(&pipe).unwrap();
    assert!(export(&exporter), "nothing is lost once it is out of the way");
}

#[test]
fn no_line_of_json_hides_or_reorders_text() {
    const EVIL: &str = "a\u{202e}b\u{1b}[31m\u{9b}\u{7f}\u{85}\u{200b}\u{2028}\u{2029}\u{2066}\u{feff}\u{e0001}\r\n\"";
    let folder = Folder::new("json");
    let path = folder.path("traces.jsonl");
    let root = span(EVIL).tag(EVIL, EVIL).log(LogLevel::Info, EVIL).error(EVIL);
    let made = trace(root).with_resource(Resource::new(EVIL).with_tag(EVIL, EVIL));
    let exporter = FileExporter::new(&path).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(exporter.export(Batch::from([made]))).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let line = text.strip_suffix('\n').unwrap();
    assert!(line.contains("31m") && line.is_ascii() && !line.contains(char::is_control), "{line}");
}

#[cfg(feature = "spool")]
#[test]
fn a_spool_takes_no_link_for_its_directory() {
    use tailtrace::OtlpExporter;
    use tailtrace::delivery::Spool;

    let folder = Folder::new("spool");
    let elsewhere = folder.path("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let mode = || fs::metadata(&elsewhere).unwrap().mode();
    let before = mode();
    let link = folder.path("spool");
    symlink(&elsewhere, &link).unwrap();
    let exporter = OtlpExporter::builder().build().unwrap();
    assert!(Spool::new(&link, exporter).unwrap_err().to_string().contains("link"));
    assert_eq!(mode(), before);
}

#[cfg(feature = "spool")]
#[test]
fn a_spool_leaves_a_directory_of_others_as_it_is() {
    use tailtrace::OtlpExporter;
    use tailtrace::delivery::Spool;

    let spool = |path: &Path| Spool::new(path, OtlpExporter::builder().build().unwrap());
    let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode));
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o7777;
    let folder = Folder::new("shared");
    let shared = folder.path("shared");
    fs::create_dir(&shared).unwrap();
    // Of its own: nobody else looks into it.
    set(&shared, 0o755).unwrap();
    assert!(spool(&shared).is_ok());
    assert_eq!(mode(&shared), 0o700);
    // Others need it: their files stay within reach.
    let foreign = folder.foreign("shared/profile");
    set(&shared, 0o755).unwrap();
    assert!(spool(&shared).is_ok());
    assert_eq!(mode(&shared), 0o755);
    // Others could put batches into it.
    set(&shared, 0o1777).unwrap();
    let told = spool(&shared).unwrap_err().to_string();
    assert!(told.contains("other users"), "{told}");
    assert_eq!(mode(&shared), 0o1777);
    assert_untouched(&foreign);
}
