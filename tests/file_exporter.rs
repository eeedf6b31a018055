//! The file exporter on a real file system.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tailtrace::export::{Batch, FileError, Rotation};
use tailtrace::testing::{span, trace};
use tailtrace::{AlwaysOn, Exporter, FileExporter, Pipeline, Trace};

type Outcome = Result<(), Box<dyn Error>>;

/// An empty folder for one test.
fn folder(name: &str) -> std::io::Result<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn export(exporter: &FileExporter, batch: &[Trace]) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    Ok(runtime.block_on(exporter.export(Batch::from(batch)))?)
}

fn shut_down(exporter: &FileExporter) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(exporter.flush())?;
    Ok(runtime.block_on(exporter.shutdown())?)
}

/// The names of the spans in a file.
fn names(path: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let text = fs::read_to_string(path)?;
    let name = |line: &str| -> Result<String, Box<dyn Error>> {
        let value: serde_json::Value = serde_json::from_str(line)?;
        Ok(value["name"].as_str().unwrap_or_default().to_owned())
    };
    text.lines().map(name).collect()
}

#[test]
fn spans_are_appended_to_what_is_there() -> Outcome {
    let path = folder("appended")?.join("traces.jsonl");
    let first = FileExporter::new(&path)?;
    export(&first, &[trace(span("a").child(span("b")))])?;
    shut_down(&first)?;
    drop(first);
    let second = FileExporter::new(&path)?;
    export(&second, &[trace(span("c")), trace(span("d"))])?;
    assert_eq!(names(&path)?, ["a", "b", "c", "d"]);
    Ok(())
}

#[test]
fn the_bytes_of_its_lines_are_counted() -> Outcome {
    let path = folder("counted")?.join("traces.jsonl");
    let builder = Pipeline::builder("shop").with_exporter(FileExporter::new(&path)?);
    let pipeline = builder.with_sampler(AlwaysOn).start()?;
    drop(pipeline.tracer().start_span("order").child("charge"));
    drop(pipeline.tracer().start_span("search"));
    pipeline.shutdown(Duration::from_secs(60))?;
    let rows = pipeline.stats_by_operation();
    let [order, search] = &rows[..] else { panic!("two operations: {rows:?}") };
    assert_eq!(order.bytes_sent + search.bytes_sent, fs::metadata(&path)?.len());
    assert!(order.bytes_sent > search.bytes_sent, "{rows:?}");
    Ok(())
}

#[test]
fn files_rotate_and_the_oldest_goes() -> Outcome {
    let path = folder("rotated")?.join("traces.jsonl");
    let rotation = Rotation::default().with_max_bytes(1).with_files(3);
    let exporter = FileExporter::builder(&path).with_rotation(rotation).build()?;
    for name in ["a", "b", "c", "d", "e"] {
        export(&exporter, &[trace(span(name))])?;
    }
    assert_eq!(names(&path)?, ["e"]);
    assert_eq!(names(&path.with_extension("jsonl.1"))?, ["d"]);
    assert_eq!(names(&path.with_extension("jsonl.2"))?, ["c"]);
    assert!(!path.with_extension("jsonl.3").exists());
    Ok(())
}

#[test]
fn a_half_line_of_a_program_that_died_does_not_spoil_the_next() -> Outcome {
    let path = folder("half")?.join("traces.jsonl");
    fs::write(&path, "{\"name\":\"whole\"}\n{\"na")?;
    export(&FileExporter::new(&path)?, &[trace(span("next"))])?;
    let text = fs::read_to_string(&path)?;
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[1], "{\"na");
    assert!(lines[2].contains("\"name\":\"next\""));
    Ok(())
}

#[test]
fn a_file_moved_away_or_emptied_by_others_is_no_loss() -> Outcome {
    let path = folder("moved")?.join("traces.jsonl");
    let exporter = FileExporter::new(&path)?;
    export(&exporter, &[trace(span("a"))])?;
    let archive = path.with_file_name("archive");
    fs::rename(&path, &archive)?;
    export(&exporter, &[trace(span("b"))])?;
    assert_eq!((names(&archive)?, names(&path)?), (vec!["a".to_owned()], vec!["b".to_owned()]));
    fs::write(&path, "")?;
    export(&exporter, &[trace(span("c"))])?;
    assert_eq!(names(&path)?, ["c"]);
    Ok(())
}

#[test]
fn a_wrong_path_or_size_is_refused_by_name() -> Outcome {
    let folder = folder("refused")?;
    let missing = FileExporter::new(folder.join("no").join("traces.jsonl"));
    let message = missing.map(|_| ()).map_err(|error| error.to_string());
    assert!(message.is_err_and(|text| text.contains("no/traces.jsonl") || text.contains("no\\\\")));
    for (max_bytes, files) in [(0, 5), (1, 0), (1, 1001)] {
        let rotation = Rotation::default().with_max_bytes(max_bytes).with_files(files);
        let builder = FileExporter::builder(folder.join("traces.jsonl"));
        let refused = builder.with_rotation(rotation).build();
        let Err(FileError::Rotation(named)) = refused else {
            return Err("a rotation that keeps nothing was accepted".into());
        };
        assert_eq!((named.max_bytes, named.files), (max_bytes, files));
    }
    Ok(())
}

/// Linux has a device that is always full.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_may_be_tried_again_and_is_named() -> Outcome {
    let exporter = FileExporter::new("/dev/full")?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let batch = [trace(span("a"))];
    for _ in 0..2 {
        let Err(error) = runtime.block_on(exporter.export(Batch::from(&batch[..]))) else {
            return Err("a full disk took the batch".into());
        };
        assert!(error.is_retryable());
        assert!(error.to_string().starts_with("cannot write traces to \"/dev/full\": "));
    }
    Ok(())
}
