//! Traces drawn on a terminal.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::sync::Mutex;

use async_trait::async_trait;

use self::waterfall::{Style, draw};
use super::{Batching, ExportError, Exporter};
use crate::kit::guarded::lock;
use crate::trace::Trace;

mod bar;
mod details;
mod elide;
pub(crate) mod escape;
mod human;
mod paint;
#[cfg(test)]
mod tests;
mod waterfall;

/// Draws each kept trace as a waterfall: a tree of its spans with bars to scale.
///
/// For programs in development and for command line tools. A trace is drawn at once when it is kept,
/// with one write, so that drawings do not mix with other output. Errors are marked and stand below
/// their span; tags and logs are drawn [on](Self::with_tags) [request](Self::with_logs). Of a trace
/// with more than 200 spans the first, the last and those with errors are drawn. Characters that a
/// terminal would obey instead of showing are written out.
///
/// Colours are used when the output is a terminal that knows them and `NO_COLOR` is unset; the
/// drawing is as wide as the terminal, or 100 columns elsewhere.
///
/// ```
/// use std::time::Duration;
/// use tailtrace::model::Resource;
/// use tailtrace::testing::{span, trace};
/// use tailtrace::ConsoleExporter;
///
/// let ms = Duration::from_millis;
/// let trace = trace(
///     span("GET /cart")
///         .child(span("load_cart").lasting(ms(30)))
///         .child(span("price").lasting(ms(10)).error("no price for sku 7")),
/// );
/// let console = ConsoleExporter::stdout().with_width(66).with_color(false);
/// assert_eq!(console.render(&trace.with_resource(Resource::new("shop"))), "\
/// ── shop · GET /cart ─────── ✗ 1 error · 40 ms · 3 spans · 4bf92f35
/// GET /cart     40 ms  █████████████████████████████████████████████
/// ├─ load_cart  30 ms  █████████████████████████████████▊
/// └─ ✗ price    10 ms                                   ▕███████████
///         no price for sku 7
/// ");
/// ```
pub struct ConsoleExporter {
    target: Target,
    width: Option<usize>,
    color: Option<bool>,
    tags: bool,
    logs: bool,
}

enum Target {
    Stdout,
    Stderr,
    /// Taken out while it is written to: what it does is not ours, and must not meet our lock.
    Writer(Mutex<Option<Box<dyn Write + Send>>>),
}

/// The width of a drawing where there is no terminal to ask.
const WIDTH: usize = 100;
/// Narrower drawings have no room for a bar, wider ones cost memory for nothing.
const WIDTHS: std::ops::RangeInclusive<usize> = 40..=400;

impl ConsoleExporter {
    /// Draws on the standard output.
    #[must_use]
    pub fn stdout() -> Self {
        Self::new(Target::Stdout)
    }

    /// Draws on the standard error.
    #[must_use]
    pub fn stderr() -> Self {
        Self::new(Target::Stderr)
    }

    /// Draws into a writer, without colours and 100 columns wide unless told otherwise.
    pub fn to_writer(writer: impl Write + Send + 'static) -> Self {
        Self::new(Target::Writer(Mutex::new(Some(Box::new(writer)))))
    }

    fn new(target: Target) -> Self {
        Self { target, width: None, color: None, tags: false, logs: false }
    }

    /// Whether the tags of each span are drawn. Default: no.
    #[must_use]
    pub fn with_tags(mut self, tags: bool) -> Self {
        self.tags = tags;
        self
    }

    /// Whether the log entries of each span are drawn, with their time from the start of the trace.
    /// Default: no.
    #[must_use]
    pub fn with_logs(mut self, logs: bool) -> Self {
        self.logs = logs;
        self
    }

    /// Whether colours are used, whatever the terminal and the environment say.
    #[must_use]
    pub fn with_color(mut self, color: bool) -> Self {
        self.color = Some(color);
        self
    }

    /// How many columns a drawing has, whatever the terminal says; at least 40 and at most 400.
    #[must_use]
    pub fn with_width(mut self, columns: usize) -> Self {
        self.width = Some(columns);
        self
    }

    /// The drawing of a trace, every line ended with a newline.
    #[must_use]
    pub fn render(&self, trace: &Trace) -> String {
        draw(trace, self.style())
    }

    fn style(&self) -> Style {
        let width = self.width.or_else(|| self.target.width()).unwrap_or(WIDTH);
        Style {
            width: width.clamp(*WIDTHS.start(), *WIDTHS.end()),
            color: self.color.unwrap_or_else(|| self.target.likes_color()),
            tags: self.tags,
            logs: self.logs,
        }
    }
}

impl Target {
    fn width(&self) -> Option<usize> {
        let size = match self {
            Self::Stdout => terminal_size::terminal_size_of(io::stdout()),
            Self::Stderr => terminal_size::terminal_size_of(io::stderr()),
            Self::Writer(_) => None,
        };
        size.map(|(width, _)| usize::from(width.0))
    }

    /// Whether colours would be seen and are wanted: <https://no-color.org>, <https://bixense.com/clicolors>.
    fn likes_color(&self) -> bool {
        let is_terminal = match self {
            Self::Stdout => io::stdout().is_terminal(),
            Self::Stderr => io::stderr().is_terminal(),
            Self::Writer(_) => return false,
        };
        if anstyle_query::no_color() {
            return false;
        }
        let wanted = is_terminal
            && anstyle_query::clicolor().unwrap_or(true)
            && anstyle_query::term_supports_ansi_color()
            && anstyle_query::windows::enable_ansi_colors().unwrap_or(true);
        wanted || anstyle_query::clicolor_force()
    }

    fn write(&self, drawing: &str) -> io::Result<()> {
        let all = |writer: &mut dyn Write| {
            writer.write_all(drawing.as_bytes())?;
            writer.flush()
        };
        match self {
            Self::Stdout => all(&mut io::stdout().lock()),
            Self::Stderr => all(&mut io::stderr().lock()),
            Self::Writer(slot) => {
                let taken = lock(slot).take();
                let mut writer = taken.ok_or_else(|| {
                    io::Error::other("the writer panicked or is being written to elsewhere")
                })?;
                let written = all(&mut writer);
                *lock(slot) = Some(writer);
                written
            }
        }
    }
}

#[async_trait]
impl Exporter for ConsoleExporter {
    async fn export(&self, batch: &[Trace]) -> Result<(), ExportError> {
        let style = self.style();
        for (index, trace) in batch.iter().enumerate() {
            // An empty line keeps traces apart where there are no colours.
            let drawing = draw(trace, style) + "\n";
            if let Err(error) = self.target.write(&drawing) {
                return Err(self.failure(error, batch, index));
            }
        }
        Ok(())
    }

    fn batching(&self) -> Batching {
        Batching::immediate()
    }
}

impl ConsoleExporter {
    /// What is drawn is drawn; what is not will not be, because a terminal that went away stays away.
    fn failure(&self, error: io::Error, batch: &[Trace], drawn: usize) -> ExportError {
        let name = match self.target {
            Target::Stdout => "the standard output",
            Target::Stderr => "the standard error",
            Target::Writer(_) => "the console exporter's writer",
        };
        let message = format!("cannot write to {name}: {error}");
        let failure = if drawn == 0 {
            ExportError::permanent(message)
        } else {
            let left = batch.iter().skip(drawn).map(Trace::span_count).sum::<usize>();
            ExportError::partial(left as u64, message)
        };
        failure.with_source(error)
    }
}

impl fmt::Debug for ConsoleExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = match self.target {
            Target::Stdout => "stdout",
            Target::Stderr => "stderr",
            Target::Writer(_) => "writer",
        };
        f.debug_struct("ConsoleExporter")
            .field("target", &target)
            .field("style", &self.style())
            .finish()
    }
}
