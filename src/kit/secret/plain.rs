//! Which words and numbers are too plain for a secret.
//!
//! What a person types where a word belongs has letters of one kind; what a machine makes to be secret mixes digits,
//! capitals and small letters.

/// How long a value may be that is no secret whatever it says.
pub(super) const SHORT: usize = 3;

/// How many letters a word has at the most.
const MOST_LETTERS: usize = 16;

/// How long several words are together: more may be a passphrase.
const MOST: usize = 24;

/// Words of settings that are longer, or have digits.
const KNOWN: [&str; 5] = ["b3multi", "dash0", "http/1.1", "http/2", "parentbased_jaeger_remote"];

/// Whether text is a choice such as `parentbased_traceidratio` or `http/protobuf`: small letters, or one of the words
/// that settings have.
pub(super) fn is_word(text: &str) -> bool {
    let is_small = |part: &str| part.bytes().all(|byte| byte.is_ascii_lowercase());
    text.len() <= SHORT
        || KNOWN.iter().any(|known| known.eq_ignore_ascii_case(text))
        || (text.len() <= MOST
            && text.split(['-', '_', '/']).all(|part| part.len() <= MOST_LETTERS && is_small(part)))
}

/// Whether text is a number, with a short unit or without: `-1`, `0.5`, `10%`, `500 ms`, `50/sec`, `1e9`, `0x10`.
pub(super) fn is_number(text: &str) -> bool {
    const LONGEST: usize = 16;
    const MOST_HEX: usize = 4;
    if let Some(digits) = text.strip_prefix("0x") {
        return digits.len() <= MOST_HEX && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    }
    let is_part = |c: char| c.is_ascii_digit() || "+-.".contains(c);
    let unit = text.trim_start_matches(is_part);
    let is_unit = |c: char| c.is_ascii_alphabetic() || "/% ".contains(c);
    let letters = unit.chars().filter(char::is_ascii_alphabetic).count();
    text.len() <= LONGEST
        && text.starts_with(is_part)
        && (text.parse::<f64>().is_ok() || (letters <= SHORT && unit.chars().all(is_unit)))
}

/// Whether text is a name, as those of headers, of services or of keys: words of letters with few capitals, with a
/// number of one or two digits behind them.
pub(super) fn is_name(text: &str) -> bool {
    const LONGEST: usize = 60;
    text.len() <= LONGEST && text.split(['-', '_', '.', ':', '/', ' ']).all(is_part_of_name)
}

fn is_part_of_name(part: &str) -> bool {
    const MOST_CAPITALS: usize = 3;
    const MOST_DIGITS: usize = 2;
    let letters = part.trim_end_matches(|c: char| c.is_ascii_digit());
    let capitals = letters.bytes().filter(u8::is_ascii_uppercase).count();
    part.len() <= SHORT
        || (letters.bytes().all(|byte| byte.is_ascii_alphabetic())
            && letters.len() <= MOST_LETTERS
            && part.len() - letters.len() <= MOST_DIGITS
            && (capitals <= MOST_CAPITALS || capitals == letters.len()))
}

/// Whether a part of a path is as long and as mixed as the keys are that some services have there.
pub(super) fn is_machine_made(part: &str) -> bool {
    const SHORTEST: usize = 16;
    let has = |is: fn(&u8) -> bool| part.as_bytes().iter().any(is);
    part.len() >= SHORTEST && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_is_plain_and_what_machines_make_is_not() {
        for text in ["many", "xray", "http/protobuf", "parentbased_traceidratio", "B3Multi", "NO"] {
            assert!(is_word(text), "{text}");
        }
        for text in ["-1", "10%", "500 ms", "50/sec", "1e9", "+0.5", "0x10", "4294967296"] {
            assert!(is_number(text), "{text}");
        }
        for text in
            ["x-honeycomb-team", "DD-API-KEY", "X-Scope-OrgID", "my_crate::http2", "api key"]
        {
            assert!(is_name(text), "{text}");
        }
        for text in [
            "S3CRET",
            "7f3a91b2",
            "sk-live-a1b2c3",
            "glsa_aBcDeFgHiJ",
            "correct-horse-battery-staple",
            "4111111111111111111",
            "dGVzdHNlY3JldA==",
            "geheimnisgeheimnisgeheimnis",
        ] {
            assert!(!is_word(text) && !is_number(text), "{text}");
        }
        for text in ["S3CRET", "a1b2c3d4", "aBcDeFgHiJ", "pass1234", "x-4f9a8e7d"] {
            assert!(!is_name(text), "{text}");
        }
        assert!(is_machine_made("ZaVnC4dhaV3vQpX1") && !is_machine_made("traces"));
    }
}
