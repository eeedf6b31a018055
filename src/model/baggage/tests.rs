use super::*;
use proptest::prelude::*;

fn read(lines: &[&[u8]]) -> Baggage {
    let mut reader = BaggageReader::default();
    lines.iter().for_each(|line| reader.line(line));
    reader.finish()
}

fn read_one(line: &str) -> Baggage {
    read(&[line.as_bytes()])
}

fn pairs(baggage: &Baggage) -> Vec<(String, String)> {
    baggage.iter().map(|member| (member.name.to_owned(), member.value.to_owned())).collect()
}

#[test]
fn an_empty_baggage_has_no_members_and_no_text() {
    for baggage in [Baggage::new(), read(&[]), read_one(""), read_one(" , ,"), read_one("no pair")]
    {
        assert!(baggage.is_empty());
        assert_eq!((baggage.len(), baggage.to_string().as_str()), (0, ""));
    }
}

#[test]
fn lines_are_combined_in_order() {
    let baggage = read(&[b"a=1,b=2", b"", b" c=3 , a=4 "]);
    assert_eq!(baggage.to_string(), "a=4,b=2,c=3");
}

#[test]
fn the_first_equals_sign_separates_and_later_ones_belong_to_the_value() {
    assert_eq!(read_one("a=b=c==").get("a"), Some("b=c=="));
    assert_eq!(read_one("a=").get("a"), Some(""));
}

#[test]
fn whitespace_goes_before_decoding_and_not_after() {
    let baggage = read_one("\t a \t= %20x%20 \t;\tp = 1 ; q ");
    assert_eq!(baggage.get("a"), Some(" x "));
    assert_eq!(baggage.to_string(), "a=%20x%20;p=1;q");
}

#[test]
fn names_are_tokens_that_are_never_decoded_and_keep_their_case() {
    let baggage = read_one("%41=1,a=2,A=3,!#$%&'*+-.^_`|~=4");
    assert_eq!(
        pairs(&baggage).iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["%41", "a", "A", "!#$%&'*+-.^_`|~"]
    );
    for name in ["", "a b", "a,b", "é", "a\"", "a(b)", "a/b", "a=b", "a;b"] {
        let error = Baggage::new().with(name, "1").unwrap_err();
        assert_eq!(error, BaggageError::Name(name.to_owned()));
    }
}

#[test]
fn a_malformed_member_costs_nothing_but_itself() {
    let baggage = read(&[b"a=1,b,=2,c d=3,e=4;b\xc3\xa9=1,f=\x01,g=\xff,h=a\tb,i=5"]);
    assert_eq!(
        pairs(&baggage),
        [("a", "1"), ("h", "a\tb"), ("i", "5")].map(|(n, v)| (n.to_owned(), v.to_owned()))
    );
}

#[test]
fn values_that_should_have_been_encoded_are_read_and_written_encoded() {
    let baggage = read_one("a=Zoë \"\\x,b=100%");
    assert_eq!(baggage.get("a"), Some("Zoë \"\\x"));
    assert_eq!(baggage.to_string(), "a=Zo%C3%AB%20%22%5Cx,b=100%25");
}

#[test]
fn a_property_never_brings_in_a_member() {
    let baggage = read_one("a=1;p=%2Cevil%3D1,b=2");
    assert_eq!(baggage.to_string(), "a=1;p=%2Cevil%3D1,b=2");
    let baggage = Baggage::new().with_metadata("a", "1", "p=x,evil=1").unwrap();
    assert_eq!(pairs(&read_one(&baggage.to_string())).len(), 1);
    let error = Baggage::new().with_metadata("a", "1", "p,evil=1").unwrap_err();
    assert_eq!(error, BaggageError::Metadata("p,evil".to_owned()));
}

#[test]
fn setting_replaces_in_place_and_leaves_the_original_alone() {
    let before = read_one("a=1;m,b=2");
    let after = before.with("a", "long value").unwrap();
    assert_eq!(after.to_string(), "a=long%20value,b=2");
    assert_eq!(after, read_one("a=long%20value,b=2"));
    assert_eq!(after.without("a").without("x").to_string(), "b=2");
    assert_eq!(after.without("a").without("b"), Baggage::new());
    assert_eq!(before.to_string(), "a=1;m,b=2");
}

#[test]
fn sixty_four_members_and_8192_bytes_are_read_and_no_part_of_more() {
    let members =
        |count: usize| (0..count).map(|at| format!("k{at:02}=v")).collect::<Vec<_>>().join(",");
    assert_eq!(read_one(&members(64)).len(), 64);
    assert_eq!(read_one(&members(65)), read_one(&members(64)));
    assert_eq!(read_one(&members(64)).with("new", "1"), Err(BaggageError::TooManyMembers));
    assert!(read_one(&members(64)).with("k00", "1").is_ok());

    let exact = format!("a=1,b={}", "x".repeat(8192 - 6));
    assert_eq!(exact.len(), 8192);
    let baggage = read_one(&exact);
    assert_eq!(baggage.to_string(), exact);
    assert_eq!(read_one(&(exact.clone() + ",c=1")), baggage);
    assert_eq!(read(&[exact.as_bytes(), b"c=1"]), baggage);
    assert_eq!(read_one(&(exact + "x")).to_string(), "a=1");
    assert_eq!(baggage.with("c", "1"), Err(BaggageError::TooLong(8196)));
    assert_eq!(baggage.with("a", "11"), Err(BaggageError::TooLong(8193)));
}

#[test]
fn a_value_that_grows_by_encoding_is_dropped_whole_when_it_does_not_fit() {
    let text = format!("a=1,b={},c=3", "%FF".repeat(1000));
    assert_eq!(read_one(&text).to_string(), "a=1,c=3");
    let text = format!("a=1,b={},c=3", "\"".repeat(3000));
    assert_eq!(read_one(&text).to_string(), "a=1,c=3");
}

#[test]
fn a_huge_value_is_refused_with_its_size() {
    let error = Baggage::new().with("a", &"x".repeat(1_000_000)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "baggage would take 1000001 of at most 8192 bytes: remove members or shorten values"
    );
}

proptest! {
    #[test]
    fn changes_agree_with_a_list_of_pairs(
        steps in prop::collection::vec((any::<bool>(), "[a-cA]", "\\PC{0,4}"), 0..60),
    ) {
        let mut baggage = Baggage::new();
        let mut model: Vec<(String, String)> = Vec::new();
        for (set, name, value) in steps {
            if set {
                baggage = baggage.with(&name, &value).unwrap();
                match model.iter_mut().find(|(present, _)| *present == name) {
                    Some(pair) => pair.1 = value,
                    None => model.push((name, value)),
                }
            } else {
                baggage = baggage.without(&name);
                model.retain(|(present, _)| *present != name);
            }
            prop_assert_eq!(&pairs(&baggage), &model);
            prop_assert_eq!(&read_one(&baggage.to_string()), &baggage);
        }
    }

    #[test]
    fn whatever_is_read_is_written_within_the_limits_and_reads_back_as_itself(
        lines in prop::collection::vec("([a-c]=)?[a-d=,;% \\t\"é\\x01F0-9]{0,40}", 0..4),
        times in 1..200_usize,
    ) {
        let mut reader = BaggageReader::default();
        for line in &lines {
            reader.line(line.repeat(times).as_bytes());
        }
        let baggage = reader.finish();
        let header = baggage.to_string();
        prop_assert!(header.len() <= Baggage::MAX_BYTES && baggage.len() <= Baggage::MAX_MEMBERS);
        prop_assert_eq!(read_one(&header), baggage);
    }
}
