//! Rust source to words and marks, without comments and without the contents
//! of literals. Just enough of the language to tell code from text.

/// One word or mark of code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// A word (`crate`, `Span`), `::`, one other mark, or `"` for any literal.
    pub(crate) text: String,
    /// Where it stands, counted from one.
    pub(crate) line: usize,
}

impl Token {
    /// Whether this is a keyword or a name.
    pub(crate) fn is_word(&self) -> bool {
        self.text.starts_with(|c: char| c == '_' || c.is_alphabetic())
    }
}

/// The code of `source`, in order.
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    Lexer::run(source).out
}

/// The comments of `source`, in order: one token for each line of text.
pub(crate) fn comments(source: &str) -> Vec<Token> {
    Lexer::run(source).comments
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    line: usize,
    out: Vec<Token>,
    comments: Vec<Token>,
}

impl Lexer {
    fn run(source: &str) -> Self {
        let chars = source.chars().collect();
        let mut lexer = Self { chars, at: 0, line: 1, out: Vec::new(), comments: Vec::new() };
        while lexer.at < lexer.chars.len() {
            lexer.step();
        }
        lexer
    }

    /// Keeps the text from `start` to here as comment, line by line.
    fn keep_comment(&mut self, start: usize, first_line: usize) {
        let end = self.at.min(self.chars.len());
        let text: String = self.chars[start..end].iter().collect();
        for (offset, text) in text.lines().enumerate() {
            self.comments.push(Token { text: text.to_owned(), line: first_line + offset });
        }
    }

    fn peek(&self, ahead: usize) -> char {
        self.chars.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn advance(&mut self, count: usize) {
        for _ in 0..count {
            if self.peek(0) == '\n' {
                self.line += 1;
            }
            self.at += 1;
        }
    }

    fn push(&mut self, text: impl Into<String>, line: usize) {
        let text = text.into();
        self.out.push(Token { text, line });
    }

    fn step(&mut self) {
        let line = self.line;
        match (self.peek(0), self.peek(1)) {
            ('/', '/') => self.line_comment(),
            ('/', '*') => self.block_comment(),
            ('"', _) => self.string(line),
            ('\'', _) => self.quote(line),
            (':', ':') => {
                self.advance(2);
                self.push("::", line);
            }
            (c, _) if c.is_whitespace() => self.advance(1),
            (c, _) if c == '_' || c.is_alphanumeric() => self.word(line),
            (c, _) => {
                self.advance(1);
                self.push(c, line);
            }
        }
    }

    fn line_comment(&mut self) {
        let start = self.at;
        let line = self.line;
        while self.at < self.chars.len() && self.peek(0) != '\n' {
            self.advance(1);
        }
        self.keep_comment(start, line);
    }

    fn block_comment(&mut self) {
        let start = self.at;
        let line = self.line;
        self.skip_block();
        self.keep_comment(start, line);
    }

    fn skip_block(&mut self) {
        let mut depth = 0_usize;
        while self.at < self.chars.len() {
            match (self.peek(0), self.peek(1)) {
                ('/', '*') => {
                    depth += 1;
                    self.advance(2);
                }
                ('*', '/') => {
                    depth -= 1;
                    self.advance(2);
                    if depth == 0 {
                        return;
                    }
                }
                _ => self.advance(1),
            }
        }
    }

    /// A string with escapes, from its opening quote.
    fn string(&mut self, line: usize) {
        self.advance(1);
        while self.at < self.chars.len() && self.peek(0) != '"' {
            self.advance(if self.peek(0) == '\\' { 2 } else { 1 });
        }
        self.advance(1);
        self.push('"', line);
    }

    /// A raw string, from its first `#` or its opening quote.
    fn raw_string(&mut self, line: usize) {
        let mut hashes = 0;
        while self.peek(hashes) == '#' {
            hashes += 1;
        }
        self.advance(hashes + 1);
        while self.at < self.chars.len() {
            let closes = self.peek(0) == '"' && (1..=hashes).all(|i| self.peek(i) == '#');
            self.advance(if closes { hashes + 1 } else { 1 });
            if closes {
                break;
            }
        }
        self.push('"', line);
    }

    /// A character literal or a lifetime.
    fn quote(&mut self, line: usize) {
        let escaped = self.peek(1) == '\\';
        if !escaped && self.peek(2) != '\'' {
            self.advance(1);
            while self.peek(0) == '_' || self.peek(0).is_alphanumeric() {
                self.advance(1);
            }
            return;
        }
        self.advance(if escaped { 3 } else { 2 });
        while self.at < self.chars.len() && self.peek(0) != '\'' {
            self.advance(1);
        }
        self.advance(1);
        self.push('"', line);
    }

    /// A name, a keyword, a number, or the prefix of a literal (`r#"`, `b'`).
    fn word(&mut self, line: usize) {
        let mut text = String::new();
        while self.peek(0) == '_' || self.peek(0).is_alphanumeric() {
            text.push(self.peek(0));
            self.advance(1);
        }
        let raw = matches!(text.as_str(), "r" | "br" | "cr");
        let mut hashes = 0;
        while self.peek(hashes) == '#' {
            hashes += 1;
        }
        if raw && self.peek(hashes) == '"' {
            self.raw_string(line);
        } else if text == "r" && hashes == 1 {
            self.advance(1);
            self.word(line);
        } else if matches!(text.as_str(), "b" | "c") && self.peek(0) == '"' {
            self.string(line);
        } else if text == "b" && self.peek(0) == '\'' {
            self.quote(line);
        } else {
            self.push(text, line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{comments, tokens};

    fn words(source: &str) -> Vec<String> {
        let words = tokens(source).into_iter().filter(super::Token::is_word);
        words.map(|token| token.text).collect()
    }

    #[test]
    fn comments_hold_no_words() {
        let source = "/// doc\n//! doc\na // x\n/* y /* z */ y */ b";
        assert_eq!(words(source), ["a", "b"]);
    }

    #[test]
    fn comments_are_kept_apart_with_their_lines() {
        let found = comments("//! one\na(\"// no\"); // two\n/* three\n * four */ b");
        let found: Vec<_> = found.iter().map(|token| (token.line, token.text.as_str())).collect();
        assert_eq!(found, [(1, "//! one"), (2, "// two"), (3, "/* three"), (4, " * four */")]);
    }

    #[test]
    fn literals_hold_no_words() {
        let source = r####"a("x \" y", r"x\", r#"x " y"#, b"x", br##"x "# y"##, 'x', '\'', b'x', '\u{41}') + b"####;
        assert_eq!(words(source), ["a", "b"]);
    }

    #[test]
    fn lifetimes_are_not_open_literals() {
        assert_eq!(words("fn f<'a>(x: &'a str) -> &'static A { b }").len(), 6);
    }

    #[test]
    fn raw_names_are_names() {
        assert_eq!(words("r#type r"), ["type", "r"]);
    }

    #[test]
    fn lines_are_counted_through_every_kind_of_text() {
        let found = tokens("/*\n*/ \"\n\\\n\" r\"\n\" a\n// x\nb");
        let lines: Vec<_> = found.iter().map(|token| token.line).collect();
        assert_eq!(lines, [2, 4, 5, 7]);
    }
}
