//! `TAILTRACE_COHERENCE_URL` and `TAILTRACE_COHERENCE_GROUP`: which services keep their traces together, over which bus.

use super::variables::Variables;
use crate::coherence::Coherence;
use crate::kit::secret::Secret;
use crate::model::SettingError;

const URL: &str = "TAILTRACE_COHERENCE_URL";
const GROUP: &str = "TAILTRACE_COHERENCE_GROUP";

/// What the two variables describe; `None` where the first one is not set, or is of no use.
pub(super) fn read(vars: &mut Variables<'_>) -> Option<Coherence> {
    let group = vars.text(GROUP);
    let Some(url) = vars.text(URL) else {
        if group.is_some() {
            vars.warn(GROUP, &format!(" is ignored: there is no bus; set {URL} too"));
        }
        return None;
    };
    let coherence = match over_bus(&url) {
        Ok(coherence) => coherence,
        Err(error) => {
            // It does not repeat a password.
            vars.warn(URL, &format!(" is ignored: {error}"));
            return None;
        }
    };
    let coherence = match group {
        Some(group) => coherence.with_group(group),
        None => coherence,
    };
    // In another group than the one that is meant, traces of strangers would be kept.
    match coherence.check() {
        Ok(()) => Some(coherence),
        Err(error) => {
            vars.warn(GROUP, &format!(" is ignored, and {URL} with it: {error}"));
            None
        }
    }
}

fn over_bus(url: &str) -> Result<Coherence, SettingError> {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.as_deref() {
        Some("nats" | "tls") => over_nats(url),
        Some("redis" | "rediss") => over_redis(url),
        _ => Err(SettingError::new(format_args!(
            "the address {} has another scheme: use nats://, tls://, redis:// or rediss://",
            Secret::url(url)
        ))),
    }
}

#[cfg(feature = "coherence-nats")]
fn over_nats(url: &str) -> Result<Coherence, SettingError> {
    crate::coherence::NatsBus::new(url).map(Coherence::new)
}

#[cfg(not(feature = "coherence-nats"))]
fn over_nats(_: &str) -> Result<Coherence, SettingError> {
    Err(SettingError::new("this build has no NATS: enable the feature `coherence-nats`"))
}

#[cfg(feature = "coherence-redis")]
fn over_redis(url: &str) -> Result<Coherence, SettingError> {
    crate::coherence::RedisBus::new(url).map(Coherence::new)
}

#[cfg(not(feature = "coherence-redis"))]
fn over_redis(_: &str) -> Result<Coherence, SettingError> {
    Err(SettingError::new("this build has no Redis: enable the feature `coherence-redis`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::variables::VariableValue;

    fn read_from(url: &str, group: &str) -> (Option<String>, Vec<String>) {
        let lookup = |name: &str| match name {
            URL => VariableValue::Text(url.to_owned()),
            GROUP => VariableValue::Text(group.to_owned()),
            _ => VariableValue::Unset,
        };
        let mut vars = Variables::new(&lookup);
        let read = read(&mut vars).map(|coherence| format!("{coherence:?}"));
        (read, vars.into_warnings().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_bus_and_a_group_are_read_where_their_feature_is_on() {
        for (url, is_on) in [
            ("nats://bus:4222", cfg!(feature = "coherence-nats")),
            ("redis://bus", cfg!(feature = "coherence-redis")),
        ] {
            let (coherence, warnings) = read_from(url, "prod");
            assert_eq!((coherence.is_some(), warnings.is_empty()), (is_on, is_on), "{warnings:?}");
            assert!(coherence.is_none_or(|coherence| coherence.contains("\"prod\"")));
        }
    }

    #[test]
    fn a_group_without_a_bus_is_warned_about_and_no_group_is_not() {
        let warning = format!("{GROUP} is ignored: there is no bus; set {URL} too");
        assert_eq!(read_from("", "prod"), (None, vec![warning]));
        assert_eq!(read_from("", ""), (None, vec![]));
    }

    #[test]
    fn what_cannot_be_used_is_ignored_with_a_warning_that_shows_no_password() {
        for url in ["http://u:s3cret@bus", "nats://u:s3cret@bus:port", "redis://u:s3cret@"] {
            let (coherence, warnings) = read_from(url, "prod");
            assert!(coherence.is_none() && warnings.len() == 1, "{warnings:?}");
            assert!(
                warnings[0].starts_with(URL) && !warnings[0].contains("s3cret"),
                "{warnings:?}"
            );
            assert!(warnings[0].contains(url.split_once(':').unwrap().0), "{warnings:?}");
        }
    }

    #[cfg(feature = "coherence-nats")]
    #[test]
    fn a_group_that_cannot_be_used_joins_no_other_one() {
        let (coherence, warnings) = read_from("nats://bus", "a b");
        assert!(coherence.is_none() && warnings[0].starts_with(GROUP), "{warnings:?}");
    }
}
