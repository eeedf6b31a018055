//! The length limits of a pipeline on spans that the SDK made.

use std::borrow::Cow;

use opentelemetry::trace::Status as OtelStatus;
use opentelemetry::{Array, Key, KeyValue, StringValue, Value};

use super::release_line::SpanData;
use crate::model::Limits;

/// Cuts the texts of a span that are too long, and leaves out what is too much of a list, as the recorder does with
/// spans of ours; how many values were cut.
///
/// For spans that may have such texts by their size: it looks at every value.
#[cold]
pub(super) fn cut(data: &mut SpanData, limits: &Limits) -> u64 {
    let mut cutter = Cutter { limits, cut: 0 };
    cutter.text(&mut data.name);
    if let OtelStatus::Error { description } = &mut data.status {
        cutter.text(description);
    }
    cutter.tags(&mut data.attributes);
    for event in &mut data.events.events {
        cutter.text(&mut event.name);
        cutter.tags(&mut event.attributes);
    }
    for link in &mut data.links.links {
        cutter.tags(&mut link.attributes);
    }
    cutter.cut
}

struct Cutter<'a> {
    limits: &'a Limits,
    cut: u64,
}

impl Cutter<'_> {
    fn tags(&mut self, tags: &mut [KeyValue]) {
        let Limits { text_bytes, value_bytes, .. } = *self.limits;
        for tag in tags {
            if let Some(key) = shorter(tag.key.as_str(), text_bytes) {
                tag.key = Key::from(key);
                self.cut += 1;
            }
            match &mut tag.value {
                Value::String(text) => self.value(text, value_bytes),
                Value::Array(list) => self.list(list),
                _ => {}
            }
        }
    }

    fn text(&mut self, text: &mut Cow<'static, str>) {
        if let Some(short) = shorter(text, self.limits.text_bytes) {
            *text = Cow::Owned(short);
            self.cut += 1;
        }
    }

    fn value(&mut self, text: &mut StringValue, most: u32) {
        if let Some(short) = shorter(text.as_str(), most) {
            *text = StringValue::from(short);
            self.cut += 1;
        }
    }

    fn list(&mut self, list: &mut Array) {
        let most = self.limits.list_bytes as usize;
        // No match: the type of older lines has no other variants, and that of newer ones may have.
        let is_shorter = if let Array::Bool(values) = list {
            truncate(values, most)
        } else if let Array::I64(values) = list {
            truncate(values, most / size_of::<i64>())
        } else if let Array::F64(values) = list {
            truncate(values, most / size_of::<f64>())
        } else if let Array::String(values) = list {
            let value_bytes = self.limits.value_bytes;
            values.iter_mut().for_each(|text| self.value(text, value_bytes));
            let mut bytes = 0_usize;
            let fit = values.iter().take_while(|text| {
                bytes += size_of::<StringValue>() + text.as_str().len();
                bytes <= most
            });
            let fit = fit.count();
            truncate(values, fit)
        } else {
            false
        };
        self.cut += u64::from(is_shorter);
    }
}

/// Leaves out what comes behind the first `most` values; whether there was any.
fn truncate<T>(values: &mut Vec<T>, most: usize) -> bool {
    let is_longer = values.len() > most;
    if is_longer {
        values.truncate(most);
        // The memory of what is left out goes too.
        values.shrink_to_fit();
    }
    is_longer
}

/// The text up to `most` bytes, cut at a character; `None` where it is no longer than that.
fn shorter(text: &str, most: u32) -> Option<String> {
    let mut end = most as usize;
    if text.len() <= end {
        return None;
    }
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Some(text[..end].to_owned())
}
