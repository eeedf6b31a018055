//! The first line of a program, in processes of their own: `init` installs a global subscriber.

mod bullets;
mod init;
#[cfg(feature = "otel")]
mod overlooked;
#[path = "../support/own_process.rs"]
mod own_process;
mod process;
#[cfg(unix)]
mod signals;
mod sketch;
