//! Traces of all sorts, step by step, the same ones in every run.

use tailtrace::TagValue;
use tailtrace::model::Random;

/// One step of a trace. Each speaks of the innermost open span.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Starts a span: the root, or a child of the innermost open one.
    Start,
    /// So many milliseconds go by.
    Pass(u64),
    Tag(&'static str, TagValue),
    Fail,
    End,
}

/// So many traces, each with a root that starts first and ends last.
pub(crate) fn traces(count: usize) -> Vec<Vec<Step>> {
    let random = Random::seeded(2);
    (0..count).map(|_| Dice(&random).trace()).collect()
}

struct Dice<'a>(&'a Random);

impl Dice<'_> {
    fn trace(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        self.start(&mut steps);
        let mut open = 1;
        for _ in 0..self.below(10) * self.below(2) {
            // Some spans are children of the one before, some follow it.
            if open > 1 && self.below(2) == 0 {
                steps.push(Step::End);
                open -= 1;
            }
            self.start(&mut steps);
            open += 1;
        }
        steps.extend((0..open).map(|_| Step::End));
        steps
    }

    fn start(&self, steps: &mut Vec<Step>) {
        steps.push(Step::Start);
        // Round times, so that limits are also met exactly.
        steps.push(Step::Pass(50 * self.below(4)));
        if self.below(30) == 0 {
            steps.push(Step::Pass(400));
        }
        if self.below(30) == 0 {
            steps.push(Step::Fail);
        }
        let tenants = ["acme", "globex", "noisy", "noisy", "initech", "umbrella"];
        self.tag(steps, 6, "tenant", &tenants);
        let routes = ["/healthz", "/search", "/search", "/checkout", "/checkout", "/", "/cart"];
        self.tag(steps, 3, "http.route", &routes);
        self.tag(steps, 15, "synthetic", &["yes", "no"]);
        self.tag(steps, 8, "retries", &[0, 1, 2, 3, 5, 6]);
        self.tag(steps, 25, "debug", &[true, false]);
    }

    /// One time in `rarity` the span gets one of the values.
    fn tag<V>(&self, steps: &mut Vec<Step>, rarity: u64, key: &'static str, values: &[V])
    where
        V: Clone + Into<TagValue>,
    {
        if self.below(rarity) == 0 {
            let at = usize::try_from(self.below(values.len() as u64)).unwrap_or_default();
            steps.push(Step::Tag(key, values[at].clone().into()));
        }
    }

    fn below(&self, end: u64) -> u64 {
        self.0.next_u64() % end
    }
}
