//! Which ratios are judged, and what they are to reach.

/// A row on a number of threads.
pub type Place = (&'static str, usize);

/// A ratio of two rows.
pub struct Ratio {
    pub of: Place,
    pub to: Place,
    /// At most this.
    pub reach: f64,
    /// The most that it is known to be where it falls short of the reach; `--check` fails above it.
    /// The manual's decisions say what was tried.
    pub known: Option<f64>,
    /// Whether it compares two threads with one: then it is divided by the same ratio of the control
    /// loop, which shares nothing.
    pub compares_threads: bool,
}

const fn ratio(of: Place, to: Place, reach: f64) -> Ratio {
    Ratio { of, to, reach, known: None, compares_threads: of.1 != to.1 }
}

/// The loop that threads share nothing of.
pub const CONTROL: &str = "control loop";

/// What is judged.
pub const RATIOS: &[Ratio] = &[
    ratio(("flat-1-bare layer", 2), ("flat-1-bare layer", 1), 1.15),
    ratio(("flat-1-bare native", 2), ("flat-1-bare native", 1), 1.15),
    ratio(("flat-10-bare native", 2), ("flat-10-bare native", 1), 1.15),
    ratio(("flat-1-bare layer", 1), ("flat-1-bare otel-leanest", 1), 0.9),
    ratio(("flat-1-bare layer", 2), ("flat-1-bare otel-leanest", 2), 0.7),
    ratio(("flat-1-bare native", 1), ("flat-1-bare sdk", 1), 0.9),
    ratio(("flat-1-bare native", 2), ("flat-1-bare sdk", 2), 0.6),
    ratio(("flat-10-bare native", 1), ("flat-10-bare fastrace", 1), 1.0),
    ratio(("open-10000-bare layer", 1), ("open-10000-bare otel-leanest", 1), 0.9),
    ratio(("open-10000-rich layer", 1), ("open-10000-rich otel-leanest", 1), 0.9),
    ratio(("open-10000-bare native", 1), ("open-10000-bare sdk", 1), 1.2),
    ratio(("open-10000-rich native", 1), ("open-10000-rich sdk", 1), 1.2),
    ratio(("ring-8-1000-bare native", 1), ("ring-1-1000-bare native", 1), 1.10),
    ratio(("ring-8-1000-rich native", 1), ("ring-1-1000-rich native", 1), 1.10),
    ratio(("ring-8-1000-bare layer", 1), ("ring-1-1000-bare layer", 1), 1.10),
    ratio(("ring-8-1000-rich layer", 1), ("ring-1-1000-rich layer", 1), 1.10),
    ratio(("ring-64-1000-bare native", 1), ("ring-1-1000-bare native", 1), 1.20),
    ratio(("ring-64-1000-rich native", 1), ("ring-1-1000-rich native", 1), 1.20),
    ratio(("ring-64-1000-bare layer", 1), ("ring-1-1000-bare layer", 1), 1.20),
    ratio(("ring-64-1000-rich layer", 1), ("ring-1-1000-rich layer", 1), 1.20),
    ratio(("ring-8-1000-bare native", 1), ("ring-0-1000-bare native", 1), 1.15),
    ratio(("ring-8-1000-rich native", 1), ("ring-0-1000-rich native", 1), 1.25),
    ratio(("ring-8-1000-bare layer", 1), ("ring-0-1000-bare layer", 1), 1.15),
    ratio(("ring-8-1000-rich layer", 1), ("ring-0-1000-rich layer", 1), 1.25),
    ratio(("tokio-10000 layer", 1), ("tokio-10000 otel-leanest", 1), 0.6),
    ratio(("tokio-10000 native", 1), ("tokio-10000 fastrace", 1), 0.3),
];
