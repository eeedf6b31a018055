//! `OTEL_TRACES_SAMPLER` and its argument.

use super::vars::Vars;
use crate::sampling::{AlwaysOff, AlwaysOn, FixedRateSampler, ParentBasedSampler, Sampler};

const VARIABLE: &str = "OTEL_TRACES_SAMPLER";

/// The head sampler that the environment asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Head {
    root: Root,
    follows_caller: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Root {
    On,
    Off,
    Rate(FixedRateSampler),
}

/// What stands behind a name before its argument is read.
#[derive(Clone, Copy)]
enum Name {
    On,
    Off,
    Rate,
}

const NAMES: &[(&str, (Name, bool))] = &[
    ("always_on", (Name::On, false)),
    ("always_off", (Name::Off, false)),
    ("traceidratio", (Name::Rate, false)),
    ("parentbased_always_on", (Name::On, true)),
    ("parentbased_always_off", (Name::Off, true)),
    ("parentbased_traceidratio", (Name::Rate, true)),
];

impl Head {
    pub(super) fn read(vars: &mut Vars<'_>) -> Option<Self> {
        let (name, follows_caller) = vars.choice(VARIABLE, NAMES)?;
        let root = match name {
            Name::On => Root::On,
            Name::Off => Root::Off,
            Name::Rate => rate(vars, follows_caller).map_or(Root::On, Root::Rate),
        };
        Some(Self { root, follows_caller })
    }

    pub(super) fn sampler(self) -> Box<dyn Sampler> {
        match self.root {
            Root::On => self.around(AlwaysOn),
            Root::Off => self.around(AlwaysOff),
            Root::Rate(sampler) => self.around(sampler),
        }
    }

    fn around(self, root: impl Sampler + 'static) -> Box<dyn Sampler> {
        if self.follows_caller { Box::new(ParentBasedSampler::new(root)) } else { Box::new(root) }
    }
}

/// The rate; `None` for the default, which is all.
fn rate(vars: &mut Vars<'_>, follows_caller: bool) -> Option<FixedRateSampler> {
    let read = |text: &str| FixedRateSampler::new(text.parse().ok()?).ok();
    let cure = if follows_caller {
        "use a rate between 0 and 1, such as 0.1; until then every new trace is sampled"
    } else {
        "use a rate between 0 and 1, such as 0.1; until then every trace is sampled"
    };
    vars.read("OTEL_TRACES_SAMPLER_ARG", cure, read)
}
