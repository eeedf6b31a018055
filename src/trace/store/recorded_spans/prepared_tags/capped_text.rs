//! Text with an end.

use std::fmt::{self, Write};

/// Text that stops growing, and fails its writer, a character after it is long enough.
pub(super) struct CappedText<'t> {
    text: &'t mut String,
    /// The bytes that the text may have.
    most: usize,
}

impl<'t> CappedText<'t> {
    /// Adds at most `most` bytes, and one character, to the text.
    pub(super) fn new(text: &'t mut String, most: usize) -> Self {
        let most = text.len().saturating_add(most);
        Self { text, most }
    }

    /// Adds as much as fits, and one character more, which shows the buffer that something was cut.
    #[cold]
    fn fill(&mut self, more: &str) -> fmt::Result {
        // What was filled is longer than it may be. A writer that goes on must not leave a gap in the middle.
        if self.text.len() <= self.most {
            let mut end = self.most - self.text.len() + 1;
            while end < more.len() && !more.is_char_boundary(end) {
                end += 1;
            }
            self.text.push_str(more.get(..end).unwrap_or(more));
        }
        Err(fmt::Error)
    }
}

impl Write for CappedText<'_> {
    #[inline]
    fn write_str(&mut self, more: &str) -> fmt::Result {
        // Nothing fits into what was filled, not even an empty text.
        if self.text.len().saturating_add(more.len()) > self.most {
            return self.fill(more);
        }
        self.text.push_str(more);
        Ok(())
    }
}
