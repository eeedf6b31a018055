//! What the readers and writers of header text share.

/// Which bytes a part of a header may consist of. A table, because headers may
/// be long and come from strangers.
pub(crate) struct ByteSet([bool; 256]);

impl ByteSet {
    /// The bytes in any of these inclusive ranges.
    pub(crate) const fn of_ranges(ranges: &[(u8, u8)]) -> Self {
        let mut set = [false; 256];
        let mut at = 0;
        while at < ranges.len() {
            let (first, last) = ranges[at];
            let mut byte = first as usize;
            while byte <= last as usize {
                set[byte] = true;
                byte += 1;
            }
            at += 1;
        }
        Self(set)
    }

    /// The bytes of this set and these.
    pub(crate) const fn and(&self, bytes: &[u8]) -> Self {
        let mut set = self.0;
        let mut at = 0;
        while at < bytes.len() {
            set[bytes[at] as usize] = true;
            at += 1;
        }
        Self(set)
    }

    pub(crate) fn contains(&self, byte: u8) -> bool {
        // The table has a place for every byte.
        self.0[byte as usize]
    }

    pub(crate) fn contains_all(&self, text: &[u8]) -> bool {
        text.iter().all(|byte| self.contains(*byte))
    }

    /// How many bytes of the text are not in the set.
    pub(crate) fn count_others(&self, text: &[u8]) -> usize {
        text.iter().filter(|byte| !self.contains(**byte)).count()
    }
}

/// Reads 1 to 32 lower-case hex digits, most significant first. Headers know no
/// upper case, sign or prefix, so the standard parsers accept too much.
pub(crate) fn read_lower_hex(text: &[u8]) -> Option<u128> {
    if text.is_empty() || text.len() > 32 {
        return None;
    }
    text.iter().try_fold(0_u128, |bits, byte| {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return None,
        };
        Some((bits << 4) | u128::from(digit))
    })
}

/// The 14 lower-case hex digits of a 56-bit number, without an allocation.
#[derive(Clone, Copy)]
pub(crate) struct Hex56 {
    digits: [u8; Self::LEN],
    len: usize,
}

impl Hex56 {
    pub(crate) const LEN: usize = 14;

    /// All 14 digits of the low 56 bits.
    pub(crate) fn padded(bits: u64) -> Self {
        let mut digits = [b'0'; Self::LEN];
        let mut rest = bits;
        for digit in digits.iter_mut().rev() {
            let nibble = (rest & 0xf) as u8;
            *digit = if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
            rest >>= 4;
        }
        Self { digits, len: Self::LEN }
    }

    /// The digits without trailing zeros; zero itself is one digit.
    pub(crate) fn trimmed(bits: u64) -> Self {
        let mut text = Self::padded(bits);
        let zeros = text.digits.iter().rev().take_while(|digit| **digit == b'0').count();
        text.len = (Self::LEN - zeros).max(1);
        text
    }

    pub(crate) fn as_str(&self) -> &str {
        // Only ASCII digits are ever stored, so the fallback is never taken.
        self.digits
            .get(..self.len)
            .and_then(|digits| str::from_utf8(digits).ok())
            .unwrap_or_default()
    }
}

/// The text up to `most` bytes, cut at a character.
pub(crate) fn cut(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// The first characters of a refused text, for an error message: input may be
/// hostile, so an error never holds more than a line of it.
pub(crate) fn excerpt(text: &str) -> String {
    const MOST: usize = 40;
    match text.char_indices().nth(MOST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}

/// [`excerpt`] of text that may not be UTF-8.
pub(crate) fn excerpt_of_bytes(text: &[u8]) -> String {
    // Enough bytes for the characters that an excerpt shows.
    excerpt(&String::from_utf8_lossy(text.get(..200).unwrap_or(text)))
}

/// The members of one line of a comma-separated list that end within the
/// first `limit` bytes of it, without whitespace around them and without those that are empty.
pub(crate) fn whole_members(line: &[u8], limit: usize) -> impl Iterator<Item = &[u8]> {
    let end = if line.len() <= limit {
        line.len()
    } else {
        // The byte at the limit may be the comma that ends the last of them.
        line.iter().take(limit + 1).rposition(|byte| *byte == b',').unwrap_or(0)
    };
    let mut rest = line.get(..end).unwrap_or_default();
    std::iter::from_fn(move || {
        // A header of nothing but separators is passed over at once.
        let start = rest.iter().position(|byte| !matches!(byte, b',' | b' ' | b'\t'))?;
        let from_start = rest.get(start..).unwrap_or_default();
        let comma = first_comma(from_start).unwrap_or(from_start.len());
        let (member, behind) = from_start.split_at_checked(comma)?;
        rest = behind;
        Some(trim_ows(member))
    })
}

/// Where the first comma stands.
fn first_comma(text: &[u8]) -> Option<usize> {
    let is_comma = |byte: &u8| *byte == b',';
    // Many bytes are compared at once where none of them ends the loop.
    let has_one = |chunk: &[u8]| chunk.iter().fold(false, |found, byte| found | is_comma(byte));
    let before = text.chunks(32).take_while(|chunk| !has_one(chunk)).map(<[u8]>::len).sum();
    let at = text.get(before..)?.iter().position(is_comma)?;
    Some(before + at)
}

/// The text without the optional whitespace (spaces and tabs) that HTTP allows
/// around a header value and around the members of a list.
pub(crate) fn trim_ows(text: &[u8]) -> &[u8] {
    let is_text = |byte: &u8| !matches!(byte, b' ' | b'\t');
    match (text.iter().position(is_text), text.iter().rposition(is_text)) {
        (Some(first), Some(last)) => text.get(first..=last).unwrap_or_default(),
        _ => &[],
    }
}
