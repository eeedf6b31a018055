//! `TAILTRACE_TAIL`: which traces are kept, as one line.

use std::time::Duration;

use super::variables::Variables;
use crate::model::SettingError;
use crate::tail::errors::Errors;
use crate::tail::fraction::Fraction;
use crate::tail::sampler::TailSampler;
use crate::tail::slower_than::SlowerThan;
use crate::tail::{All, PerSecond, Slowest};

/// The name of the variable.
const VARIABLE: &str = "TAILTRACE_TAIL";

const CURE: &str = "use a list of errors, slow=500ms, slowest=0.99, fraction=0.01 and budget=50/s";

/// What the variable says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct TailChoice {
    errors: bool,
    slow: Option<Duration>,
    slowest: Option<f64>,
    fraction: Option<f64>,
    budget: Option<f64>,
}

impl TailChoice {
    /// `None` when the variable is unset, or cannot be understood, which is warned about: a part of a tail would
    /// keep something else than the operator asked for.
    pub(super) fn read(vars: &mut Variables<'_>) -> Option<Self> {
        let choice = vars.read(VARIABLE, CURE, Self::parse)?;
        match choice.tail() {
            Ok(_) => Some(choice),
            Err(error) => {
                vars.warn(VARIABLE, &format!(" is ignored: {error}"));
                None
            }
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut choice = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let value = value.trim();
            match name.trim().to_ascii_lowercase().as_str() {
                "errors" if value.is_empty() => choice.errors = true,
                "slow" => choice.slow = Some(parse_duration(value)?),
                "slowest" => choice.slowest = Some(value.parse().ok()?),
                "fraction" => choice.fraction = Some(value.parse().ok()?),
                "budget" => choice.budget = Some(value.strip_suffix("/s")?.trim().parse().ok()?),
                _ => return None,
            }
        }
        (choice != Self::default()).then_some(choice)
    }

    /// The tail. A budget bounds the fraction where there is one, and else what nothing else keeps.
    ///
    /// # Errors
    /// When a number is out of range.
    pub(super) fn tail(&self) -> Result<TailSampler, SettingError> {
        let mut tail = TailSampler::new();
        if self.errors {
            tail = tail.keep(Errors);
        }
        if let Some(limit) = self.slow {
            tail = tail.keep(SlowerThan(limit));
        }
        if let Some(percentile) = self.slowest {
            tail = tail.keep(Slowest::percentile(percentile)?);
        }
        let fraction = self.fraction.map(Fraction::new).transpose()?;
        let budget = self.budget.map(PerSecond::new).transpose()?;
        Ok(match (fraction, budget) {
            (Some(fraction), Some(budget)) => tail.keep(All::new([fraction]).and(budget)),
            (Some(fraction), None) => tail.keep(fraction),
            (None, Some(budget)) => tail.keep(budget),
            (None, None) => tail,
        })
    }
}

/// A number with its unit: `250us`, `500ms`, `1.5s`.
fn parse_duration(text: &str) -> Option<Duration> {
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at_checked(unit_at)?;
    let number: f64 = number.trim().parse().ok()?;
    let unit = match unit.to_ascii_lowercase().as_str() {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" | "min" => 60.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number * unit).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::from_vars;

    fn warnings(value: &str) -> Vec<String> {
        let settings = from_vars(&|name| (name == VARIABLE).then(|| value.to_owned()));
        assert_eq!(settings.tail().is_none(), !settings.warnings().is_empty(), "{value}");
        settings.warnings().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_part_of_a_tail_is_read() {
        let text = "errors,slow=500ms, slowest = 0.99,fraction=0.01,budget=50/s";
        let choice = TailChoice::parse(text).unwrap();
        let expected = TailChoice {
            errors: true,
            slow: Some(Duration::from_millis(500)),
            slowest: Some(0.99),
            fraction: Some(0.01),
            budget: Some(50.0),
        };
        assert_eq!(choice, expected);
        assert!(warnings(text).is_empty());
    }

    #[test]
    fn a_duration_has_a_unit() {
        for (text, expected) in [
            ("250us", Some(Duration::from_micros(250))),
            ("1.5s", Some(Duration::from_millis(1500))),
            ("2 min", Some(Duration::from_secs(120))),
            ("500", None),
            ("ms", None),
            ("-1s", None),
            ("infs", None),
            ("1 day", None),
        ] {
            assert_eq!(parse_duration(text), expected, "{text}");
        }
    }

    #[test]
    fn a_bad_value_costs_the_variable_and_one_warning() {
        for value in
            ["errs", "errors=yes", "slow=fast", "fraction=x", "budget=50", "errors;slow", ","]
        {
            assert_eq!(warnings(value).len(), 1, "{value}");
        }
        assert_eq!(
            warnings("errors,fraction=1.5"),
            ["TAILTRACE_TAIL is ignored: rate 1.5 is out of range: use a rate between 0 and 1"]
        );
    }
}
