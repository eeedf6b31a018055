//! Key-value pairs that an application sends along with a trace.

use std::{fmt, sync::Arc};

use super::text::excerpt;

mod codec;
mod entries;
mod error;
mod limits;
mod member;
mod properties;
mod reader;

use codec::is_token;
use entries::Entries;
pub use error::BaggageError;
use limits::{MAX_BYTES, MAX_MEMBERS};
pub use member::BaggageMember;
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
    pub const MAX_MEMBERS: usize = MAX_MEMBERS;

    /// The most bytes a baggage takes as a header.
    pub const MAX_BYTES: usize = MAX_BYTES;

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
    /// as the header carries them, such as `ttl=30;private`. No service
    /// interprets them on the way.
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

    /// The memory that the members take, once for all that share them.
    pub(crate) fn bytes(&self) -> usize {
        self.entries.as_deref().map_or(0, Entries::bytes)
    }

    /// What tells shared members from others that are equal; 0 without members.
    pub(crate) fn address(&self) -> usize {
        self.entries.as_ref().map_or(0, |entries| Arc::as_ptr(entries).addr())
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
        let write_value = |text: &mut String, _| {
            text.push_str(value);
            Ok(())
        };
        entries.set(name, write_value, metadata)?;
        Ok(Self { entries: entries.into_changed(self.entries.as_deref()) })
    }

    /// The baggage without the member of this name.
    #[must_use]
    pub fn without(&self, name: &str) -> Self {
        match self.entries.as_deref() {
            Some(entries) if self.get(name).is_some() => {
                let mut entries = entries.clone();
                entries.remove(name);
                Self { entries: entries.into_changed(self.entries.as_deref()) }
            }
            _ => self.clone(),
        }
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

#[cfg(test)]
mod tests;
