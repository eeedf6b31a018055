//! Options that few programs need.

use super::PipelineBuilder;
use crate::kit::Random;
use crate::model::TagKey;
use crate::record::BaggageTags;
use crate::time::Clock;

impl PipelineBuilder {
    /// Makes tags of these members of baggage, on every local root that has them, where the head sampler and the tail
    /// see them. They replace tags of the same name. Default: none. Costs a look-up for each name, and nothing
    /// without baggage.
    ///
    /// Baggage comes from callers and goes to whom the program calls: choose names whose values may be stored.
    ///
    /// ```
    /// use tailtrace::{InMemoryExporter, Pipeline};
    /// let pipeline = Pipeline::builder("shop")
    ///     .with_baggage_tags(["tenant"])
    ///     .with_exporter(InMemoryExporter::new())
    ///     .start()?;
    /// # drop(pipeline);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_baggage_tags(
        mut self,
        names: impl IntoIterator<Item = impl Into<TagKey<'static>>>,
    ) -> Self {
        self.baggage_tags = tags(names, false);
        self
    }

    /// Makes tags of these members of baggage, as [`with_baggage_tags`](Self::with_baggage_tags) does, on every span
    /// that has them. Costs a tag for each span and name.
    pub fn with_baggage_tags_on_every_span(
        mut self,
        names: impl IntoIterator<Item = impl Into<TagKey<'static>>>,
    ) -> Self {
        self.baggage_tags = tags(names, true);
        self
    }

    /// Sets whether backends are told of the decision about each trace, by [tags](crate::Trace::notes) of its local
    /// root such as `tailtrace.kept_by`, and by `tailtrace.unfinished` on spans that are sent open. Default: yes. Costs a tag for each trace that is kept.
    pub fn with_decision_tags(mut self, decision_tags: bool) -> Self {
        self.decision_tags = decision_tags;
        self
    }

    /// Sets where time comes from; for tests. Default: [`Clock::system`].
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Sets where ids come from; for tests. Default: [`Random::thread`].
    pub fn with_random(mut self, random: Random) -> Self {
        self.random = random;
        self
    }
}

fn tags(
    names: impl IntoIterator<Item = impl Into<TagKey<'static>>>,
    on_every_span: bool,
) -> BaggageTags {
    let names = names.into_iter().map(|name| name.into().into_owned()).collect();
    BaggageTags::new(names, on_every_span)
}
