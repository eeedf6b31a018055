//! What is said when no answer came.

use std::error::Error;
use std::io;

use super::Settings;
use crate::export::ExportError;
use crate::kit::error_text::causes;

/// How much of what the system or a library says is told on.
const MOST_SAID: usize = 200;

/// No connection, or one that broke before the answer came: all that may be better next time.
pub(super) fn told<E>(
    settings: &Settings,
    protocol: &str,
    is_connect: bool,
    error: E,
) -> ExportError
where
    E: Error + Send + Sync + 'static,
{
    let Settings { endpoint, peer, language, .. } = settings;
    let target = &endpoint.shown;
    let cause = causes(&error, MOST_SAID).pop().unwrap_or_else(|| error.to_string());
    let message = if is_connect && is_refused(&error) {
        format!("connection refused at {target}; is {peer} listening for {language} there?")
    } else if is_connect {
        format!("cannot connect to {target}: {cause}; check its address, and the network between")
    } else {
        format!(
            "the connection to {target} broke before an answer came: {cause}; does {peer} take {language} by {protocol} there?"
        )
    };
    ExportError::retryable(message).with_source(error)
}

fn is_refused(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return io.kind() == io::ErrorKind::ConnectionRefused;
        }
        next = error.source();
    }
    false
}
