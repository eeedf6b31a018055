use super::*;
use proptest::prelude::*;

fn exact(probability: f64) -> String {
    Threshold::from_probability(probability).unwrap().to_string()
}

fn rounded(probability: f64, digits: u8) -> String {
    Threshold::from_probability_with_precision(probability, digits).unwrap().to_string()
}

fn th(text: &str) -> Threshold {
    text.parse().unwrap()
}

#[test]
fn a_probability_becomes_the_nearest_of_all_56_bit_thresholds() {
    let vectors = [
        (1.0, "0"),
        (0.5, "8"),
        (0.25, "c"),
        (1.0 / 3.0, "aaaaaaaaaaaaac"),
        (2.0 / 3.0, "55555555555558"),
        (0.1, "e6666666666666"),
        (0.01, "fd70a3d70a3d71"),
        (2_f64.powi(-56), "ffffffffffffff"),
        (1.0 - 2_f64.powi(-8), "01"),
        (1.0 - 2_f64.powi(-52), "0000000000001"),
    ];
    for (probability, text) in vectors {
        assert_eq!(exact(probability), text, "{probability}");
    }
}

#[test]
fn four_digit_rounding_equals_the_specification() {
    let vectors = [
        (1.0, "0"),
        (0.99, "028f"),
        (0.9, "199a"),
        (0.8, "3333"),
        (0.75, "4"),
        (2.0 / 3.0, "5555"),
        (0.6, "6666"),
        (0.5, "8"),
        (0.4, "999a"),
        (1.0 / 3.0, "aaab"),
        (0.3, "b333"),
        (0.25, "c"),
        (0.2, "cccd"),
        (0.15, "d99a"),
        (0.125, "e"),
        (0.1, "e666"),
        (1.0 / 16.0, "f"),
        (0.05, "f3333"),
        (0.03, "f851f"),
        (0.02, "fae14"),
        (0.01, "fd70a"),
        (0.005, "feb85"),
        (0.001, "ffbe77"),
        (1e-4, "fff9724"),
        (1e-5, "ffff583a"),
        (1e-6, "ffffef39"),
        (2_f64.powi(-12), "fff"),
        (2_f64.powi(-20), "fffff"),
        (2_f64.powi(-32), "ffffffff"),
        (2_f64.powi(-56), "ffffffffffff"),
        // Rounding up to 1 is `0`, never an empty text.
        (0.999_999, "0"),
    ];
    for (probability, text) in vectors {
        assert_eq!(rounded(probability, 4), text, "{probability}");
    }
    assert_eq!(rounded(0.999, 1), "0");
}

#[test]
fn digits_outside_1_to_12_are_clamped() {
    assert_eq!(rounded(1.0 / 3.0, 0), rounded(1.0 / 3.0, 1));
    assert_eq!(rounded(1.0 / 3.0, 255), "aaaaaaaaaaab");
}

#[test]
fn probabilities_outside_the_range_are_refused_with_the_value() {
    for probability in
        [0.0, -0.5, 1.000_001, 2_f64.powi(-57), f64::NAN, f64::INFINITY, f64::NEG_INFINITY]
    {
        let error = Threshold::from_probability(probability).unwrap_err();
        assert!(error.to_string().contains(&probability.to_string()), "{error}");
        assert!(Threshold::from_probability_with_precision(probability, 4).is_err());
    }
}

#[test]
fn a_rate_of_zero_is_no_threshold_and_tiny_rates_are_the_rarest_one() {
    assert_eq!(Threshold::for_rate(0.0), Ok(None));
    assert_eq!(Threshold::for_rate(-0.0), Ok(None));
    assert_eq!(Threshold::for_rate(1.0), Ok(Some(Threshold::ALWAYS)));
    assert_eq!(Threshold::for_rate(0.25), Ok(Some(th("c"))));
    for tiny in [f64::MIN_POSITIVE, 5e-324, 1e-30, 2_f64.powi(-56)] {
        assert_eq!(Threshold::for_rate(tiny), Ok(Some(th("ffffffffffffff"))), "{tiny}");
    }
}

#[test]
fn a_rate_outside_0_to_1_is_refused_with_the_value_and_the_cure() {
    for rate in [-0.1, 1.5, f64::NAN, f64::INFINITY, -f64::MIN_POSITIVE] {
        let message = Threshold::for_rate(rate).unwrap_err().to_string();
        assert!(message.contains(&rate.to_string()), "{message}");
        assert!(message.contains("use a rate between 0 and 1"), "{message}");
    }
}

#[test]
fn text_is_read_strictly() {
    assert_eq!(th("2").bits(), 0x20_0000_0000_0000);
    assert_eq!(th("1000"), th("1"));
    assert_eq!(th("01").bits(), 0x01_0000_0000_0000);
    assert_eq!(th("abcdefabcdefab").bits(), 0xab_cdef_abcd_efab);
    assert_eq!(th("0"), Threshold::ALWAYS);
    assert_eq!(th("00000000000000"), Threshold::ALWAYS);
    for text in
        ["", "$", "0x1p+3", "14.5", "-1", "+1", "A", "g", " 1", "1 ", "000000000000000", "é"]
    {
        let error = text.parse::<Threshold>().unwrap_err();
        assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
    }
}

#[test]
fn text_is_written_without_trailing_zeros_and_with_leading_ones() {
    for (bits, text) in [
        (0, "0"),
        (0x01_0000_0000_0000, "01"),
        (1, "00000000000001"),
        (0x80_0000_0000_0000, "8"),
        (RANGE - 1, "ffffffffffffff"),
    ] {
        assert_eq!(Threshold::from_bits(bits).unwrap().to_string(), text);
    }
    assert_eq!(Threshold::from_bits(RANGE), None);
    assert_eq!(format!("{:>4}", th("8")), "   8");
}

#[test]
fn the_worked_examples_are_kept_and_dropped_as_published() {
    let first = Randomness::from_trace_id_bits(0x4bf92f3577b34da6a3ce929d0e0e4736);
    for text in ["0", "4", "6666", "8", "aaab", "c", "cccd"] {
        assert!(th(text).accepts(first), "{text}");
    }
    for text in ["e666", "f333", "fd70a"] {
        assert!(!th(text).accepts(first), "{text}");
    }
    let second = Randomness::from_trace_id_bits(0x0af7651916cd43dd8448eb211c80319c);
    for text in ["0", "1", "4"] {
        assert!(th(text).accepts(second), "{text}");
    }
    for text in ["6666", "8", "aaab", "c", "cccd", "e666", "f333", "fd70a"] {
        assert!(!th(text).accepts(second), "{text}");
    }
    let explicit: Randomness = "6e6d1a75832a2f".parse().unwrap();
    assert!(th("6e6d1a75832a2f").accepts(explicit));
    assert!(!th("6e6d1a75832a3").accepts(explicit));
    assert!((th("6e6d1a75832a2f").probability() - 0.569).abs() < 0.001);
    let half = th("8");
    assert!(!half.accepts(Randomness::from_bits(0x7f_ffff_ffff_ffff)));
    assert!(half.accepts(Randomness::from_bits(0x80_0000_0000_0000)));
}

#[test]
fn a_kept_trace_stands_for_the_inverse_of_its_probability() {
    assert_eq!(Threshold::ALWAYS.adjusted_count(), 1.0);
    assert_eq!(th("c").probability(), 0.25);
    assert_eq!(th("c").adjusted_count(), 4.0);
    assert_eq!(th("ffffffffffffff").adjusted_count(), 2_f64.powi(56));
}

#[test]
fn proportional_sampling_combines_as_published() {
    // Each stage keeps `share` of what arrives with the threshold before it.
    for (before, share, after) in
        [("8", 0.5, "c"), ("c", 0.5, "e"), ("8", 0.25, "e"), ("0", 0.25, "c"), ("8", 0.125, "f")]
    {
        assert_eq!(exact(share * th(before).probability()), after);
    }
    assert_eq!(exact(0x555_u32 as f64 / 4096.0), "aab");
}

proptest! {
    #[test]
    fn every_threshold_survives_its_text(bits in 0..RANGE, shift in 0..56_u32) {
        let threshold = Threshold::from_bits((bits << shift) & (RANGE - 1)).unwrap();
        let text = threshold.to_string();
        prop_assert!(text == "0" || !text.ends_with('0'));
        prop_assert_eq!(text.parse::<Threshold>().unwrap(), threshold);
    }

    #[test]
    fn the_kept_fraction_is_the_asked_one(mantissa in 0.5..1.0_f64, halvings in 0..50_i32, digits in 1..=12_u8) {
        let probability = mantissa * 2_f64.powi(-halvings);
        let kept = Threshold::from_probability(probability).unwrap().probability();
        prop_assert!((kept - probability).abs() <= 2_f64.powi(-56));
        let kept = Threshold::from_probability_with_precision(probability, digits).unwrap().probability();
        // Twelve digits are the most there are, whatever the probability.
        let allowed = (probability * 16_f64.powi(1 - i32::from(digits))).max(16_f64.powi(-12));
        prop_assert!((kept - probability).abs() <= allowed, "{} for {}", kept, probability);
    }

    #[test]
    fn a_higher_rate_keeps_a_superset(low in 0.0..1.0_f64, high in 0.0..1.0_f64, bits: u64) {
        let (low, high) = if low < high { (low, high) } else { (high, low) };
        let keeps = |rate| Threshold::for_rate(rate).unwrap().is_some_and(|t| t.accepts(Randomness::from_bits(bits)));
        prop_assert!(!keeps(low) || keeps(high));
    }
}
