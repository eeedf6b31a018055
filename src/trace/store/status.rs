//! How spans ended.

use super::{Outcome, SpanStore};
use crate::model::{Limits, Status};

impl SpanStore {
    /// Sets the status by OpenTelemetry's order: `Ok` is final, `Unset` changes nothing, the last
    /// error stands.
    pub(crate) fn set_status(&mut self, span: u32, status: Status, limits: &Limits) {
        let Some(record) = self.spans.get_mut(span as usize) else {
            return;
        };
        if record.outcome == Outcome::Ok {
            return;
        }
        match status {
            Status::Unset => {}
            Status::Ok => record.outcome = Outcome::Ok,
            Status::Error { description } => {
                record.outcome = Outcome::Error;
                self.describe(span, &description, limits);
            }
        }
    }

    /// Sets the status to an error unless it is final, with a description unless it has one.
    pub(crate) fn suggest_error(&mut self, span: u32, description: &str, limits: &Limits) {
        self.fail(span);
        let is_error = self.spans.get(span as usize).map(|record| record.outcome);
        let rare = self.details.as_ref().and_then(|details| details.rare.as_ref());
        let is_described = rare.is_some_and(|rare| rare.descriptions.contains_key(&span));
        if is_error == Some(Outcome::Error) && !is_described {
            self.describe(span, description, limits);
        }
    }

    /// Makes the status an error, unless it is final, and leaves its description.
    pub(crate) fn fail(&mut self, span: u32) {
        if let Some(record) = self.spans.get_mut(span as usize)
            && record.outcome != Outcome::Ok
        {
            record.outcome = Outcome::Error;
        }
    }

    fn describe(&mut self, span: u32, description: &str, limits: &Limits) {
        let (most, mut writer) = (limits.text_bytes, self.writer(limits));
        let known = writer.details.rare.as_ref().and_then(|rare| rare.descriptions.get(&span));
        let slice = match known.copied() {
            _ if description.is_empty() => None,
            Some(old) => {
                writer.overwrite(old, description, most).or_else(|| writer.arena(description, most))
            }
            None => writer.arena(description, most),
        };
        let descriptions = &mut writer.details.rare.get_or_insert_default().descriptions;
        match slice {
            Some(slice) => descriptions.insert(span, slice),
            None => descriptions.remove(&span),
        };
    }
}
