//! The error of a setting that is refused.

use std::error::Error;
use std::fmt;

use crate::kit::debug_like_display;

/// A setting that was refused: its text names the value and says what to use instead.
///
/// Every constructor and every `with_…` method of a sampler, a tail policy or another part of a
/// pipeline that refuses a value does so with this error. Policies and samplers of your own may too.
///
/// ```
/// use tailtrace::Fraction;
/// use tailtrace::model::SettingError;
///
/// fn one_percent() -> Result<Fraction, SettingError> {
///     Fraction::new(0.01)
/// }
/// # one_percent()?;
/// let refused = SettingError::out_of_range("rate 1.5", "use a rate between 0 and 1");
/// assert_eq!(refused.to_string(), "rate 1.5 is out of range: use a rate between 0 and 1");
/// assert_eq!(Fraction::new(1.5), Err(refused));
/// # Ok::<(), SettingError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SettingError {
    text: Box<str>,
}

impl SettingError {
    /// The error of a value out of range. `setting` is the name of the setting and its value, `cure`
    /// what to use instead.
    #[must_use]
    pub fn out_of_range(setting: impl fmt::Display, cure: impl fmt::Display) -> Self {
        Self::new(format_args!("{setting} is out of range: {cure}"))
    }

    /// The error with this text, for a value that is refused for another reason than its range.
    pub(crate) fn new(text: impl fmt::Display) -> Self {
        Self { text: text.to_string().into() }
    }
}

/// Checks a limit per second: `name` is what the setting is called, `unit` what it counts.
pub(crate) fn check_per_second(name: &str, limit: f64, unit: &str) -> Result<(), SettingError> {
    if limit > 0.0 && limit.is_finite() {
        return Ok(());
    }
    let setting = format_args!("{name} of {limit} {unit} per second");
    Err(SettingError::out_of_range(setting, "use a finite number above 0"))
}

/// Checks the burst of a limit per second; `unit` is what the limit counts.
pub(crate) fn check_burst(burst: u32, unit: &str) -> Result<(), SettingError> {
    if burst > 0 {
        return Ok(());
    }
    Err(SettingError::out_of_range(format_args!("burst of 0 {unit}"), "use 1 or more"))
}

/// Checks how many operations are told apart, of which there may be `most`.
pub(crate) fn check_max_operations(count: usize, most: usize) -> Result<(), SettingError> {
    if count <= most {
        return Ok(());
    }
    let setting = format_args!("limit of {count} operations");
    Err(SettingError::out_of_range(setting, format_args!("use {most} or fewer")))
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

debug_like_display!(SettingError);

impl Error for SettingError {}
