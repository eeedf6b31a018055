//! The spans of a trace as one would write them down without thinking of memory.

use super::*;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Log {
    pub(super) time: Tick,
    pub(super) level: LogLevel,
    pub(super) message: String,
    pub(super) fields: Vec<(String, TagValue)>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Span {
    pub(super) id: SpanId,
    pub(super) parent: Option<SpanId>,
    pub(super) start: Tick,
    pub(super) end: Option<Tick>,
    pub(super) name: String,
    pub(super) kind: SpanKind,
    pub(super) status: Status,
    /// Whether an error was logged.
    pub(super) is_marked_failed: bool,
    pub(super) tags: Vec<(String, TagValue)>,
    pub(super) logs: Vec<Log>,
    pub(super) links: Vec<Link>,
    pub(super) dropped: DropCounts,
}

#[derive(Clone, Debug)]
pub(super) struct Naive {
    pub(super) limits: Limits,
    pub(super) spans: Vec<Span>,
    pub(super) cut_values: u32,
}

impl Naive {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, spans: Vec::new(), cut_values: 0 }
    }

    fn text(&mut self, text: &str) -> String {
        self.within(text, self.limits.text_bytes)
    }

    /// The longest beginning of whole characters within the limit.
    fn within(&mut self, text: &str, most: u32) -> String {
        let mut kept = String::new();
        for character in text.chars() {
            if kept.len() + character.len_utf8() > most as usize {
                break;
            }
            kept.push(character);
        }
        self.cut_values += u32::from(kept != text);
        kept
    }

    fn value(&mut self, value: &TagValue) -> TagValue {
        let most = self.limits.value_bytes as usize;
        let most_of_list = self.limits.list_bytes as usize;
        let kept = match value {
            TagValue::String(text) => {
                return TagValue::String(self.within(text, self.limits.value_bytes));
            }
            TagValue::Bytes(bytes) => bytes.iter().copied().take(most).collect::<Vec<u8>>().into(),
            TagValue::I64Array(numbers) => {
                TagValue::I64Array(numbers.iter().copied().take(most_of_list / 8).collect())
            }
            TagValue::StringArray(texts) => {
                // The length limit is that of each text; in the list it costs its place and its bytes.
                let cut_texts: Vec<String> =
                    texts.iter().map(|text| cut(text, most).to_owned()).collect();
                let texts = &cut_texts;
                let fits = |count: &usize| {
                    let texts = texts.iter().take(*count);
                    texts.map(|text| 24 + text.len()).sum::<usize>() <= most_of_list
                };
                let whole = (0..=texts.len()).filter(fits).max().unwrap();
                let used: usize = texts.iter().take(whole).map(|text| 24 + text.len()).sum();
                let mut kept: Vec<String> = texts.iter().take(whole).cloned().collect();
                if let (Some(next), Some(rest)) =
                    (texts.get(whole), (most_of_list - used).checked_sub(24))
                {
                    kept.push(cut(next, rest).to_owned());
                }
                TagValue::StringArray(kept)
            }
            other => other.clone(),
        };
        self.cut_values += u32::from(kept != *value);
        kept
    }

    /// False when it was dropped.
    fn put(
        &mut self,
        pairs: &mut Vec<(String, TagValue)>,
        key: &str,
        value: &TagValue,
        limit: u16,
    ) -> bool {
        if let Some(at) = pairs.iter().position(|(known, _)| known == key) {
            pairs[at].1 = self.value(value);
        } else if pairs.len() < usize::from(limit) {
            let value = self.value(value);
            let key = self.text(key);
            pairs.push((key, value));
        } else {
            return false;
        }
        true
    }

    pub(super) fn push(&mut self, number: u64, parent: Option<SpanId>, name: &str) {
        let name = self.text(name);
        self.spans.push(Span {
            id: id(number),
            parent,
            start: at(number),
            end: None,
            name,
            kind: SpanKind::Internal,
            status: Status::Unset,
            is_marked_failed: false,
            tags: Vec::new(),
            logs: Vec::new(),
            links: Vec::new(),
            dropped: DropCounts::default(),
        });
    }

    pub(super) fn tag(&mut self, span: usize, key: &str, value: &TagValue) {
        let mut tags = std::mem::take(&mut self.spans[span].tags);
        let stored = self.put(&mut tags, key, value, self.limits.tags);
        self.spans[span].tags = tags;
        self.spans[span].dropped.tags += u32::from(!stored);
    }

    pub(super) fn log(
        &mut self,
        span: usize,
        time: Tick,
        level: LogLevel,
        message: &str,
        fields: &[(String, TagValue)],
    ) {
        let target = &mut self.spans[span];
        target.is_marked_failed |= level == LogLevel::Error;
        if target.logs.len() >= usize::from(self.limits.logs) {
            target.dropped.logs += 1;
            let lesser = target.logs.iter().position(|log| log.level < level);
            match lesser {
                Some(lesser) if level == LogLevel::Error => drop(target.logs.remove(lesser)),
                _ => return,
            }
        }
        let message = self.text(message);
        let mut kept = Vec::new();
        for (key, value) in fields {
            let stored = self.put(&mut kept, key, value, self.limits.fields_per_log);
            self.spans[span].dropped.tags += u32::from(!stored);
        }
        self.spans[span].logs.push(Log { time, level, message, fields: kept });
    }

    pub(super) fn link(&mut self, span: usize, link: &Link) {
        if self.spans[span].links.len() >= usize::from(self.limits.links) {
            self.spans[span].dropped.links += 1;
            return;
        }
        let mut tags = Vec::new();
        for (key, value) in &link.tags {
            let stored = self.put(&mut tags, key, value, self.limits.tags_per_link);
            self.spans[span].dropped.tags += u32::from(!stored);
        }
        self.spans[span].links.push(Link {
            context: link.context.clone(),
            tags: tags.into_iter().map(|(k, v)| (k.into(), v)).collect(),
        });
    }

    pub(super) fn status(&mut self, span: usize, status: Status) {
        if self.spans[span].status == Status::Ok || status == Status::Unset {
            return;
        }
        self.spans[span].status = match status {
            Status::Error { description } => Status::error(self.text(&description)),
            other => other,
        };
    }

    pub(super) fn set_name(&mut self, span: usize, name: &str) {
        self.spans[span].name = self.text(name);
    }

    pub(super) fn finish(&mut self, span: usize, end: Tick) {
        let span = &mut self.spans[span];
        span.end = span.end.or(Some(end.max(span.start)));
    }
}

/// What can be read out of a store.
pub(super) fn read(store: &RecordedSpans) -> Vec<Span> {
    store
        .indexed()
        .map(|(index, record)| {
            let own = |pairs: &mut dyn Iterator<Item = (&str, TagRef<'_>)>| {
                pairs.map(|(key, value)| (key.to_owned(), value.to_value())).collect::<Vec<_>>()
            };
            let logs = store.logs(record).map(|log| Log {
                time: log.time,
                level: log.level,
                message: store.message(log).to_owned(),
                fields: own(&mut store.fields(log)),
            });
            let links = store.links(index).map(|link| Link {
                context: link.context.clone(),
                tags: own(&mut store.link_tags(link))
                    .into_iter()
                    .map(|(key, value)| (key.into(), value))
                    .collect(),
            });
            Span {
                id: record.id,
                parent: record.parent,
                start: record.start,
                end: record.end(),
                name: store.name(record).to_owned(),
                kind: record.kind,
                status: store.status(index),
                is_marked_failed: record.is_marked_failed,
                tags: own(&mut store.tags(record)),
                logs: logs.collect(),
                links: links.collect(),
                dropped: store.dropped_of(index),
            }
        })
        .collect()
}

/// The first start and the last end, and whether a span has failed, found by a look at each span.
pub(super) fn summary(spans: &[Span]) -> (Option<(Tick, Tick)>, bool) {
    let start = spans.iter().map(|span| span.start).min();
    let end = spans.iter().filter_map(|span| span.end).max();
    let failed = |span: &Span| span.is_marked_failed || span.status.is_error();
    (start.zip(end), spans.iter().any(failed))
}
