//! Roots whose parent may still change.

mod detach;
mod draft;
mod request;
mod sampler_tags;
mod settle;

pub(crate) use detach::DetachedSpan;
pub(crate) use draft::{Draft, DraftStart};
pub(crate) use request::{DraftOutcome, DraftRequest};
