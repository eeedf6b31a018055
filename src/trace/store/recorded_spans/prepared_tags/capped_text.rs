//! Text with an end.

use std::fmt::{self, Write};

/// Text that stops growing, and fails its writer, a character after it is long enough.
pub(super) struct CappedText<'t> {
    text: &'t mut String,
    /// The bytes that the text may have; `None` when it has become long enough.
    most: Option<usize>,
}

impl<'t> CappedText<'t> {
    /// Adds at most `most` bytes, and one character, to the text.
    pub(super) fn new(text: &'t mut String, most: usize) -> Self {
        let most = Some(text.len().saturating_add(most));
        Self { text, most }
    }
}

impl Write for CappedText<'_> {
    #[inline]
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let budget = self.most.ok_or(fmt::Error)?.saturating_sub(self.text.len());
        if more.len() <= budget {
            self.text.push_str(more);
            return Ok(());
        }
        // One character more than fits shows the buffer that something was cut.
        let mut end = budget + 1;
        while end < more.len() && !more.is_char_boundary(end) {
            end += 1;
        }
        self.text.push_str(more.get(..end).unwrap_or(more));
        // A writer that goes on after the failure must not leave a gap in the middle.
        self.most = None;
        Err(fmt::Error)
    }
}
