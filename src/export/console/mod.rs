//! Traces drawn on a terminal.

mod bar;
mod builder;
mod canvas;
mod details;
mod layout;
mod numbers;
mod selection;
mod target;
#[cfg(test)]
mod tests;
mod waterfall;

use std::fmt;
use std::io;
use std::ops::RangeInclusive;

use async_trait::async_trait;

use self::layout::Style;
use self::target::Target;
use self::waterfall::draw;
use super::{Batch, Batching, ExportError, Exporter};
use crate::trace::Trace;

pub use builder::ConsoleExporterBuilder;

/// Draws each kept trace as a waterfall: a tree of its spans with bars to scale.
///
/// For programs in development and for command line tools. A trace is drawn at once when it is kept,
/// with one write, so that drawings do not mix with other output. Errors are marked and stand below
/// their span; [tags](ConsoleExporterBuilder::with_tags) and
/// [logs](ConsoleExporterBuilder::with_logs) are drawn on a terminal, and elsewhere on request. Of a trace
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
/// let console = ConsoleExporter::builder().with_width(66).with_color(false).build();
/// assert_eq!(console.render(&trace.with_resource(Resource::new("shop"))), "\
/// ── shop · GET /cart ──────────────────────────────────────────────
/// ✗ 1 error · 40 ms · 3 spans · 4bf92f3577b34da6a3ce929d0e0e4736
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
    /// `None` draws them on a terminal.
    tags: Option<bool>,
    logs: Option<bool>,
}

/// The width of a drawing where there is no terminal to ask.
const WIDTH: usize = 100;
/// Narrower drawings have no room for a bar, wider ones cost memory for nothing.
const WIDTHS: RangeInclusive<usize> = 40..=400;

impl ConsoleExporter {
    /// The drawing of a trace, every line ended with a newline.
    #[must_use]
    pub fn render(&self, trace: &Trace) -> String {
        draw(trace, self.style())
    }

    fn style(&self) -> Style {
        let is_terminal = self.target.is_terminal();
        let width = self.width.or_else(|| self.target.width()).unwrap_or(WIDTH);
        Style {
            width: width.clamp(*WIDTHS.start(), *WIDTHS.end()),
            color: self.color.unwrap_or_else(|| self.target.wants_color()),
            tags: self.tags.unwrap_or(is_terminal),
            logs: self.logs.unwrap_or(is_terminal),
        }
    }
}

#[async_trait]
impl Exporter for ConsoleExporter {
    async fn export(&self, batch: Batch) -> Result<(), ExportError> {
        let style = self.style();
        for (index, trace) in batch.iter().enumerate() {
            // An empty line keeps traces apart where there are no colours.
            let drawing = draw(trace, style) + "\n";
            if let Err(error) = self.target.write(&drawing) {
                return Err(self.failure(error, &batch, index));
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
        let message = format!("cannot write to {}: {error}", self.target.name());
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
        f.debug_struct("ConsoleExporter")
            .field("target", &self.target.name())
            .field("style", &self.style())
            .finish()
    }
}
