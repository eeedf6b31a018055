//! Key-value pairs that an application sends along with a trace.

use std::{fmt, sync::Arc};

use thiserror::Error;

use super::text::excerpt;

mod codec;
mod reader;

use codec::{decode_into, encode, encoded_len, is_token, write_properties};
pub(crate) use reader::BaggageReader;

/// Key-value pairs that the application sends along with a trace
/// (OpenTelemetry: baggage).
///
/// Use it for what later services need to know, such as a tenant or a
/// priority; every service on the way can read it, so keep secrets out. It is
/// immutable: changes return a new baggage. A clone costs one atomic
/// increment, an empty baggage no allocation.
///
/// Names are tokens and case-sensitive; values are any text and are
/// percent-encoded on the way. `Display` writes the `baggage` header.
///
/// ```
/// use tailtrace::model::Baggage;
///
/// let baggage = Baggage::new().with("priority", "high")?.with("user", "Zoë; admin")?;
/// assert_eq!(baggage.get("user"), Some("Zoë; admin"));
/// assert_eq!(baggage.to_string(), "priority=high,user=Zo%C3%AB%3B%20admin");
/// # Ok::<(), tailtrace::model::BaggageError>(())
/// ```
///
/// Specification: W3C Baggage; OpenTelemetry, "Baggage API".
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Baggage {
    entries: Option<Arc<Entries>>,
}

impl Baggage {
    /// The most members a baggage holds.
    pub const MAX_MEMBERS: usize = 64;

    /// The most bytes a baggage takes as a header.
    pub const MAX_BYTES: usize = 8192;

    /// The baggage without members.
    #[must_use]
    pub const fn new() -> Self {
        Self { entries: None }
    }

    /// Whether there are no members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_none()
    }

    /// How many members there are, at most [`MAX_MEMBERS`](Self::MAX_MEMBERS).
    #[must_use]
    pub fn len(&self) -> usize {
        self.iter().len()
    }

    /// The value of the member with this name, in the case given.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|member| member.name == name)
            .map(|member| member.value)
    }

    /// The members in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = BaggageMember<'_>> {
        let entries = self.entries.as_deref();
        let members = entries
            .map(|entries| entries.members.as_slice())
            .unwrap_or_default();
        let text = entries
            .map(|entries| entries.text.as_str())
            .unwrap_or_default();
        members.iter().map(move |place| place.read(text))
    }

    /// The baggage with this member, instead of the one it had under the same
    /// name.
    ///
    /// # Errors
    /// If the name is not a token, or the baggage would exceed
    /// [`MAX_MEMBERS`](Self::MAX_MEMBERS) or [`MAX_BYTES`](Self::MAX_BYTES).
    pub fn with(&self, name: &str, value: &str) -> Result<Self, BaggageError> {
        self.with_member(name, value, "")
    }

    /// Like [`with`](Self::with), with metadata: the properties of the member
    /// as the header carries them, such as `ttl=30;private`. Nobody interprets
    /// them on the way.
    ///
    /// Characters that the header does not allow are percent-encoded; `%`
    /// itself is not, as the text may be encoded already.
    ///
    /// # Errors
    /// As [`with`](Self::with), and if the key of a property is not a token.
    pub fn with_metadata(
        &self,
        name: &str,
        value: &str,
        metadata: &str,
    ) -> Result<Self, BaggageError> {
        self.with_member(name, value, metadata)
    }

    fn with_member(&self, name: &str, value: &str, metadata: &str) -> Result<Self, BaggageError> {
        if !is_token(name) {
            return Err(BaggageError::Name(excerpt(name)));
        }
        let least = name
            .len()
            .saturating_add(value.len())
            .saturating_add(metadata.len());
        if least > Self::MAX_BYTES {
            // Refused before it costs a copy.
            return Err(BaggageError::TooLong(least));
        }
        let mut entries = self.entries.as_deref().cloned().unwrap_or_default();
        entries.set(name, |text| text.push_str(value), metadata)?;
        Ok(entries.finish())
    }

    /// The baggage without the member of this name.
    #[must_use]
    pub fn without(&self, name: &str) -> Self {
        match self.entries.as_deref() {
            Some(entries) if self.get(name).is_some() => {
                let mut entries = entries.clone();
                entries.remove(name);
                entries.finish()
            }
            _ => self.clone(),
        }
    }
}

/// One member of a [`Baggage`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BaggageMember<'a> {
    /// The name, a token.
    pub name: &'a str,
    /// The value, decoded.
    pub value: &'a str,
    /// The properties in the form of the header, separated by `;`; empty if
    /// there are none.
    pub metadata: &'a str,
}

impl BaggageMember<'_> {
    fn encoded_len(&self) -> usize {
        let metadata = if self.metadata.is_empty() {
            0
        } else {
            1 + self.metadata.len()
        };
        self.name.len() + 1 + encoded_len(self.value) + metadata
    }
}

impl fmt::Display for BaggageMember<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        f.write_str("=")?;
        encode(self.value, f)?;
        if !self.metadata.is_empty() {
            f.write_str(";")?;
            f.write_str(self.metadata)?;
        }
        Ok(())
    }
}

impl fmt::Display for Baggage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, member) in self.iter().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            member.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Baggage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.iter().map(|member| (member.name, member.value)))
            .finish()
    }
}

/// Why a change to a [`Baggage`] was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BaggageError {
    /// The name, of which this is the start, cannot stand in a header.
    #[error("{0:?} is not a baggage name: use letters, digits and any of !#$%&'*+-.^_`|~")]
    Name(String),
    /// The key of a property, of which this is the start, cannot stand in a
    /// header.
    #[error(
        "{0:?} is not the key of a baggage property: use letters, digits and any of !#$%&'*+-.^_`|~"
    )]
    Metadata(String),
    /// The baggage would have more than [`Baggage::MAX_MEMBERS`] members.
    #[error(
        "baggage is full with {} members: remove some first",
        Baggage::MAX_MEMBERS
    )]
    TooManyMembers,
    /// As a header the baggage would exceed [`Baggage::MAX_BYTES`].
    #[error("baggage would take {0} of at most {max} bytes: remove members or shorten values", max = Baggage::MAX_BYTES)]
    TooLong(usize),
}

/// The members: one text with their names, values and metadata, and where in
/// it each stands.
#[derive(Clone, Default, PartialEq, Eq)]
struct Entries {
    text: String,
    members: Vec<Place>,
}

/// Where the parts of a member stand in the text.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Place {
    start: usize,
    name_end: usize,
    value_end: usize,
    end: usize,
    /// What it takes in the header; kept because a sum over all is needed
    /// whenever one is added.
    encoded_len: usize,
}

impl Place {
    fn read(self, text: &str) -> BaggageMember<'_> {
        let part = |start, end| text.get(start..end).unwrap_or_default();
        BaggageMember {
            name: part(self.start, self.name_end),
            value: part(self.name_end, self.value_end),
            metadata: part(self.value_end, self.end),
        }
    }
}

impl Entries {
    /// Adds a member, or puts it in the place of the one with this name. On an
    /// error nothing changes.
    fn set(
        &mut self,
        name: &str,
        write_value: impl FnOnce(&mut String),
        metadata: &str,
    ) -> Result<(), BaggageError> {
        let start = self.text.len();
        let result = self.write(name, write_value, metadata);
        let result = result.and_then(|place| self.put(name, place));
        if result.is_err() {
            self.text.truncate(start);
        }
        result
    }

    fn write(
        &mut self,
        name: &str,
        write_value: impl FnOnce(&mut String),
        metadata: &str,
    ) -> Result<Place, BaggageError> {
        let start = self.text.len();
        self.text.push_str(name);
        let name_end = self.text.len();
        write_value(&mut self.text);
        let value_end = self.text.len();
        write_properties(metadata, &mut self.text)
            .map_err(|key| BaggageError::Metadata(excerpt(key)))?;
        let mut place = Place {
            start,
            name_end,
            value_end,
            end: self.text.len(),
            encoded_len: 0,
        };
        place.encoded_len = place.read(&self.text).encoded_len();
        Ok(place)
    }

    fn put(&mut self, name: &str, place: Place) -> Result<(), BaggageError> {
        let present = self
            .members
            .iter()
            .position(|place| place.read(&self.text).name == name);
        let others = self
            .members
            .iter()
            .enumerate()
            .filter(|(at, _)| Some(*at) != present);
        let total = others
            .map(|(_, other)| other.encoded_len + 1)
            .sum::<usize>()
            + place.encoded_len;
        if total > Baggage::MAX_BYTES {
            return Err(BaggageError::TooLong(total));
        }
        if let Some(taken) = present.and_then(|at| self.members.get_mut(at)) {
            *taken = place;
        } else if self.members.len() < Baggage::MAX_MEMBERS {
            self.members.push(place);
        } else {
            return Err(BaggageError::TooManyMembers);
        }
        Ok(())
    }

    fn remove(&mut self, name: &str) {
        let Self { text, members } = self;
        members.retain(|place| place.read(text).name != name);
    }

    /// The baggage, with only the text that is still in use and in the order
    /// of the members, so that equal baggage has equal entries.
    fn finish(self) -> Baggage {
        if self.members.is_empty() {
            return Baggage::new();
        }
        let mut at = 0;
        let is_packed = self
            .members
            .iter()
            .all(|place| place.start == std::mem::replace(&mut at, place.end));
        if is_packed && at == self.text.len() {
            return Baggage {
                entries: Some(Arc::new(self)),
            };
        }
        let mut packed = Self::default();
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
        Baggage {
            entries: Some(Arc::new(packed)),
        }
    }
}

#[cfg(test)]
mod tests;
