//! What can be set about the exporter.

use std::fmt;
use std::io::Write;

use super::ConsoleExporter;
use super::target::Target;

/// Makes a [`ConsoleExporter`].
///
/// ```
/// use tailtrace::ConsoleExporter;
/// let console = ConsoleExporter::builder().with_stderr(true).with_tags(true).build();
/// # drop(console);
/// ```
#[must_use]
pub struct ConsoleExporterBuilder(ConsoleExporter);

impl ConsoleExporter {
    /// Makes an exporter that draws on the standard output, with the defaults.
    #[must_use]
    pub fn stdout() -> Self {
        Self::builder().build()
    }

    /// Prepares an exporter that draws on the standard output unless told otherwise.
    pub fn builder() -> ConsoleExporterBuilder {
        ConsoleExporterBuilder(Self {
            target: Target::Stdout,
            width: None,
            color: None,
            tags: None,
            logs: None,
        })
    }
}

impl ConsoleExporterBuilder {
    /// Sets whether the exporter draws on the standard error instead of the standard output. Default no.
    pub fn with_stderr(mut self, stderr: bool) -> Self {
        self.0.target = if stderr { Target::Stderr } else { Target::Stdout };
        self
    }

    /// Draws into a writer, without colours and 100 columns wide unless told otherwise. A process that is forked off
    /// while it is written to has no writer: drawing fails there.
    pub fn with_writer(mut self, writer: impl Write + Send + 'static) -> Self {
        self.0.target = Target::writer(writer);
        self
    }

    /// Sets whether the tags of each span are drawn. Default: on a terminal.
    pub fn with_tags(mut self, tags: bool) -> Self {
        self.0.tags = Some(tags);
        self
    }

    /// Sets whether the log entries of each span are drawn, with their time from the start of the trace.
    /// Default: on a terminal.
    pub fn with_logs(mut self, logs: bool) -> Self {
        self.0.logs = Some(logs);
        self
    }

    /// Sets whether colours are used. Default as the terminal and the environment say.
    pub fn with_color(mut self, color: bool) -> Self {
        self.0.color = Some(color);
        self
    }

    /// Sets how many columns a drawing has, at least 40 and at most 400. Default as the terminal says.
    pub fn with_width(mut self, columns: usize) -> Self {
        self.0.width = Some(columns);
        self
    }

    /// Makes the exporter.
    #[must_use]
    pub fn build(self) -> ConsoleExporter {
        self.0
    }
}

impl fmt::Debug for ConsoleExporterBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ConsoleExporterBuilder").field(&self.0).finish()
    }
}
