//! What a recorder is made of.

use std::sync::Arc;

use crate::kit::Random;
use crate::ledger::Ledger;
use crate::model::Resource;
use crate::record::baggage_tags::BaggageTags;
use crate::record::config::RecordLimits;
use crate::sampling::Sampler;
use crate::tail::TailPolicy;
use crate::time::Clock;
use crate::trace::Trace;

/// What a recorder is made of.
pub(crate) struct RecorderSettings {
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) limits: RecordLimits,
    /// `None` when none was chosen.
    pub(crate) sampler: Option<Arc<dyn Sampler>>,
    pub(crate) tail: Option<Arc<dyn TailPolicy>>,
    /// Whether services keep their traces together, so that what a caller did not sample is recorded.
    pub(crate) is_coherent: bool,
    pub(crate) resource: Arc<Resource>,
    pub(crate) baggage_tags: BaggageTags,
    /// Whether spans that are sent open say so.
    pub(crate) decision_tags: bool,
    /// Whether anything is recorded at all.
    pub(crate) records: bool,
    /// Where kept traces go. Must not block and not run user code.
    pub(crate) sink: Box<dyn Fn(Trace) + Send + Sync>,
}
