//! The harmless forms of what may hold a secret.

use super::plain::{SHORT, is_machine_made, is_name, is_number, is_word};

/// How many characters of a text are shown at the most.
const MOST: usize = 60;

/// Stands for what is left out.
const CUT: &str = "…";

/// A URL with its scheme, host, port and path: without credentials, query and fragment.
///
/// What a person mistyped is shown too, as far as no reading of it puts a secret there.
pub(super) fn url(text: &str) -> String {
    let text = text.trim();
    if looks_like_pem(text) {
        return CUT.to_owned();
    }
    let (scheme, rest) = split_scheme(text);
    // Without a scheme and a port it may be a key in the wrong place, which has dots and slashes too.
    let is_place = text.contains([':', '@']) || !scheme.is_empty();
    if !is_name(text) && (!is_place || text.contains(char::is_whitespace)) {
        return length(text);
    }
    // An encoded `@` may have been meant as one.
    let last_at = rest.rfind('@').map(|at| at + 1);
    let last_at = last_at.max(rest.to_ascii_lowercase().rfind("%40").map(|at| at + 3));
    let query = rest.find(['?', '#', ';', '=', '&']);
    let (credentials, place) = match (last_at, query) {
        // Each of them may stand inside of a password or of a value.
        (Some(_), Some(_)) => return format!("{scheme}{CUT}"),
        (Some(at), None) => (CUT, rest.get(at..).unwrap_or_default()),
        (None, Some(end)) => ("", rest.get(..end).unwrap_or_default()),
        (None, None) => ("", rest),
    };
    let (place, rest) = match place_without_password(place) {
        Some(place) => (place, CUT),
        None => (place, ""),
    };
    cut(&format!("{scheme}{credentials}{}{rest}", place_without_keys(place)))
}

/// A host and a path, of which the parts that look like keys are left out.
fn place_without_keys(place: &str) -> String {
    let (host, path) =
        place.split_at_checked(place.find('/').unwrap_or(place.len())).unwrap_or_default();
    let parts = path.split('/').map(|part| if is_machine_made(part) { CUT } else { part });
    let parts: Vec<&str> = parts.collect();
    format!("{host}{}", parts.join("/"))
}

/// A scheme with what separates it, and the rest.
fn split_scheme(text: &str) -> (&str, &str) {
    let Some(at) = text.find("://") else { return ("", text) };
    let (scheme, rest) = text.split_at_checked(at + 3).unwrap_or(("", text));
    let is_scheme = scheme.len() <= 12
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.:/".contains(&b));
    if is_scheme { (scheme, rest) } else { (CUT, rest) }
}

/// What is before a colon that is followed by neither a port nor a path, as in `user:password`.
fn place_without_password(place: &str) -> Option<&str> {
    let after_address = place.find(']').map_or(0, |bracket| bracket + 1);
    let colon = after_address + place.get(after_address..)?.find(':')?;
    let (before, behind) = place.split_at_checked(colon + 1)?;
    let port = behind.split('/').next().unwrap_or_default();
    // As short as a port: no password.
    let is_port = port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (!is_port).then_some(before)
}

/// The name of a header as far as it can be one: a whole line may have been given in its place, or the value.
pub(super) fn header_name(text: &str) -> String {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
    let (name, rest) = text.split_at_checked(end.unwrap_or(text.len())).unwrap_or_default();
    if !is_name(name) || !(rest.is_empty() || rest.starts_with([':', ' '])) {
        return length(text);
    }
    if rest.is_empty() { cut(name) } else { format!("{}{CUT}", cut(name)) }
}

/// A word or a number, or a list of them, each as plain as those are, and the length of what is not.
pub(super) fn word(text: &str) -> String {
    let shown = |one: &str| {
        let trimmed = one.trim();
        if is_word(trimmed) || is_number(trimmed) { one.to_owned() } else { length(trimmed) }
    };
    let list: Vec<String> = text.split(',').take(MOST).map(shown).collect();
    cut(&list.join(","))
}

/// A name of a service, of a key or of a target, or its length if it has digits or capitals as keys have them.
pub(super) fn name(text: &str) -> String {
    if is_name(text) { text.to_owned() } else { length(text) }
}

/// What is said of text that may be a secret.
fn length(text: &str) -> String {
    match text.chars().count() {
        1 => "[1 character]".to_owned(),
        count => format!("[{count} characters]"),
    }
}

/// A word, or `name=number`. What is no number is shown if it is too short for a secret.
pub(super) fn setting(text: &str) -> String {
    let Some((name, value)) = text.split_once('=') else { return word(text) };
    let is_shown = is_number(value.trim()) || value.trim().len() <= SHORT;
    let value = if is_shown { value } else { CUT };
    // Several in one, parted by what is no comma.
    let names: Vec<String> = name.split(';').map(word).collect();
    cut(&format!("{}={value}", names.join(";")))
}

/// A list of `key=value` with its keys, and with values too short for a secret.
pub(super) fn pairs(text: &str) -> String {
    let shown = |pair: &str| {
        let (key, value) = pair.split_once('=').map_or(("", pair), |(key, value)| (key, value));
        let equals = if pair.contains('=') { "=" } else { "" };
        let value = if value.trim().len() <= SHORT { value } else { CUT };
        let blank = key.len() - key.trim_end().len();
        format!("{}{}{equals}{value}", name(key.trim_end()), " ".repeat(blank))
    };
    let pairs: Vec<String> = text.split(',').take(MOST).map(shown).collect();
    cut(&pairs.join(","))
}

/// A path, unless it looks like the content of a file or like a key.
pub(super) fn path(text: &str) -> String {
    // The shortest private keys have 44 characters without their frame.
    let is_key = |part: &str| {
        part.len() >= 40
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+=".contains(&byte))
    };
    let is_content =
        looks_like_pem(text) || text.len() > 1024 || text.chars().any(char::is_control);
    // A key in the wrong place may have dots and slashes too.
    let ending = text.rsplit_once('.').map_or("", |(_, ending)| ending);
    let has_ending =
        (1..=5).contains(&ending.len()) && ending.bytes().all(|b| b.is_ascii_lowercase());
    let is_rooted = text.starts_with(['/', '.', '~', '\\']) || text.get(1..3) == Some(":\\");
    if is_content || !(is_rooted || has_ending || is_name(text)) || text.split('/').any(is_key) {
        return "[not a path]".to_owned();
    }
    text.to_owned()
}

fn looks_like_pem(text: &str) -> bool {
    ["-----", "BEGIN ", "PRIVATE KEY"].iter().any(|mark| text.contains(mark))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MOST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}{CUT}", text.get(..end).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_secret_of_a_url_is_shown() {
        for text in [
            "localhost:4318",
            "collector",
            "ftp://a",
            "/v1/traces",
            "unix:/run/otel",
            "http://[::1]:4318/v1",
            "jaeger:14268/api/traces",
        ] {
            assert_eq!(url(text), text);
        }
    }

    #[test]
    fn no_form_of_a_mistyped_url_shows_its_secret() {
        for text in [
            "user:S3CRET@host:4317",
            "htps://user:S3CRET@host",
            "https://host:99999999/?api_key=S3CRET",
            "http://S3CRET@host",
            "http://u:S3?CRET@host",
            "http://h/?mail=a@b&key=S3CRET",
            "user:S3CRET",
            "user:S3CRET%40host",
            "http://host/#S3CRET",
            "http://host;key=S3CRET",
            "http://host/v1/key=S3CRET",
            "http://host/v1&S3CRET",
            "http://host/v1/S3CRETa1b2c3d4e5/spans",
            "Bearer S3CRET",
            "S3CRET",
            "http:/user:S3CRET@host",
            "-----BEGIN PRIVATE KEY-----S3CRET",
        ] {
            assert!(!url(text).contains("CRET"), "{}", url(text));
        }
        assert_eq!(url("https://user:S3CRET@host:1/p"), "https://…host:1/p");
    }

    #[test]
    fn a_line_in_place_of_a_header_name_shows_its_name_only() {
        assert_eq!(header_name("api-key"), "api-key");
        assert_eq!(header_name("authorization: Bearer S3CRET"), "authorization…");
        assert_eq!(header_name("Bearer S3CRET"), "Bearer…");
        assert_eq!(header_name("S3CRET=="), "[8 characters]");
        assert_eq!(header_name("S3CRET"), "[6 characters]");
        assert_eq!(header_name(""), "");
    }

    #[test]
    fn words_are_shown_and_other_text_is_not() {
        for text in ["many", "-1", "10%", "a,b", "http/protobuf"] {
            assert_eq!(word(text), text);
        }
        for text in ["key=S3CRET", "user@S3CRET", "-----BEGIN PRIVATE KEY-----S3CRET", "S3CRET,a"] {
            assert!(!word(text).contains("CRET"), "{}", word(text));
        }
        assert_eq!(word("none,S3CRET"), "none,[6 characters]");
    }

    #[test]
    fn a_setting_is_shown_with_a_number_and_without_other_values() {
        for text in ["errs", "slow=5", "slow = 5 ms", "budget=-50/sec", "errors=yes", "a;slow=5"] {
            assert_eq!(setting(text), text);
        }
        for text in ["token=S3CRET", "S3CRET@=1", "a=1S3CRET", "a=b=S3CRET"] {
            assert!(!setting(text).contains("CRET"), "{}", setting(text));
        }
    }

    #[test]
    fn pairs_are_shown_by_their_keys() {
        for text in ["a=1,b", "a=1,b=%zz", "a=1,=2", "", "a = 1"] {
            assert_eq!(pairs(text), text);
        }
        assert_eq!(pairs("token=S3CRET,S3CRET,a==S3CRET"), "token=…,…,a=…");
    }

    #[test]
    fn content_in_place_of_a_path_is_not_shown() {
        for text in ["/run/secrets/key.pem", "C:\\keys\\client.pem", "/nix/store/a1b2-c/key.pem"] {
            assert_eq!(path(text), text);
        }
        let key = format!("MC4CAQAwBQYDK2VwBCIE{}", "S3CRET".repeat(8));
        for text in ["-----BEGIN PRIVATE KEY----- S3CRET", "S3CRET\nS3CRET", "S3CRET", &*key] {
            assert!(!path(text).contains("CRET"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_password_before_the_host_never_shows(
            scheme in "([a-z]{1,6}:/{0,2})?",
            user in "[a-z:/?#]{0,4}",
            rest in "[a-z:/?#@&=]{0,8}",
        ) {
            let shown = url(&format!("{scheme}{user}:S3CRET@{rest}"));
            prop_assert!(!shown.contains("CRET"), "{}", shown);
        }
    }
}
