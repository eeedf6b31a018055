//! The head decision: what to record, asked once per local trace before its first span exists.
//!
//! At the root of the crate: [`Sampler`], [`SamplingRequest`],
//! [`SamplingResult`], [`SamplingDecision`], and the samplers
//! [`AlwaysOn`], [`AlwaysOff`], [`FixedRateSampler`],
//! [`AdaptiveSampler`](crate::AdaptiveSampler) and [`ParentBasedSampler`]. All other names
//! of the head are here.
//!
//! A [`Sampler`] sees what is known when a local root starts and says [`Drop`](SamplingDecision::Drop)
//! (record nothing), [`Record`](SamplingDecision::Record) (the tail decides) or
//! [`Sample`](SamplingDecision::Sample) (keep,
//! whatever the tail says, unless a policy drops on purpose). Without a tail, what is only recorded
//! would be thrown away, so the pipeline does not record it.

pub(crate) mod adaptive;
pub(crate) mod always;
pub(crate) mod decision;
pub(crate) mod fixed_rate;
pub(crate) mod parent_based;
mod priority;
mod rate_limiting;
pub(crate) mod request;
mod rule_based;
pub(crate) mod sampler;

pub use crate::model::priority::PrioritySampler;
pub use always::AlwaysRecord;
pub(crate) use always::{AlwaysOff, AlwaysOn};
pub(crate) use decision::{SamplingDecision, SamplingResult};
pub(crate) use fixed_rate::FixedRateSampler;
pub(crate) use parent_based::ParentBasedSampler;
pub use rate_limiting::RateLimitingSampler;
pub(crate) use request::SamplingRequest;
pub use rule_based::{Rule, RuleBasedSampler};
pub(crate) use sampler::Sampler;
