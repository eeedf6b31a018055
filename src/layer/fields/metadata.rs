//! What a callsite and the calling thread say of a span or an event.

use std::cell::OnceCell;
use std::thread;

use tracing::Metadata;

use super::value_limit::ValueLimit;
use crate::layer::options::RecordingOptions;
use crate::trace::store::PreparedTags;

thread_local! {
    static THREAD: OnceCell<ThreadTags> = const { OnceCell::new() };
}

struct ThreadTags {
    number: i64,
    name: Option<Box<str>>,
}

/// Adds what a span says of itself, before its fields.
pub(super) fn push_of_span(
    tags: &mut PreparedTags,
    metadata: &Metadata<'_>,
    options: &RecordingOptions,
) {
    if options.location {
        push_location(tags, metadata);
    }
    if options.threads {
        push_thread(tags);
    }
    if options.level {
        push_level(tags, metadata);
    }
    if options.target {
        push_target(tags, metadata);
    }
}

/// Adds what an event says of itself, before its fields.
pub(super) fn push_of_event(
    tags: &mut PreparedTags,
    metadata: &Metadata<'_>,
    options: &RecordingOptions,
) {
    if options.event_level {
        push_level(tags, metadata);
    }
    if options.target || options.event_level {
        push_target(tags, metadata);
    }
}

/// Adds where the callsite stands in the source.
pub(super) fn push_location(tags: &mut PreparedTags, metadata: &Metadata<'_>) {
    if let Some(file) = metadata.file() {
        push_text(tags, "code.file.path", file);
    }
    if let Some(module) = metadata.module_path() {
        push_text(tags, "code.module.name", module);
    }
    if let Some(line) = metadata.line() {
        tags.push_i64("code.line.number", line.into());
    }
}

fn push_level(tags: &mut PreparedTags, metadata: &Metadata<'_>) {
    push_text(tags, "level", metadata.level().as_str());
}

fn push_target(tags: &mut PreparedTags, metadata: &Metadata<'_>) {
    push_text(tags, "target", metadata.target());
}

fn push_thread(tags: &mut PreparedTags) {
    // A thread that is ending does not know its name any more.
    let _ = THREAD.try_with(|thread| {
        let thread = thread.get_or_init(|| {
            let current = thread::current();
            ThreadTags { number: number_of(current.id()), name: current.name().map(Box::from) }
        });
        tags.push_i64("thread.id", thread.number);
        if let Some(name) = &thread.name {
            push_text(tags, "thread.name", name);
        }
    });
}

/// The number of a thread, which only its `Debug` tells.
fn number_of(id: thread::ThreadId) -> i64 {
    let text = format!("{id:?}");
    let digits = text.trim_start_matches("ThreadId(").trim_end_matches(')');
    digits.parse().unwrap_or_default()
}

fn push_text(tags: &mut PreparedTags, key: &'static str, value: &str) {
    tags.push_text(key, value, ValueLimit::RECORDER_ONLY.bytes());
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
