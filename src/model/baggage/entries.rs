//! How the members of a baggage lie in memory.

use std::sync::Arc;

use super::error::BaggageError;
use super::limits::{MAX_BYTES, MAX_MEMBERS};
use super::member::BaggageMember;
use super::properties::{PropertyError, write_properties};
use crate::kit::carried::CarriedBytes;
use crate::model::text::excerpt;

/// The members: one text with their names, values and metadata, and where in
/// it each stands.
#[derive(Clone, Default)]
pub(super) struct Entries {
    text: String,
    members: Vec<Place>,
    /// What they take in the header, each with a comma.
    encoded_len: usize,
    carried: CarriedBytes,
}

/// Where the parts of a member stand in the text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    start: usize,
    name_end: usize,
    value_end: usize,
    end: usize,
    /// What it takes in the header.
    encoded_len: usize,
}

impl Place {
    pub(super) fn read(self, text: &str) -> BaggageMember<'_> {
        let part = |start, end| text.get(start..end).unwrap_or_default();
        BaggageMember {
            name: part(self.start, self.name_end),
            value: part(self.name_end, self.value_end),
            metadata: part(self.value_end, self.end),
        }
    }
}

impl PartialEq for Entries {
    fn eq(&self, other: &Self) -> bool {
        (&self.text, &self.members) == (&other.text, &other.members)
    }
}

impl Eq for Entries {}

impl Entries {
    /// Where each member stands, and in what.
    pub(super) fn parts(&self) -> (&[Place], &str) {
        (&self.members, &self.text)
    }

    /// Makes room for this much more text at once.
    pub(super) fn reserve(&mut self, bytes: usize) {
        self.text.reserve_exact(bytes);
    }

    /// Adds a member, or puts it in the place of the one with this name. On an
    /// error nothing changes. The value may take so many bytes in the header as `write_value` is told, and says with
    /// how many it takes more.
    pub(super) fn set(
        &mut self,
        name: &str,
        write_value: impl FnOnce(&mut String, usize) -> Result<(), usize>,
        metadata: &str,
    ) -> Result<(), BaggageError> {
        let start = self.text.len();
        let present = self.position(name);
        let freed =
            present.and_then(|at| self.members.get(at)).map_or(0, |old| old.encoded_len + 1);
        let others = self.encoded_len - freed;
        let write_value = |text: &mut String| {
            let result = write_value(text, MAX_BYTES.saturating_sub(others));
            result.map_err(|len| BaggageError::TooLong(others + len))
        };
        let result = self.write(name, write_value, metadata);
        let result = result.and_then(|place| self.put(present, others, place));
        if result.is_err() {
            self.text.truncate(start);
        }
        result
    }

    fn write(
        &mut self,
        name: &str,
        write_value: impl FnOnce(&mut String) -> Result<(), BaggageError>,
        metadata: &str,
    ) -> Result<Place, BaggageError> {
        let start = self.text.len();
        self.text.push_str(name);
        let name_end = self.text.len();
        write_value(&mut self.text)?;
        let value_end = self.text.len();
        write_properties(metadata, MAX_BYTES, &mut self.text).map_err(|error| match error {
            PropertyError::Key(key) => BaggageError::Metadata(excerpt(key)),
            PropertyError::TooLong(len) => BaggageError::TooLong(len),
        })?;
        let mut place = Place { start, name_end, value_end, end: self.text.len(), encoded_len: 0 };
        place.encoded_len = place.read(&self.text).encoded_len();
        Ok(place)
    }

    fn put(
        &mut self,
        present: Option<usize>,
        others: usize,
        place: Place,
    ) -> Result<(), BaggageError> {
        let taken = present.and_then(|at| self.members.get_mut(at));
        let total = others + place.encoded_len;
        if total > MAX_BYTES {
            return Err(BaggageError::TooLong(total));
        }
        if let Some(taken) = taken {
            *taken = place;
        } else if self.members.len() < MAX_MEMBERS {
            self.members.push(place);
        } else {
            return Err(BaggageError::TooManyMembers);
        }
        self.encoded_len = total + 1;
        Ok(())
    }

    fn position(&self, name: &str) -> Option<usize> {
        // Compared as bytes, and lengths first: a header may bring 64 names.
        let text = self.text.as_bytes();
        let is_it = |place: &Place| {
            place.name_end - place.start == name.len()
                && text.get(place.start..place.name_end) == Some(name.as_bytes())
        };
        self.members.iter().position(is_it)
    }

    pub(super) fn remove(&mut self, name: &str) {
        if let Some(at) = self.position(name) {
            let place = self.members.remove(at);
            self.encoded_len -= place.encoded_len + 1;
        }
    }

    pub(super) fn sort_by_name(&mut self) {
        let text = &self.text;
        // Names are unique, so that stability does not matter.
        self.members.sort_unstable_by_key(|place| place.read(text).name);
    }

    /// The entries to share, with only the text that is still in use and in the
    /// order of the members, so that equal baggage has equal entries. `None`
    /// without members.
    pub(super) fn into_shared(self) -> Option<Arc<Self>> {
        self.into_shared_as(CarriedBytes::of)
    }

    /// The same of members that the program changed since they were `before`.
    pub(super) fn into_changed(self, before: Option<&Self>) -> Option<Arc<Self>> {
        let nothing = CarriedBytes::default();
        let before = before.map_or(&nothing, |before| &before.carried);
        self.into_shared_as(|bytes| CarriedBytes::changed(bytes, before))
    }

    fn into_shared_as(self, carried: impl FnOnce(usize) -> CarriedBytes) -> Option<Arc<Self>> {
        if self.members.is_empty() {
            return None;
        }
        let mut at = 0;
        let is_packed =
            self.members.iter().all(|place| place.start == std::mem::replace(&mut at, place.end));
        if is_packed && at == self.text.len() {
            return Some(self.shared(carried));
        }
        let mut packed = Self { encoded_len: self.encoded_len, ..Self::default() };
        for place in &self.members {
            let member = place.read(&self.text);
            let start = packed.text.len();
            let shift = |end: usize| end - place.start + start;
            packed.members.push(Place {
                start,
                name_end: shift(place.name_end),
                value_end: shift(place.value_end),
                end: shift(place.end),
                encoded_len: place.encoded_len,
            });
            packed.text.push_str(member.name);
            packed.text.push_str(member.value);
            packed.text.push_str(member.metadata);
        }
        Some(packed.shared(carried))
    }

    fn shared(mut self, carried: impl FnOnce(usize) -> CarriedBytes) -> Arc<Self> {
        self.members.shrink_to_fit();
        self.carried = carried(self.bytes());
        Arc::new(self)
    }

    /// The memory that they take.
    pub(super) fn bytes(&self) -> usize {
        let members = self.members.capacity() * size_of::<Place>();
        self.text.capacity() + members + size_of::<Self>() + 6 * size_of::<usize>()
    }
}
