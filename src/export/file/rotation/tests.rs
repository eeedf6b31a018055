use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use proptest::prelude::*;

use super::*;

/// A disk in memory that fails when it is told to.
#[derive(Clone, Default)]
struct FakeDisk(Rc<RefCell<Content>>);

#[derive(Default)]
struct Content {
    /// The files by name, each shared by its handles.
    files: BTreeMap<PathBuf, Rc<RefCell<Vec<u8>>>>,
    /// What becomes of the next operations; they succeed when nothing is said.
    fates: VecDeque<Fate>,
    appends: usize,
}

#[derive(Clone, Copy, Debug)]
enum Fate {
    Works,
    /// Fails; an append has written so many bytes before.
    Fails(usize),
}

impl FakeDisk {
    fn fate(&self) -> Result<(), (usize, io::Error)> {
        match self.0.borrow_mut().fates.pop_front() {
            None | Some(Fate::Works) => Ok(()),
            Some(Fate::Fails(written)) => Err((written, io::ErrorKind::StorageFull.into())),
        }
    }

    fn may(&self) -> io::Result<()> {
        self.fate().map_err(|(_, error)| error)
    }

    fn text(&self, name: &str) -> Option<String> {
        let content = self.0.borrow();
        let bytes = content.files.get(Path::new(name))?.borrow();
        Some(String::from_utf8(bytes.clone()).unwrap())
    }

    /// Every file that belongs to the log, the oldest first.
    fn texts(&self) -> Vec<String> {
        let elders = (1..=9).rev().map(|age| format!("log.{age}"));
        elders.chain(["log".to_owned()]).filter_map(|name| self.text(&name)).collect()
    }

    fn put(&self, name: &str, text: &str) {
        let bytes = Rc::new(RefCell::new(text.as_bytes().to_vec()));
        self.0.borrow_mut().files.insert(name.into(), bytes);
    }

    fn fail_next(&self, fates: impl IntoIterator<Item = Fate>) {
        self.0.borrow_mut().fates = fates.into_iter().collect();
    }
}

impl Disk for FakeDisk {
    type File = Rc<RefCell<Vec<u8>>>;

    fn open(&mut self, path: &Path) -> io::Result<Self::File> {
        self.may()?;
        let mut content = self.0.borrow_mut();
        Ok(Rc::clone(content.files.entry(path.into()).or_default()))
    }

    fn exists(&mut self, path: &Path) -> io::Result<bool> {
        self.may()?;
        Ok(self.0.borrow().files.contains_key(path))
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.may()?;
        let mut content = self.0.borrow_mut();
        let file = content.files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        content.files.insert(to.into(), file);
        Ok(())
    }

    fn len(&mut self, file: &Self::File) -> io::Result<u64> {
        self.may()?;
        Ok(file.borrow().len() as u64)
    }

    fn last_byte(&mut self, file: &mut Self::File) -> io::Result<Option<u8>> {
        self.may()?;
        Ok(file.borrow().last().copied())
    }

    fn append(&mut self, file: &mut Self::File, bytes: &[u8]) -> io::Result<()> {
        self.0.borrow_mut().appends += 1;
        let fate = self.fate();
        let written = fate.as_ref().map_or_else(|(part, _)| part % bytes.len(), |()| bytes.len());
        file.borrow_mut().extend_from_slice(&bytes[..written]);
        fate.map_err(|(_, error)| error)
    }

    fn cut(&mut self, file: &mut Self::File, len: u64) -> io::Result<()> {
        self.may()?;
        file.borrow_mut().truncate(usize::try_from(len).unwrap());
        Ok(())
    }

    fn sync(&mut self, _: &mut Self::File) -> io::Result<()> {
        self.may()
    }
}

fn log(disk: &FakeDisk, max_bytes: u64, files: u32) -> Log<FakeDisk> {
    let rotation = Rotation { max_bytes, files };
    Log::open(disk.clone(), "log".into(), rotation).unwrap()
}

#[test]
fn a_file_moves_on_before_it_outgrows_its_size() {
    let disk = FakeDisk::default();
    let mut log = log(&disk, 8, 3);
    for lines in ["a1\n", "a2\n", "b1\nb2\n", "c1\n", "d1234567890\n", "e1\n"] {
        log.append(lines.as_bytes()).unwrap();
    }
    assert_eq!(disk.texts(), ["c1\n", "d1234567890\n", "e1\n"].map(String::from));
}

#[test]
fn an_existing_file_is_continued_and_its_half_line_ended() {
    let disk = FakeDisk::default();
    disk.put("log", "old\nhal");
    log(&disk, 100, 2).append(b"new\n").unwrap();
    assert_eq!(disk.text("log").unwrap(), "old\nhal\nnew\n");
    log(&disk, 100, 2).append(b"newer\n").unwrap();
    assert_eq!(disk.text("log").unwrap(), "old\nhal\nnew\nnewer\n");
}

#[test]
fn a_batch_is_one_write() {
    let disk = FakeDisk::default();
    let mut log = log(&disk, 100, 2);
    log.append(b"a\nb\nc\n").unwrap();
    log.append(b"d\n").unwrap();
    assert_eq!(disk.0.borrow().appends, 2);
}

#[test]
fn half_a_batch_is_cut_off_when_its_write_fails() {
    let disk = FakeDisk::default();
    let mut log = log(&disk, 100, 2);
    log.append(b"a\n").unwrap();
    // exists, len, then the write.
    disk.fail_next([Fate::Works, Fate::Works, Fate::Fails(3)]);
    log.append(b"b\nc\n").unwrap_err();
    assert_eq!(disk.text("log").unwrap(), "a\n");
    log.append(b"b\nc\n").unwrap();
    assert_eq!(disk.text("log").unwrap(), "a\nb\nc\n");
}

#[test]
fn half_a_batch_that_could_not_be_cut_off_is_cut_off_later_or_ended() {
    let disk = FakeDisk::default();
    let mut log = log(&disk, 100, 2);
    log.append(b"a\n").unwrap();
    let write_and_cut_fail = [Fate::Works, Fate::Works, Fate::Fails(3), Fate::Fails(0)];
    disk.fail_next(write_and_cut_fail);
    log.append(b"b\nc\n").unwrap_err();
    assert_eq!(disk.text("log").unwrap(), "a\nb\nc");
    log.append(b"d\n").unwrap();
    assert_eq!(disk.text("log").unwrap(), "a\nd\n");

    disk.fail_next(write_and_cut_fail);
    log.append(b"e\nf\n").unwrap_err();
    // exists, len, then the cut.
    disk.fail_next([Fate::Works, Fate::Works, Fate::Fails(0)]);
    log.append(b"g\n").unwrap();
    assert_eq!(disk.text("log").unwrap(), "a\nd\ne\nf\ng\n");
}

#[test]
fn a_file_that_was_moved_away_is_made_again() {
    let disk = FakeDisk::default();
    let mut log = log(&disk, 100, 2);
    log.append(b"a\n").unwrap();
    let mut other = disk.clone();
    other.rename(Path::new("log"), Path::new("archive")).unwrap();
    log.append(b"b\n").unwrap();
    assert_eq!(disk.text("archive").unwrap(), "a\n");
    assert_eq!(disk.text("log").unwrap(), "b\n");
}

#[test]
fn a_rotation_that_failed_half_way_costs_no_file() {
    let disk = FakeDisk::default();
    disk.put("log.1", "b\n");
    disk.put("log.2", "a\n");
    let mut log = log(&disk, 2, 4);
    log.append(b"c\n").unwrap();
    // exists, len, exists twice more to find the gap, then the second rename.
    let works = [Fate::Works; 6];
    disk.fail_next(works.into_iter().chain([Fate::Fails(0)]));
    log.append(b"d\n").unwrap_err();
    assert_eq!(disk.texts(), ["a\n", "b\n", "c\n"].map(String::from));
    assert!(disk.text("log.1").is_none() || disk.text("log.2").is_none());
    log.append(b"d\n").unwrap();
    assert_eq!(disk.texts(), ["a\n", "b\n", "c\n", "d\n"].map(String::from));
}

/// Batches of numbered lines of about these lengths.
fn batches() -> impl Strategy<Value = Vec<Vec<usize>>> {
    prop::collection::vec(prop::collection::vec(0_usize..12, 1..4), 1..40)
}

fn lines_of(batch: &[usize], from: usize) -> Vec<String> {
    let numbers = from..;
    let lines = numbers.zip(batch);
    lines.map(|(number, len)| format!("<{number}{}>\n", "x".repeat(*len))).collect()
}

proptest! {
    #[test]
    fn files_hold_what_the_naive_model_says(
        batches in batches(), max_bytes in 1_u64..80, files in 1_u32..5,
    ) {
        let disk = FakeDisk::default();
        let mut log = log(&disk, max_bytes, files);
        let mut model = VecDeque::from([String::new()]);
        let mut from = 0;
        for batch in &batches {
            let text = lines_of(batch, from).concat();
            from += batch.len();
            log.append(text.as_bytes()).unwrap();
            let current = model.back_mut().unwrap();
            if current.is_empty() || (current.len() + text.len()) as u64 <= max_bytes {
                current.push_str(&text);
            } else {
                model.push_back(text);
            }
            if model.len() > files as usize {
                model.pop_front();
            }
        }
        prop_assert_eq!(disk.texts(), Vec::from(model));
    }

    #[test]
    fn whatever_fails_no_line_is_lost_doubled_or_split(
        batches in batches(),
        max_bytes in 20_u64..200,
        fates in prop::collection::vec(
            prop_oneof![9 => Just(Fate::Works), 1 => (0_usize..60).prop_map(Fate::Fails)], 0..300),
    ) {
        let disk = FakeDisk::default();
        let mut log = log(&disk, max_bytes, 3);
        disk.fail_next(fates);
        let mut sure = Vec::new();
        let mut all = Vec::new();
        let mut from = 0;
        for batch in &batches {
            let lines = lines_of(batch, from);
            from += batch.len();
            let sent = log.append(lines.concat().as_bytes()).is_ok();
            all.extend(lines.iter().cloned().map(|line| (line, sent)));
            if sent {
                sure.extend(lines);
            }
        }
        let text = disk.texts().concat();
        let found: Vec<_> = text.split_inclusive('\n').map(str::to_owned).collect();
        // What was reported as written is there once, in order, up to the files that went.
        let kept: Vec<_> = found.iter().filter(|line| sure.contains(line)).cloned().collect();
        prop_assert!(sure.ends_with(&kept), "{:?} of {:?}", kept, sure);
        let last_was_sent = sure.last().is_none_or(|last| kept.last() == Some(last));
        prop_assert!(last_was_sent);
        // Whatever else is there is what a failed write left behind.
        for line in found.iter().filter(|line| !sure.contains(line)) {
            let part = line.trim_end_matches('\n');
            let left = all.iter().any(|(whole, sent)| !sent && whole.starts_with(part));
            prop_assert!(left, "{:?}", line);
        }
    }
}
