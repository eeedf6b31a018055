//! Where drawings go.

use std::io::{self, IsTerminal, Write};

use crate::kit::fork::ForkLock;
use crate::kit::standard_stream;

pub(super) enum Target {
    Stdout,
    Stderr,
    /// Taken out while it is written to: the writer's code must not run under the lock.
    Writer(ForkLock<Option<Box<dyn Write + Send>>>),
}

impl Target {
    pub(super) fn writer(writer: impl Write + Send + 'static) -> Self {
        let slot = ForkLock::default();
        *slot.lock() = Some(Box::new(writer) as Box<dyn Write + Send>);
        Self::Writer(slot)
    }

    /// The columns of the terminal, where it is one.
    pub(super) fn width(&self) -> Option<usize> {
        let size = match self {
            Self::Stdout => terminal_size::terminal_size_of(io::stdout()),
            Self::Stderr => terminal_size::terminal_size_of(io::stderr()),
            Self::Writer(_) => None,
        };
        size.map(|(width, _)| usize::from(width.0))
    }

    pub(super) fn is_terminal(&self) -> bool {
        match self {
            Self::Stdout => io::stdout().is_terminal(),
            Self::Stderr => io::stderr().is_terminal(),
            Self::Writer(_) => false,
        }
    }

    /// Whether colours would be seen and are wanted: <https://no-color.org>, <https://bixense.com/clicolors>.
    pub(super) fn wants_color(&self) -> bool {
        if matches!(self, Self::Writer(_)) || anstyle_query::no_color() {
            return false;
        }
        let wanted = self.is_terminal()
            && anstyle_query::clicolor().unwrap_or(true)
            && anstyle_query::term_supports_ansi_color()
            && anstyle_query::windows::enable_ansi_colors().unwrap_or(true);
        wanted || anstyle_query::clicolor_force()
    }

    /// How messages name it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Stdout => "the standard output",
            Self::Stderr => "the standard error",
            Self::Writer(_) => "the console exporter's writer",
        }
    }

    /// Writes a drawing with one call and flushes it.
    ///
    /// # Errors
    /// When the target does not take it.
    pub(super) fn write(&self, drawing: &str) -> io::Result<()> {
        let all = |writer: &mut dyn Write| {
            writer.write_all(drawing.as_bytes())?;
            writer.flush()
        };
        match self {
            Self::Stdout => standard_stream::stdout(all),
            Self::Stderr => standard_stream::stderr(all),
            Self::Writer(slot) => {
                let taken = slot.lock().take();
                let mut writer = taken.ok_or_else(|| {
                    io::Error::other("the writer panicked or is being written to elsewhere")
                })?;
                let written = all(&mut writer);
                *slot.lock() = Some(writer);
                written
            }
        }
    }
}
