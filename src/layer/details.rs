//! What is known of a span or an event besides its fields.

use std::cell::OnceCell;
use std::thread;

use tracing::Metadata;

use super::builder::Options;
use super::scratch::Scratch;

thread_local! {
    static THREAD: OnceCell<(i64, Option<Box<str>>)> = const { OnceCell::new() };
}

/// How long the texts may be that come from the program's source and the names of its threads: their
/// number is bounded, so the recorder may cut them.
const MOST: usize = usize::MAX / 2;

/// Adds what a span says of itself, before its fields.
pub(super) fn of_span(scratch: &mut Scratch, metadata: &Metadata<'_>, options: &Options) {
    if options.location {
        location(scratch, metadata);
    }
    if options.threads {
        this_thread(scratch);
    }
    if options.level {
        level(scratch, metadata);
    }
    if options.target {
        target(scratch, metadata);
    }
}

/// Adds what an event says of itself before its fields.
pub(super) fn before_event(scratch: &mut Scratch, metadata: &Metadata<'_>, options: &Options) {
    if options.event_level {
        level(scratch, metadata);
    }
    if options.target {
        target(scratch, metadata);
    }
}

/// Adds where it stands in the source.
pub(super) fn location(scratch: &mut Scratch, metadata: &Metadata<'_>) {
    if let Some(file) = metadata.file() {
        text(scratch, "code.file.path", file);
    }
    if let Some(module) = metadata.module_path() {
        text(scratch, "code.module.name", module);
    }
    if let Some(line) = metadata.line() {
        scratch.tags.push_i64("code.line.number", line.into());
    }
}

fn level(scratch: &mut Scratch, metadata: &Metadata<'_>) {
    text(scratch, "level", metadata.level().as_str());
}

fn target(scratch: &mut Scratch, metadata: &Metadata<'_>) {
    text(scratch, "target", metadata.target());
}

fn this_thread(scratch: &mut Scratch) {
    // A thread that is ending does not know its name any more.
    let _ = THREAD.try_with(|this| {
        let (id, name) = this.get_or_init(|| {
            let this = thread::current();
            (number_of(this.id()), this.name().map(Box::from))
        });
        scratch.tags.push_i64("thread.id", *id);
        if let Some(name) = name {
            text(scratch, "thread.name", name);
        }
    });
}

/// The number of a thread, which only its `Debug` tells.
fn number_of(id: thread::ThreadId) -> i64 {
    let text = format!("{id:?}");
    let digits = text.trim_start_matches("ThreadId(").trim_end_matches(')');
    digits.parse().unwrap_or_default()
}

fn text(scratch: &mut Scratch, key: &'static str, value: &str) {
    scratch.tags.push_text(key, value, MOST);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_have_different_numbers() {
        let here = number_of(thread::current().id());
        let there = thread::spawn(|| number_of(thread::current().id())).join().unwrap();
        assert!(here > 0 && there > 0 && here != there);
    }
}
