//! `TAILTRACE_TAIL`: which traces are kept, as one line.

use std::borrow::Cow;
use std::time::Duration;

use super::variables::Variables;
use crate::kit::secret::Secret;
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
        let text = vars.text(VARIABLE)?;
        let choice = Self::parse(&text).and_then(|choice| match choice.tail() {
            Ok(_) => Ok(choice),
            Err(error) => Err(error.to_string()),
        });
        choice.map_err(|why| vars.warn(VARIABLE, &format!(" is ignored: {why}"))).ok()
    }

    /// The choice, or which part is wrong and why.
    fn parse(text: &str) -> Result<Self, String> {
        let mut choice = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            choice
                .take(name.trim(), value.trim())
                .map_err(|why| format!("{:?} {why}", Secret::setting(part)))?;
        }
        if choice == Self::default() { Err(CURE.to_owned()) } else { Ok(choice) }
    }

    /// Takes one part in, or says what it needs.
    fn take(&mut self, name: &str, value: &str) -> Result<(), Cow<'static, str>> {
        let rate = |example| {
            let needs = || format!("needs a number between 0 and 1, such as {example}");
            value.parse().map_err(|_| Cow::Owned(needs()))
        };
        match name.to_ascii_lowercase().as_str() {
            "errors" if value.is_empty() => self.errors = true,
            "errors" => return Err("takes no value".into()),
            "slow" => self.slow = Some(parse_duration(value).ok_or_else(|| needs_unit(value))?),
            "slowest" => self.slowest = Some(rate("0.99")?),
            "fraction" => self.fraction = Some(rate("0.01")?),
            "budget" => {
                let number = value.strip_suffix("/s").ok_or("needs /s: such as budget=50/s")?;
                self.budget = Some(number.trim().parse().map_err(|_| "needs a number before /s")?);
            }
            _ => return Err(format!("is unknown: {CURE}").into()),
        }
        Ok(())
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

fn needs_unit(value: &str) -> &'static str {
    if value.starts_with(|letter: char| letter.is_ascii_digit()) {
        "needs a unit: us, ms, s or min"
    } else {
        "needs a number from 0 on with a unit: us, ms, s or min"
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

    #[test]
    fn the_warning_names_the_part_that_is_wrong_and_why() {
        for (value, expected) in [
            ("errors,slow=5", r#""slow=5" needs a unit: us, ms, s or min"#),
            ("slow=fast", r#""slow=…" needs a number from 0 on with a unit: us, ms, s or min"#),
            ("errors, budget=50", r#""budget=50" needs /s: such as budget=50/s"#),
            ("fraction=1%", r#""fraction=1%" needs a number between 0 and 1, such as 0.01"#),
            ("errors=yes", r#""errors=yes" takes no value"#),
            ("errs,slow=5ms", &format!(r#""errs" is unknown: {CURE}"#)),
            ("errors;slow=5ms", &format!(r#""errors;slow=5ms" is unknown: {CURE}"#)),
            ("token=S3CRETS3CRET", &format!(r#""token=…" is unknown: {CURE}"#)),
        ] {
            assert_eq!(warnings(value), [format!("TAILTRACE_TAIL is ignored: {expected}")]);
        }
    }
}
