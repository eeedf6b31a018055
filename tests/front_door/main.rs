//! The first line of a program, in processes of their own: `init` installs a global subscriber.

mod bullets;
mod init;
#[cfg(feature = "otel")]
mod overlooked;
mod process;
#[cfg(unix)]
mod signals;
mod sketch;
