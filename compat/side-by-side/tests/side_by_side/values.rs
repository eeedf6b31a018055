//! Values of fields, and fields recorded more than once.

use std::num::{NonZeroI32, Wrapping};

use tailtrace_side_by_side::{Sides, Value};
use tracing::field::{Empty, debug, display};
use tracing::{info, info_span};

#[test]
fn truths_signed_numbers_floats_and_texts_have_the_same_types() {
    let same = Sides::of(|_| {
        let owned = String::from("owned");
        let span = info_span!(
            "s", a = true, b = -3_i8, c = i64::MIN, d = 4_isize, e = 1.5_f32, f = f64::NAN,
            g = f64::INFINITY, h = "text", i = owned, j = %"shown", k = ?Some("debugged"),
            l = Some(1), m = None::<i32>, n = Wrapping(2), o = NonZeroI32::MIN, p = Box::new(3),
            q = Empty, r = Empty, s = Empty, t = "", u = '\u{1f980}'.to_string(),
        );
        span.record("q", debug([1, 2])).record("r", display(5)).record("s", None::<i32>);
        span.in_scope(
            || info!(a = true, b = -3, c = 1.5, d = "text", e = ?[1], f = %1, g = Some(2)),
        );
    });
    let same = same.same();
    assert_eq!(same[0].keys()[6..].join(""), "abcdefghijklnoptuqrbusy_nsidle_ns");
    assert_eq!(same[0].tag("b"), Some(&Value::I64(-3)));
    assert_eq!(same[0].tag("e"), Some(&Value::F64("1.5".to_owned())));
    assert_eq!(same[0].tag("k"), Some(&Value::text("Some(\"debugged\")")));
    assert_eq!(same[0].tag("p"), Some(&Value::I64(3)));
    assert_eq!(same[0].log().field("g"), Some(&Value::I64(2)));
}

#[test]
fn difference_unsigned_numbers_are_numbers_here_while_they_fit() {
    let sides = Sides::of(|_| {
        let span = info_span!(
            "s",
            small = 3_u64,
            length = [0; 4].len(),
            large = u64::MAX,
            wide = 7_u128,
            low = -7_i128,
            lowest = i128::MIN,
        );
        span.in_scope(|| info!(small = 3_u8, large = u64::MAX, wide = 7_i128));
    });
    let (theirs, ours) = sides.span("s");
    for (key, number) in [("small", 3), ("length", 4), ("wide", 7), ("low", -7)] {
        assert_eq!(theirs.tag(key), Some(&Value::text(number.to_string())));
        assert_eq!(ours.tag(key), Some(&Value::I64(number)));
    }
    for (key, text) in [("large", u64::MAX.to_string()), ("lowest", i128::MIN.to_string())] {
        assert_eq!(theirs.tag(key), Some(&Value::text(text.as_str())));
        assert_eq!(ours.tag(key), Some(&Value::text(text)));
    }
    let (theirs, ours) = (theirs.log(), ours.log());
    assert_eq!(theirs.field("small"), Some(&Value::text("3")));
    assert_eq!(ours.field("small"), Some(&Value::I64(3)));
    assert_eq!(theirs.field("wide"), Some(&Value::text("7")));
    assert_eq!(ours.field("wide"), Some(&Value::I64(7)));
    assert_eq!(theirs.field("large"), ours.field("large"));
}

#[test]
fn difference_bytes_are_bytes_here() {
    let sides = Sides::of(|_| {
        info_span!("s", bytes = &b"ab"[..]).in_scope(|| info!(bytes = &b"ab"[..]));
    });
    let (theirs, ours) = sides.span("s");
    let (text, bytes) = (Value::text("[61 62]"), Value::Bytes(b"ab".to_vec()));
    assert_eq!((theirs.tag("bytes"), ours.tag("bytes")), (Some(&text), Some(&bytes)));
    let (theirs, ours) = (theirs.log().field("bytes"), ours.log().field("bytes"));
    assert_eq!((theirs, ours), (Some(&text), Some(&bytes)));
}

#[test]
fn difference_a_field_recorded_again_has_one_value_here() {
    let sides = Sides::of(|peer| {
        let span = info_span!("s", a = 1, b = Empty);
        span.record("a", 2).record("b", 1);
        peer.set_tag(&span, "a", Value::I64(3));
        let _inside = span.enter();
        span.record("a", 4);
    });
    let (theirs, ours) = sides.span("s");
    assert_eq!(theirs.all("a"), [1, 2, 3, 4].map(Value::I64).each_ref());
    assert_eq!(ours.all("a"), [&Value::I64(4)]);
    // It keeps its place.
    assert_eq!(ours.keys()[6..8], ["a", "b"]);
}

#[test]
fn difference_a_field_named_as_a_tag_of_the_layer_replaces_it_here() {
    let sides = Sides::of(|_| drop(info_span!("s", target = "mine")));
    let (theirs, ours) = sides.span("s");
    let mine = Value::text("mine");
    assert_eq!(theirs.all("target"), [&Value::text(module_path!()), &mine]);
    assert_eq!(ours.all("target"), [&mine]);
}

#[test]
fn difference_a_value_has_a_bound_here() {
    let sides = Sides::of(|_| drop(info_span!("s", text = "x".repeat(100_000))));
    let length = |value: Option<&Value>| match value {
        Some(Value::Text(text)) => text.len(),
        other => panic!("no text: {other:?}"),
    };
    let (theirs, ours) = sides.span("s");
    assert_eq!((length(theirs.tag("text")), length(ours.tag("text"))), (100_000, 16 * 1024));
}
