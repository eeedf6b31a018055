//! Numbers as people read them.

use std::time::Duration;

/// A duration with three digits of precision at most: `850 ns`, `1.24 ms`, `3.1 s`, `2m 05s`.
pub(super) fn duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    for (unit, size) in [("ns", 1), ("µs", 1_000), ("ms", 1_000_000)] {
        if let Some(number) = three_digits(nanos, size, 1_000) {
            return format!("{number} {unit}");
        }
    }
    if let Some(number) = three_digits(nanos, 1_000_000_000, 60) {
        return format!("{number} s");
    }
    let seconds = (nanos + 500_000_000) / 1_000_000_000;
    let minutes = seconds / 60;
    let hours = seconds / 3_600;
    let days = seconds / 86_400;
    if minutes < 60 {
        format!("{minutes}m {:02}s", seconds % 60)
    } else if hours < 24 {
        format!("{hours}h {:02}m", minutes % 60)
    } else {
        format!("{days}d {:02}h", hours % 24)
    }
}

/// `nanos` in units of `size`, rounded to three digits; `None` when that makes `end` units or more.
fn three_digits(nanos: u128, size: u128, end: u128) -> Option<String> {
    let decimals = (0..3_u32).rev().find(|decimals| {
        let scale = 10_u128.pow(*decimals);
        scale <= size && rounded(nanos, size, scale) < 1_000
    })?;
    let scale = 10_u128.pow(decimals);
    let number = rounded(nanos, size, scale);
    if number >= end * scale {
        return None;
    }
    let whole = number / scale;
    let part = number % scale;
    if part == 0 {
        return Some(whole.to_string());
    }
    let part = format!("{part:0width$}", width = decimals as usize);
    Some(format!("{whole}.{}", part.trim_end_matches('0')))
}

fn rounded(nanos: u128, size: u128, scale: u128) -> u128 {
    (nanos * scale + size / 2) / size
}

/// A count with its thousands apart and its noun in the right number.
pub(super) fn count(number: usize, noun: &str) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + noun.len() + 2);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text.push(' ');
    text.push_str(noun);
    if number != 1 {
        text.push('s');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_three_digits_at_most_and_no_trailing_zeros() {
        for (nanos, text) in [
            (0, "0 ns"),
            (850, "850 ns"),
            (999, "999 ns"),
            (1_000, "1 µs"),
            (1_240_000, "1.24 ms"),
            (12_400_000, "12.4 ms"),
            (140_000_000, "140 ms"),
            (999_499_999, "999 ms"),
            (999_500_000, "1 s"),
            (3_100_000_000, "3.1 s"),
            (59_940_000_000, "59.9 s"),
            (59_960_000_000, "1m 00s"),
            (125_000_000_000, "2m 05s"),
            (3_599_600_000_000, "1h 00m"),
            (7_500_000_000_000, "2h 05m"),
            (187_200_000_000_000, "2d 04h"),
        ] {
            assert_eq!(duration(Duration::from_nanos(nanos)), text, "{nanos} ns");
        }
        assert_eq!(duration(Duration::MAX), "213503982334601d 07h");
    }

    #[test]
    fn a_count_is_grouped_and_agrees_with_its_noun() {
        assert_eq!(count(1, "span"), "1 span");
        assert_eq!(count(0, "span"), "0 spans");
        assert_eq!(count(1_234_567, "error"), "1,234,567 errors");
    }
}
