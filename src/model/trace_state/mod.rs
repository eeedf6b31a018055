//! The vendor list that travels with a trace.

use std::{fmt, sync::Arc};

use thiserror::Error;

use super::{
    Randomness, Threshold,
    ot_member::{OT_KEY, OtMember, TooLong},
    text::excerpt,
};
use crate::kit::debug_like_display;

mod member_list;
mod reader;
mod shared_text;

use member_list::{MAX_BYTES, MemberList, is_key, is_value};
pub(crate) use reader::TraceStateReader;
use shared_text::SharedText;

/// The list of vendor members that travels with a trace in the `tracestate`
/// header (OpenTelemetry: `TraceState`).
///
/// It is immutable: changes return a new list. A clone costs one atomic
/// increment, an empty list no allocation. Members keep their order; a changed
/// one moves to the front, because that is where the last writer stands.
///
/// The `ot` member carries what consistent sampling needs; read and write it
/// with [`threshold`](Self::threshold), [`randomness`](Self::randomness) and
/// [`with_threshold`](Self::with_threshold).
///
/// ```
/// use tailtrace::model::TraceState;
///
/// let received: TraceState = "congo=t61rcWkgMzE,ot=th:8".parse()?;
/// assert_eq!(received.get("congo"), Some("t61rcWkgMzE"));
/// assert_eq!(received.threshold().map(|th| th.probability()), Some(0.5));
///
/// let sent = received.insert("rojo", "00f067aa0ba902b7")?;
/// assert_eq!(sent.to_string(), "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE,ot=th:8");
/// # Ok::<(), tailtrace::model::TraceStateError>(())
/// ```
///
/// Specification: W3C Trace Context Level 2, "tracestate Header".
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct TraceState {
    /// The header: checked members, separated by single commas. Neither keys
    /// nor values can hold `,` or `=`, so splitting it needs no parser.
    // Two pointers deep on purpose: a thin handle is what every live trace carries.
    text: Option<Arc<SharedText>>,
}

impl TraceState {
    /// The most members a list holds.
    pub const MAX_MEMBERS: usize = 32;

    /// The most bytes a list takes as a header. Beyond it whole members go:
    /// those over 128 bytes first, then from the right.
    pub const MAX_BYTES: usize = MAX_BYTES;

    /// The list without members.
    #[must_use]
    pub const fn new() -> Self {
        Self { text: None }
    }

    /// Whether there are no members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_none()
    }

    /// How many members there are, at most [`MAX_MEMBERS`](Self::MAX_MEMBERS).
    #[must_use]
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// The list as the header carries it; empty if there are no members.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.text.as_deref().map_or("", |shared| &shared.text)
    }

    /// The value of the member with this key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        // Asked for every trace, and most have no members.
        self.text.as_ref()?;
        self.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// The members as keys and values, the most recently changed first.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.as_str().split(',').filter_map(|member| member.split_once('='))
    }

    /// The list with this member in front, instead of the one it had under the
    /// same key. If that makes too many, the last ones go.
    ///
    /// # Errors
    /// If the key or the value breaks the rules of the header.
    pub fn insert(&self, key: &str, value: &str) -> Result<Self, TraceStateError> {
        if !is_key(key.as_bytes()) {
            return Err(TraceStateError::Key(excerpt(key)));
        }
        if !is_value(value.as_bytes()) {
            return Err(TraceStateError::Value(excerpt(value)));
        }
        Ok(self.with_member(key, value))
    }

    /// The list without the member with this key.
    ///
    /// Use it for keys that your own system writes; those of others should
    /// travel on.
    #[must_use]
    pub fn remove(&self, key: &str) -> Self {
        if self.get(key).is_none() {
            return self.clone();
        }
        let mut list = MemberList::default();
        for (name, value) in self.iter().filter(|(name, _)| *name != key) {
            list.push(name, value);
        }
        Self { text: list.into_shared() }
    }

    /// The sampling threshold that was applied to the trace so far: `th` of
    /// the `ot` member. `None` if it is absent or malformed: then it is not
    /// known how many traces this one stands for.
    #[must_use]
    pub fn threshold(&self) -> Option<Threshold> {
        OtMember::parse(self.get(OT_KEY)?)?.threshold()
    }

    /// The randomness of the trace if its origin wrote it down: `rv` of the
    /// `ot` member. `None` means that the trace id is random itself; see
    /// [`Randomness::from_trace_id_bits`].
    #[must_use]
    pub fn randomness(&self) -> Option<Randomness> {
        OtMember::parse(self.get(OT_KEY)?)?.randomness()
    }

    /// The list with `th` of the `ot` member set, or erased by `None`.
    ///
    /// The randomness and unknown sub-keys stay. A malformed `ot` value is
    /// replaced. If the value would exceed 256 characters, the list is
    /// returned as it was.
    #[must_use]
    pub fn with_threshold(&self, threshold: Option<Threshold>) -> Self {
        if self.is_empty() {
            return threshold.map(Self::of_threshold).unwrap_or_default();
        }
        let present = self.get(OT_KEY);
        let value = present.and_then(OtMember::parse).unwrap_or_default();
        if value.says(threshold) && (present.is_none() || !value.is_empty()) {
            return self.clone();
        }
        match value.with_threshold(threshold) {
            Ok(changed) if changed.is_empty() => self.remove(OT_KEY),
            Ok(changed) => self.with_member(OT_KEY, &changed),
            Err(TooLong) => self.clone(),
        }
    }

    /// The memory that the list takes, once for all that share it.
    pub(crate) fn bytes(&self) -> usize {
        self.text.as_ref().map_or(0, |text| text.bytes())
    }

    /// The member that samplers write, as it stands in the header; empty if there is none.
    pub(crate) fn own_member(&self) -> &str {
        let is_own = |member: &&str| member.split_once('=').is_some_and(|(key, _)| key == OT_KEY);
        self.as_str().split(',').find(is_own).unwrap_or_default()
    }

    /// The list without the members of other systems.
    pub(crate) fn without_foreign(&self) -> Self {
        let own = self.own_member();
        if own.is_empty() {
            return Self::default();
        }
        if own.len() == self.as_str().len() {
            return self.clone();
        }
        Self { text: Some(Arc::new(SharedText::new(own))) }
    }

    /// The list of a trace that has randomness of its own.
    pub(in crate::model) fn of_randomness(randomness: Randomness) -> Self {
        Self { text: Some(Arc::new(SharedText::new(format!("ot=rv:{randomness}")))) }
    }

    /// What a sampler makes for every new trace, so it costs one allocation.
    fn of_threshold(threshold: Threshold) -> Self {
        if threshold == Threshold::ALWAYS {
            return Self { text: Some(Arc::new(SharedText::new("ot=th:0"))) };
        }
        const PREFIX: &[u8] = b"ot=th:";
        let digits = threshold.text();
        let mut text = [0; 20];
        let bytes = PREFIX.iter().chain(digits.as_str().as_bytes());
        let mut len = 0;
        for (slot, byte) in text.iter_mut().zip(bytes) {
            *slot = *byte;
            len += 1;
        }
        let text = text.get(..len).and_then(|text| str::from_utf8(text).ok());
        Self { text: text.map(|text| Arc::new(SharedText::new(text))) }
    }

    /// Puts a checked member in front.
    fn with_member(&self, key: &str, value: &str) -> Self {
        let mut list = MemberList::default();
        list.reserve(key.len() + 1 + value.len() + 1 + self.as_str().len());
        list.push(key, value);
        for (name, value) in
            self.iter().filter(|(name, _)| *name != key).take(Self::MAX_MEMBERS - 1)
        {
            list.push(name, value);
        }
        Self { text: list.into_shared() }
    }
}

impl fmt::Display for TraceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for TraceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// Why a tracestate, or a change to one, was refused. Holds the start of the
/// offending text.
#[derive(Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TraceStateError {
    /// The key breaks the rules.
    #[error(
        "{0:?} is not a tracestate key: use 1 to 256 of a-z 0-9 _ - * / @, the first a letter or digit"
    )]
    Key(String),
    /// The value breaks the rules.
    #[error(
        "{0:?} is not a tracestate value: use 1 to 256 printable ASCII characters without ',' and '=', the last no space"
    )]
    Value(String),
    /// The member has no `=`.
    #[error("{0:?} is not a tracestate member: use key=value")]
    Member(String),
    /// There are more members than the header may have.
    #[error("a tracestate has more than 32 members: send fewer")]
    TooManyMembers,
}

debug_like_display!(TraceStateError);

#[cfg(test)]
mod tests;
