//! Key-value pairs that an application sends along with a trace.

use std::{fmt, sync::Arc};

use thiserror::Error;

use super::text::excerpt;
use crate::kit::debug_like_display;

mod codec;
mod entries;
mod reader;

use codec::{encode, encoded_len, is_token};
use entries::Entries;
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
        self.iter().find(|member| member.name == name).map(|member| member.value)
    }

    /// The members in their order.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = BaggageMember<'_>> {
        let (places, text) = self.entries.as_deref().map(Entries::parts).unwrap_or_default();
        places.iter().map(move |place| place.read(text))
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
        let least = name.len().saturating_add(value.len()).saturating_add(metadata.len());
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
        let metadata = if self.metadata.is_empty() { 0 } else { 1 + self.metadata.len() };
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
        f.debug_map().entries(self.iter().map(|member| (member.name, member.value))).finish()
    }
}

/// Why a change to a [`Baggage`] was refused.
#[derive(Clone, PartialEq, Eq, Error)]
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
    #[error("baggage is full with {} members: remove some first", Baggage::MAX_MEMBERS)]
    TooManyMembers,
    /// As a header the baggage would exceed [`Baggage::MAX_BYTES`].
    #[error("baggage would take {0} of at most {max} bytes: remove members or shorten values", max = Baggage::MAX_BYTES)]
    TooLong(usize),
}

debug_like_display!(BaggageError);

#[cfg(test)]
mod tests;
