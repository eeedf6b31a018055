use super::*;
use proptest::prelude::*;

fn read(text: &str) -> TraceState {
    text.parse().unwrap()
}

fn members(count: usize) -> String {
    (0..count).map(|at| format!("k{at}=v{at}")).collect::<Vec<_>>().join(",")
}

#[test]
fn an_empty_list_has_no_text_and_no_members() {
    for text in ["", " ", ",", " , \t,,"] {
        let state = read(text);
        assert!(state.is_empty(), "{text:?}");
        assert_eq!(state, TraceState::new());
        assert_eq!((state.len(), state.as_str()), (0, ""));
    }
}

#[test]
fn whitespace_around_members_goes_and_inside_values_stays() {
    assert_eq!(read(" foo=1 \t ,\t bar= 2  3\t,, ").as_str(), "foo=1,bar= 2  3");
}

#[test]
fn keys_follow_level_2() {
    let long = "a".repeat(256);
    for key in ["a", "0", "0abc", "a@b@c", "foo@", "a_-*/@", long.as_str()] {
        assert_eq!(read(&format!("{key}=1")).get(key), Some("1"));
        assert_eq!(TraceState::new().insert(key, "1").unwrap().get(key), Some("1"));
    }
    let too_long = "a".repeat(257);
    for key in ["", "A", "@a", "_a", "*a", "a b", "a.b", "é", "foo ", too_long.as_str()] {
        let error = format!("{key}=1").parse::<TraceState>().unwrap_err();
        assert!(matches!(error, TraceStateError::Key(_)), "{key:?}: {error}");
        assert_eq!(TraceState::new().insert(key, "1").unwrap_err(), error);
    }
}

#[test]
fn values_are_1_to_256_printable_characters() {
    let long = "!".repeat(256);
    for value in ["~", " x", "a b", "\"\\;:", long.as_str()] {
        assert_eq!(read(&format!("k={value}")).get("k"), Some(value));
        assert_eq!(TraceState::new().insert("k", value).unwrap().get("k"), Some(value));
    }
    let too_long = "!".repeat(257);
    for value in ["", "a=b", "a\tb", "a\u{7f}", "é", "a\nb", too_long.as_str()] {
        assert!(
            matches!(format!("k={value}").parse::<TraceState>(), Err(TraceStateError::Value(_))),
            "{value:?}"
        );
        assert!(
            matches!(TraceState::new().insert("k", value), Err(TraceStateError::Value(_))),
            "{value:?}"
        );
    }
    for value in ["a,b", "a ", " "] {
        assert!(TraceState::new().insert("k", value).is_err(), "{value:?}");
    }
}

#[test]
fn one_malformed_member_refuses_the_whole_and_is_named() {
    let error = "foo=1,no-equals,bar=2".parse::<TraceState>().unwrap_err();
    assert_eq!(error.to_string(), "\"no-equals\" is not a tracestate member: use key=value");
}

#[test]
fn a_33rd_member_refuses_what_is_read_and_pushes_out_the_last_of_what_is_written() {
    assert_eq!(read(&members(32)).len(), 32);
    assert_eq!(read(&(members(32) + ",,")).len(), 32);
    assert_eq!(members(33).parse::<TraceState>(), Err(TraceStateError::TooManyMembers));

    let full = read(&members(32)).insert("new", "1").unwrap();
    assert_eq!(full.len(), 32);
    assert_eq!(full.iter().next(), Some(("new", "1")));
    assert_eq!(full.get("k30"), Some("v30"));
    assert_eq!(full.get("k31"), None);
    let changed = read(&members(32)).insert("k7", "1").unwrap();
    assert_eq!((changed.len(), changed.get("k31")), (32, Some("v31")));
}

#[test]
fn a_changed_member_moves_to_the_front_and_leaves_the_original_alone() {
    let before = read("a=1,b=2,c=3");
    assert_eq!(before.insert("b", "4").unwrap().as_str(), "b=4,a=1,c=3");
    assert_eq!(before.remove("b").as_str(), "a=1,c=3");
    assert_eq!(before.remove("x").as_str(), "a=1,b=2,c=3");
    assert!(read("a=1").remove("a").is_empty());
    assert_eq!(before.as_str(), "a=1,b=2,c=3");
}

#[test]
fn duplicates_travel_on_but_are_never_written() {
    let state = read("a=1,b=2,a=3");
    assert_eq!(state.as_str(), "a=1,b=2,a=3");
    assert_eq!(state.get("a"), Some("1"));
    assert_eq!(state.insert("a", "4").unwrap().as_str(), "a=4,b=2");
    assert_eq!(state.remove("a").as_str(), "b=2");
}

#[test]
fn what_is_too_long_loses_its_long_members_first_and_no_part_of_one() {
    let long = |at: usize| format!("long{at}={}", "x".repeat(256));
    let text = (0..32)
        .map(|at| if at % 8 == 7 { format!("k{at}=v") } else { long(at) })
        .collect::<Vec<_>>()
        .join(",");
    assert!(text.len() < TraceState::MAX_BYTES, "{}", text.len());
    let huge = text.replace("=x", &format!("{}=x", "y".repeat(248)));
    assert!(huge.len() > TraceState::MAX_BYTES);

    let state = read(&huge);
    assert!(state.as_str().len() <= TraceState::MAX_BYTES);
    assert!(state.as_str().len() > TraceState::MAX_BYTES - 600);
    for at in [7, 15, 23, 31] {
        assert_eq!(state.get(&format!("k{at}")), Some("v"), "short members stay");
    }
    for (key, value) in state.iter().filter(|(key, _)| key.starts_with("long")) {
        assert!(
            huge.split(',').any(|member| member.split_once('=') == Some((key, value))),
            "{key}"
        );
    }
    let more = state.insert("new", &"z".repeat(256)).unwrap();
    assert!(more.as_str().len() <= TraceState::MAX_BYTES);
    assert_eq!(more.iter().next().map(|(key, _)| key), Some("new"));
    assert_eq!(more.get("k31"), Some("v"));
}

#[test]
fn the_threshold_is_read_from_the_ot_member() {
    assert_eq!(read("a=1,ot=th:c;rv:6e6d1a75832a2f").threshold(), Some("c".parse().unwrap()));
    assert_eq!(
        read("a=1,ot=th:c;rv:6e6d1a75832a2f").randomness(),
        Some("6e6d1a75832a2f".parse().unwrap())
    );
    for text in ["", "a=1", "ot=x:1", "ot=th:c;", "ot=th:", "th=c"] {
        assert_eq!(read(text).threshold(), None, "{text}");
    }
}

#[test]
fn writing_the_threshold_keeps_everything_else() {
    let set =
        |text: &str, th: &str| read(text).with_threshold(Some(th.parse().unwrap())).to_string();
    let erase = |text: &str| read(text).with_threshold(None).to_string();
    assert_eq!(set("", "8"), "ot=th:8");
    assert_eq!(set("a=1", "fd70a3d70a3d71"), "ot=th:fd70a3d70a3d71,a=1");
    assert_eq!(set("a=1,ot=th:0;rv:9b8233f7e3a151", "8"), "ot=rv:9b8233f7e3a151;th:8,a=1");
    assert_eq!(set("a=1,ot=x:1;th:8", "c"), "ot=th:c;x:1,a=1");
    // Nothing changes, so nothing moves and nothing is rewritten.
    assert_eq!(set("a=1,ot=x:1;th:80", "8"), "a=1,ot=x:1;th:80");
    assert_eq!(set("ot=;,a=1", "8"), "ot=th:8,a=1");

    assert_eq!(erase(""), "");
    assert_eq!(erase("a=1,ot=th:8"), "a=1");
    assert_eq!(erase("a=1,ot=th:8;rv:9b8233f7e3a151;x:"), "ot=rv:9b8233f7e3a151;x:,a=1");
    assert_eq!(erase("a=1,ot=x:1"), "a=1,ot=x:1");
    assert_eq!(erase("ot=th:000000000000000;x:1"), "ot=x:1", "a malformed threshold goes too");
    assert_eq!(erase("ot=;,a=1"), "a=1");
}

#[test]
fn a_threshold_that_would_make_the_value_too_long_is_not_written() {
    let text = format!("ot=x:{}", "1".repeat(250));
    let state = read(&text);
    assert_eq!(state.with_threshold(Some(Threshold::ALWAYS)).as_str(), text);
    let text = format!("ot=x:{}", "1".repeat(249));
    assert_eq!(read(&text).with_threshold(Some(Threshold::ALWAYS)).as_str().len(), 3 + 256);
}

/// The header as a vector of pairs, with none of the text tricks.
fn model_insert(model: &mut Vec<(String, String)>, key: &str, value: &str) {
    model.retain(|(name, _)| name != key);
    model.insert(0, (key.to_owned(), value.to_owned()));
    model.truncate(TraceState::MAX_MEMBERS);
}

proptest! {
    #[test]
    fn changes_agree_with_a_list_of_pairs(
        steps in prop::collection::vec((any::<bool>(), "[a-c][a-z@]?", "[ -~]{0,4}"), 0..100),
    ) {
        let mut state = TraceState::new();
        let mut model = Vec::new();
        for (insert, key, value) in steps {
            if !insert {
                state = state.remove(&key);
                model.retain(|(name, _)| *name != key);
            } else if let Ok(changed) = state.insert(&key, &value) {
                state = changed;
                model_insert(&mut model, &key, &value);
            }
            let pairs: Vec<_> = state.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
            prop_assert_eq!(&pairs, &model);
            prop_assert_eq!(state.to_string().parse::<TraceState>().unwrap(), state.clone());
        }
    }

    #[test]
    fn whatever_is_accepted_reads_back_as_itself(text in "[a-c0=,; @\\tA~é:]{0,60}") {
        if let Ok(state) = text.parse::<TraceState>() {
            prop_assert_eq!(&state.as_str().parse::<TraceState>().unwrap(), &state);
            prop_assert!(state.len() <= TraceState::MAX_MEMBERS);
            let marked = state.with_threshold(Some(Threshold::ALWAYS));
            prop_assert_eq!(marked.threshold(), Some(Threshold::ALWAYS));
            prop_assert_eq!(marked.with_threshold(None).threshold(), None);
            prop_assert_eq!(marked.randomness(), state.randomness());
        }
    }
}
