//! What a soak measures.

use std::time::Duration;

use tailtrace::Pipeline;

/// The most bytes that the heap may grow by in an hour.
const MOST_AN_HOUR: f64 = 1024.0 * 1024.0;

/// The fewest samples of a floor.
const FEWEST: usize = 4;

/// How often a snapshot that was taken in the middle of a move is taken again.
const TRIES: usize = 10_000;

pub(crate) struct Samples {
    /// How long the run takes.
    length: Duration,
    /// Seconds, and bytes of the heap at rest.
    heap: Vec<(f64, f64)>,
    accounts: u64,
}

impl Samples {
    pub(crate) fn new(length: Duration, apart: Duration) -> Self {
        let most = length.as_secs() / apart.as_secs() + 2;
        Self { length, heap: Vec::with_capacity(most as usize), accounts: 0 }
    }

    /// How long pools and buffers have to find their sizes.
    pub(crate) fn warm_up(&self) -> Duration {
        self.length / 5
    }

    /// Every span that was started is in a column.
    pub(crate) fn check_accounts(&mut self, pipelines: &[&Pipeline]) {
        for pipeline in pipelines {
            // Exporters are at work: a snapshot may see a span on its way from one column to another.
            let balanced = (0..TRIES).any(|_| pipeline.stats().balances());
            assert!(balanced, "spans are unaccounted for: {}", pipeline.stats());
        }
        self.accounts += 1;
    }

    /// Everything is at rest.
    pub(crate) fn measure(&mut self, at: Duration, heap: usize, pipelines: &[&Pipeline]) {
        self.heap.push((at.as_secs_f64(), heap as f64));
        let stats = pipelines.iter().map(|pipeline| pipeline.stats());
        let (started, exported) = stats.fold((0, 0), |(started, exported), stats| {
            (started + stats.started, exported + stats.exported)
        });
        println!(
            "{:>5} s: {started:>8} spans, {exported:>7} exported, 0 unaccounted for in {} samples, heap {} KiB",
            at.as_secs(),
            self.accounts,
            heap / 1024
        );
    }

    /// The heap does not grow. Buffers are larger at one time than at another: the floor is compared, the mean of the
    /// lowest third of the samples, of the first half behind the warm-up and of the second.
    pub(crate) fn check_slope(&self) {
        let from = self.warm_up().as_secs_f64();
        let middle = f64::midpoint(from, self.length.as_secs_f64());
        let floor = |begin: f64, end: f64| {
            let within = self.heap.iter().filter(|(at, _)| *at >= begin && *at < end);
            let mut bytes: Vec<f64> = within.map(|(_, bytes)| *bytes).collect();
            bytes.sort_by(f64::total_cmp);
            bytes.truncate(bytes.len() / 3);
            (bytes.len() >= FEWEST).then(|| bytes.iter().sum::<f64>() / bytes.len() as f64)
        };
        let (Some(first), Some(second)) = (floor(from, middle), floor(middle, f64::MAX)) else {
            println!("heap: the run is too short for a slope");
            return;
        };
        let an_hour = (second - first) / (middle - from) * 3_600.0;
        println!(
            "heap: {:.0} KiB an hour, wanted < {:.0}",
            an_hour / 1024.0,
            MOST_AN_HOUR / 1024.0
        );
        assert!(an_hour < MOST_AN_HOUR, "the heap grows");
    }
}
