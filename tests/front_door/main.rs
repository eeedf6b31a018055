//! The first line of a program, in processes of their own: `init` installs a global subscriber.

mod init;
mod process;
#[cfg(unix)]
mod signals;
