//! The spool against a naive model of it, with a disk of its own for each test.

mod state;

use std::collections::VecDeque;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use proptest::prelude::*;

use super::directory::Directory;
use super::file_name::FileName;
use crate::export::{Batch, OtlpExporter, TraceSizes};
use crate::testing::{span, trace};

/// A directory that goes with its test.
struct TestDirectory(PathBuf);

impl TestDirectory {
    fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("spool-{}-{number}", std::process::id());
        let base =
            option_env!("CARGO_TARGET_TMPDIR").map_or_else(|| "target".into(), PathBuf::from);
        Self(base.join(name))
    }

    fn directory(&self, max_bytes: u64, max_age: Duration) -> Directory {
        let directory =
            Directory { path: self.0.clone(), max_bytes, max_age, sync: false, seed: 7 };
        directory.open(0).unwrap();
        directory
    }
}

impl Drop for TestDirectory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const AGE: Duration = Duration::from_nanos(50);

#[derive(Clone, Debug)]
enum Step {
    Write {
        bytes: usize,
        after: u64,
    },
    /// Sends the oldest batch.
    Send,
    /// Damages the batch at this place: cuts it, or fills it with noise.
    Damage {
        at: usize,
        cut: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1_usize..40, 0_u64..20).prop_map(|(bytes, after)| Step::Write { bytes, after }),
        2 => Just(Step::Send),
        1 => (0_usize..5, any::<bool>()).prop_map(|(at, cut)| Step::Damage { at, cut }),
    ]
}

proptest! {
    #[test]
    fn what_was_written_is_sent_once_in_order_or_was_thrown_away_by_the_rules(
        steps in prop::collection::vec(step(), 0..30),
    ) {
        let disk = TestDirectory::new();
        let directory = disk.directory(100, AGE);
        // Number, bytes, time, and whether it is whole.
        let mut model: VecDeque<(u64, Vec<u8>, u64, bool)> = VecDeque::new();
        let mut now = 1_000;
        for (number, step) in steps.into_iter().enumerate() {
            let number = number as u64;
            match step {
                Step::Write { bytes, after } => {
                    now += after;
                    let bytes = vec![number as u8; bytes];
                    let mut gone = Vec::new();
                    while let Some((first, _, written, _)) = model.front() {
                        let total: usize = model.iter().map(|(_, bytes, ..)| bytes.len()).sum();
                        let is_old = *written < now - AGE.as_nanos() as u64;
                        if !is_old && total + bytes.len() <= 100 {
                            break;
                        }
                        gone.push(*first);
                        model.pop_front();
                    }
                    let thrown = directory.make_room(bytes.len() as u64, now).unwrap();
                    prop_assert_eq!(thrown.iter().map(|name| name.number).collect::<Vec<_>>(), gone);
                    drop(directory.write(&bytes, 3, number, now).unwrap());
                    model.push_back((number, bytes, now, true));
                }
                Step::Send => {
                    let expected = model.pop_front();
                    let oldest = directory.names().unwrap().into_iter().next();
                    let sent = oldest.map(|name| {
                        let mut taken = directory.take(name.clone()).unwrap();
                        prop_assert!(directory.take(name).is_none(), "it is taken");
                        let bytes = taken.read();
                        let name = taken.remove();
                        prop_assert_eq!(name.spans, 3);
                        Ok((name.number, bytes))
                    });
                    let sent = sent.transpose()?;
                    let expected = expected
                        .map(|(number, bytes, _, is_whole)| (number, is_whole.then_some(bytes)));
                    prop_assert_eq!(sent, expected);
                }
                Step::Damage { at, cut } => {
                    if let Some((number, bytes, _, is_whole)) = model.get_mut(at) {
                        let names = directory.names().unwrap();
                        let name = names.iter().find(|name| name.number == *number).unwrap();
                        let noise = vec![0xff; bytes.len()];
                        let content = if cut { &bytes[..bytes.len().saturating_sub(1)] } else { &noise[..] };
                        fs::write(disk.0.join(name.to_string()), content).unwrap();
                        // A shorter file takes less of the bound.
                        *bytes = content.to_vec();
                        *is_whole = false;
                    }
                }
            }
        }
    }
}

#[test]
fn a_batch_that_was_cut_anywhere_or_has_noise_anywhere_is_not_read() {
    let disk = TestDirectory::new();
    let directory = disk.directory(1_000_000, Duration::MAX);
    let exporter = OtlpExporter::builder().build().unwrap();
    let mut whole = Vec::new();
    let mut batch = Batch::from(trace(span("a").tag("key", "value").child(span("b"))));
    exporter.encode_request(&mut batch, &mut whole, &mut TraceSizes::default());
    drop(directory.write(&whole, 2, 0, 1).unwrap());
    let name = directory.names().unwrap().remove(0);
    let read = |content: &[u8]| {
        fs::write(disk.0.join(name.to_string()), content).unwrap();
        directory.take(name.clone()).unwrap().read()
    };
    assert!(whole.len() > 100 && read(&whole).as_ref() == Some(&whole));
    for place in 0..whole.len() {
        assert_eq!(read(&whole[..place]), None, "cut at {place}");
        let mut noise = whole.clone();
        noise[place] ^= 0x5a;
        assert_eq!(read(&noise), None, "noise at {place}");
    }
    let longer = [&whole[..], b"\0"].concat();
    assert_eq!((read(&longer), read(&whole)), (None, Some(whole)));
}

#[test]
fn what_is_no_batch_of_a_spool_is_left_alone() {
    let disk = TestDirectory::new();
    let directory = disk.directory(10, AGE);
    for name in ["notes.txt", ".unfinished-x", "1-2-3.otlp"] {
        fs::write(disk.0.join(name), "x").unwrap();
    }
    assert!(directory.names().unwrap().is_empty());
    assert!(directory.make_room(100, 1_000_000).unwrap().is_empty());
    assert!(disk.0.join("notes.txt").exists());
}

#[test]
fn what_a_process_left_unfinished_goes_and_what_one_is_writing_stays() {
    const MINUTE: u64 = 60_000_000_000;
    let disk = TestDirectory::new();
    let directory = disk.directory(1_000, Duration::MAX);
    let unfinished = |number| {
        let name = FileName { written_nanos: MINUTE, process: 9, number, spans: 1, checksum: 0 };
        disk.0.join(format!(".unfinished-{name}"))
    };
    fs::write(unfinished(1), "left").unwrap();
    let writer = fs::File::create(unfinished(2)).unwrap();
    writer.lock().unwrap();
    let exist = || [1, 2].map(|number| unfinished(number).exists());
    directory.open(2 * MINUTE).unwrap();
    assert_eq!(exist(), [true, true], "its writer may be about to lock it");
    assert!(directory.make_room(1, 3 * MINUTE).unwrap().is_empty());
    assert_eq!(exist(), [false, true]);
    directory.open(62 * MINUTE).unwrap();
    assert_eq!(exist(), [false, false], "it is as old as where there are no locks");
}

#[test]
fn a_batch_cannot_be_taken_before_it_is_counted() {
    let disk = TestDirectory::new();
    let directory = disk.directory(100, AGE);
    let written = directory.write(b"batch", 1, 0, 1).unwrap();
    let name = directory.names().unwrap().remove(0);
    assert!(directory.take(name.clone()).is_none());
    drop(written);
    assert!(directory.take(name).is_some());
}

#[cfg(unix)]
#[test]
fn only_the_user_may_look_into_it() {
    use std::os::unix::fs::PermissionsExt;

    let disk = TestDirectory::new();
    fs::create_dir_all(&disk.0).unwrap();
    fs::set_permissions(&disk.0, fs::Permissions::from_mode(0o777)).unwrap();
    let directory = disk.directory(100, AGE);
    drop(directory.write(b"batch", 1, 0, 1).unwrap());
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let name = directory.names().unwrap().remove(0);
    assert_eq!((mode(&disk.0), mode(&disk.0.join(name.to_string()))), (0o700, 0o600));
}

#[cfg(unix)]
#[test]
fn a_link_in_the_place_of_a_batch_is_not_taken() {
    let disk = TestDirectory::new();
    let directory = disk.directory(100, AGE);
    drop(directory.write(b"batch", 1, 0, 1).unwrap());
    let name = directory.names().unwrap().remove(0);
    let elsewhere = disk.0.join("elsewhere");
    fs::rename(disk.0.join(name.to_string()), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, disk.0.join(name.to_string())).unwrap();
    assert!(directory.take(name).is_none());
}
