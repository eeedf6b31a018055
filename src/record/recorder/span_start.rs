//! The properties that a span starts with.

use std::borrow::Cow;
use std::time::SystemTime;

use crate::model::{Baggage, Link, SpanKind, TagValue, TraceContext};
use crate::time::{ClockCorrection, Tick};

/// The properties that a span starts with.
#[derive(Debug)]
pub(crate) struct SpanStart<'a> {
    pub(crate) name: Cow<'static, str>,
    pub(crate) kind: SpanKind,
    pub(crate) parent: Option<&'a TraceContext>,
    pub(crate) start: Option<StartTime>,
    pub(crate) tags: Vec<(Cow<'static, str>, TagValue)>,
    pub(crate) links: Vec<Link>,
    pub(crate) baggage: Baggage,
}

/// The start of a span that did not start now.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StartTime {
    Wall(SystemTime),
    #[cfg_attr(not(feature = "layer"), expect(dead_code, reason = "the layer is its only user"))]
    At(Tick),
}

impl StartTime {
    pub(super) fn tick(self, correction: ClockCorrection) -> Tick {
        match self {
            Self::Wall(time) => Tick::at_wall(time, correction),
            Self::At(tick) => tick,
        }
    }
}

impl<'a> SpanStart<'a> {
    #[inline]
    pub(crate) fn new(name: Cow<'static, str>) -> Self {
        Self {
            name,
            kind: SpanKind::Internal,
            parent: None,
            start: None,
            tags: Vec::new(),
            links: Vec::new(),
            baggage: Baggage::default(),
        }
    }

    #[inline]
    pub(crate) fn under(name: Cow<'static, str>, parent: &'a TraceContext) -> Self {
        Self { parent: Some(parent), baggage: parent.baggage.clone(), ..Self::new(name) }
    }
}
