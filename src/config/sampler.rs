//! `OTEL_TRACES_SAMPLER` and its argument.

use super::variables::Variables;
use crate::sampling::{AlwaysOff, AlwaysOn, FixedRateSampler, ParentBasedSampler, Sampler};

const VARIABLE: &str = "OTEL_TRACES_SAMPLER";
const ARGUMENT: &str = "OTEL_TRACES_SAMPLER_ARG";

/// The head sampler that the environment asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct SamplerChoice {
    root: RootSampler,
    follows_caller: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum RootSampler {
    On,
    Off,
    Rate(FixedRateSampler),
}

/// A sampler by its name, before its argument is read.
#[derive(Clone, Copy)]
enum SamplerName {
    On,
    Off,
    Rate,
}

const NAMES: &[(&str, (SamplerName, bool))] = &[
    ("always_on", (SamplerName::On, false)),
    ("always_off", (SamplerName::Off, false)),
    ("traceidratio", (SamplerName::Rate, false)),
    ("parentbased_always_on", (SamplerName::On, true)),
    ("parentbased_always_off", (SamplerName::Off, true)),
    ("parentbased_traceidratio", (SamplerName::Rate, true)),
];

impl SamplerChoice {
    pub(super) fn read(vars: &mut Variables<'_>) -> Option<Self> {
        let Some((name, follows_caller)) = vars.choice(VARIABLE, NAMES) else {
            if !vars.is_warned_about(VARIABLE) {
                warn_of_argument(vars, "no sampler is chosen that takes it");
            }
            return None;
        };
        if !matches!(name, SamplerName::Rate) {
            warn_of_argument(vars, "the sampler that is chosen takes none");
        }
        let root = match name {
            SamplerName::On => RootSampler::On,
            SamplerName::Off => RootSampler::Off,
            SamplerName::Rate => {
                rate(vars, follows_caller).map_or(RootSampler::On, RootSampler::Rate)
            }
        };
        Some(Self { root, follows_caller })
    }

    pub(super) fn sampler(self) -> Box<dyn Sampler> {
        match self.root {
            RootSampler::On => self.boxed(AlwaysOn),
            RootSampler::Off => self.boxed(AlwaysOff),
            RootSampler::Rate(sampler) => self.boxed(sampler),
        }
    }

    fn boxed(self, root: impl Sampler + 'static) -> Box<dyn Sampler> {
        if self.follows_caller { Box::new(ParentBasedSampler::new(root)) } else { Box::new(root) }
    }
}

/// Warns of an argument that changes nothing.
fn warn_of_argument(vars: &mut Variables<'_>, why: &str) {
    if let Some(argument) = vars.text(ARGUMENT) {
        vars.warn_ignored(
            ARGUMENT,
            &argument,
            &format!("{why}; set {VARIABLE} to parentbased_traceidratio for a rate"),
        );
    }
}

/// The rate; `None` for the default, which is all.
fn rate(vars: &mut Variables<'_>, follows_caller: bool) -> Option<FixedRateSampler> {
    let read = |text: &str| FixedRateSampler::new(text.parse().ok()?).ok();
    let cure = if follows_caller {
        "use a rate between 0 and 1, such as 0.1; until then every new trace is sampled"
    } else {
        "use a rate between 0 and 1, such as 0.1; until then every trace is sampled"
    };
    vars.read(ARGUMENT, cure, read)
}
