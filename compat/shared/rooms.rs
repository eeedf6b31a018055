//! The rooms of tailtrace, by the names that the adapter calls them.
//!
//! The adapter is the main crate's source and writes `crate::model::TraceContext`. In the main crate that
//! path leads into the room. Outside of it some names of a room are public at the root or in
//! `tailtrace::adapter`; this file gives them back to their rooms. A name that the adapter begins to use is
//! added here.

pub(crate) use tailtrace::time;

pub(crate) mod delivery {
    pub(crate) use tailtrace::adapter::may_block;
    pub(crate) use tailtrace::delivery::*;
}

pub(crate) mod export {
    pub(crate) use tailtrace::Exporter;
    pub(crate) use tailtrace::export::*;
}

pub(crate) mod model {
    pub(crate) use tailtrace::adapter::TagKey;
    pub(crate) use tailtrace::model::*;
    pub(crate) use tailtrace::{
        Incoming, LogLevel, SpanId, SpanKind, Status, TagValue, TraceContext, TraceId,
    };
}

pub(crate) mod pipeline {
    pub(crate) use tailtrace::Pipeline;
    pub(crate) use tailtrace::pipeline::*;
}

pub(crate) mod propagation {
    pub(crate) use tailtrace::propagation::*;
}

pub(crate) mod record {
    pub(crate) use tailtrace::adapter::{Ended, Intake, SpanWriter, Started};

    pub(crate) mod bridge {
        pub(crate) use tailtrace::adapter::{
            BridgedParent, BridgedSpan, BridgedSpanId, ContextBridge, ContextLock, is_own_work,
        };
    }
}

pub(crate) mod sampling {
    pub(crate) use tailtrace::{Sampler, SamplingDecision, SamplingRequest, SamplingResult};
}

pub(crate) mod trace {
    pub(crate) use tailtrace::adapter::{
        Original, Outline, PackedOriginal, PackedOriginals, SpanMut,
    };
    pub(crate) use tailtrace::trace::*;
    pub(crate) use tailtrace::{Span, SpanRef, Trace};
}
