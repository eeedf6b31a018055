//! Text with colours, or without.

use crate::export::escape::columns;

/// How a piece of text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    Plain,
    Bold,
    Dim,
    Red,
    BoldRed,
    Green,
    Yellow,
    Blue,
    Magenta,
    Cyan,
}

impl Ink {
    /// The parameter of the "select graphic rendition" sequence; ECMA-48, 8.3.117.
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Red => "31",
            Self::BoldRed => "1;31",
            Self::Green => "32",
            Self::Yellow => "33",
            Self::Blue => "34",
            Self::Magenta => "35",
            Self::Cyan => "36",
        }
    }
}

/// A drawing in the making. It counts the columns of the current line.
#[derive(Debug)]
pub(super) struct Canvas {
    drawn: String,
    color: bool,
    column: usize,
}

impl Canvas {
    pub(super) fn new(color: bool) -> Self {
        Self { drawn: String::new(), color, column: 0 }
    }

    /// Adds escaped text to the line.
    pub(super) fn put(&mut self, ink: Ink, text: &str) -> &mut Self {
        self.column += columns(text);
        if self.color && ink != Ink::Plain && !text.is_empty() {
            for part in ["\x1b[", ink.code(), "m", text, "\x1b[0m"] {
                self.drawn.push_str(part);
            }
        } else {
            self.drawn.push_str(text);
        }
        self
    }

    /// Adds blanks up to a column of the line.
    pub(super) fn pad_to(&mut self, column: usize) -> &mut Self {
        for _ in self.column..column {
            self.drawn.push(' ');
        }
        self.column = self.column.max(column);
        self
    }

    pub(super) fn end_line(&mut self) {
        self.drawn.push('\n');
        self.column = 0;
    }

    pub(super) fn finish(self) -> String {
        self.drawn
    }
}
