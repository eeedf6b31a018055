//! The tail decision: what to keep, asked when a local trace is complete.
//!
//! At the root of the crate: [`TailSampler`], [`TailPolicy`],
//! [`Verdict`], [`TraceView`](crate::TraceView), and the policies [`Errors`](crate::Errors),
//! [`SlowerThan`](crate::SlowerThan) and [`Fraction`](crate::Fraction). All other names of the tail are here.
//!
//! A [`TailPolicy`] sees the whole local trace and keeps it, drops it on purpose, or has no opinion.
//! [`TailSampler`] combines several. All policies, with when to use each and the collector's beside it, are in
//! the chapter [tail sampling](crate::manual::tail_sampling).

mod all;
mod any;
mod combined_policy;
mod drop_if;
pub(crate) mod errors;
mod evaluation_order;
mod first_match;
pub(crate) mod fraction;
mod has_log;
mod not;
pub(crate) mod panicked;
mod per_second;
pub(crate) mod policy;
mod priority;
mod root_named;
pub(crate) mod sampler;
pub(crate) mod slower_than;
mod slowest;
mod span_count;
mod tag_equals;
mod tag_in_range;
mod tag_matches;
pub(crate) mod verdict;

#[cfg(test)]
mod test_traces;

pub use all::All;
pub use any::Any;
pub use drop_if::DropIf;
pub use errors::ErrorsByStatus;
pub use evaluation_order::EvaluationOrder;
pub use first_match::FirstMatch;
pub use has_log::HasLog;
pub use not::Not;
pub use per_second::{PerSecond, SpansPerSecond};
pub use policy::Named;
pub(crate) use policy::TailPolicy;
pub use root_named::RootNamed;
pub(crate) use sampler::TailSampler;
pub use slower_than::SpanSlowerThan;
pub use slowest::Slowest;
pub use span_count::SpanCount;
pub use tag_equals::TagEquals;
pub use tag_in_range::{Number, TagInRange};
pub use tag_matches::TagMatches;
pub use verdict::TailDecision;
pub(crate) use verdict::Verdict;
