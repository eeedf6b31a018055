//! What is remembered, against a map, and how well.

use super::*;
use proptest::prelude::*;
use std::collections::{HashMap, HashSet};

fn id(bits: u128) -> TraceId {
    TraceId::from_bits(bits).unwrap()
}

fn at(millis: u64) -> Tick {
    Tick::from_nanos(millis * 1_000_000)
}

fn room(capacity: usize) -> Remembered {
    Remembered::new(capacity, Duration::from_secs(60), &Random::seeded(1))
}

#[test]
fn an_id_is_remembered_for_its_time_and_no_longer() {
    let remembered = room(64);
    assert!(!remembered.contains(id(5), at(0)));
    assert!(remembered.insert(id(5), at(0)));
    assert!(!remembered.insert(id(5), at(1)));
    assert!(remembered.contains(id(5), at(60_000)));
    assert!(!remembered.contains(id(5), at(60_001)));
    assert!(remembered.insert(id(5), at(60_001)), "it was forgotten");
}

#[test]
fn a_part_is_not_the_whole_nor_another_part() {
    let remembered = room(64);
    let part = |bits| SpanId::from_bits(bits).unwrap();
    remembered.insert_part(id(5), part(1), at(0));
    assert!(remembered.contains_part(id(5), part(1), at(1)));
    assert!(!remembered.contains_part(id(5), part(2), at(1)));
    assert!(!remembered.contains(id(5), at(1)));
}

#[test]
fn a_table_that_is_full_has_forgotten_none_and_answers_few_wrongly() {
    let remembered = room(65_536);
    let random = Random::seeded(3);
    let ids: Vec<TraceId> = (0..65_536).map(|_| TraceId::random(&random)).collect();
    assert!(ids.iter().all(|id| remembered.insert(*id, at(0))));
    let found = ids.iter().filter(|id| remembered.contains(**id, at(1))).count();
    assert_eq!(found, 65_536);
    let others = || (0..100_000).map(|_| TraceId::random(&random));
    assert_eq!(others().filter(|id| remembered.contains(*id, at(1))).count(), 0);
    let passed = others().filter(|id| remembered.may_have(remembered.key(id.to_bits())));
    let passed = passed.count();
    assert!(passed < 3_000, "{passed} of 100,000 passed the filter");
}

#[test]
fn ids_that_share_a_half_have_keys_of_their_own() {
    let remembered = room(1_024);
    let fixed = [0, 1, u64::MAX, 0x9e37_79b9_7f4a_7c14, 0x9e37_79b9_7f4a_7c15];
    for half in fixed.map(u128::from) {
        for place in [0, 64] {
            let ids = (1..2_000_u128).map(|other| (half << (64 - place)) | (other << place));
            let keys: HashSet<u64> = ids.clone().map(|id| remembered.key(id)).collect();
            assert_eq!(keys.len(), 1_999, "{half:x} at {place}");
            let buckets: HashSet<u64> = keys.iter().map(|key| key >> 36 & 0xff).collect();
            assert!(buckets.len() > 200, "{} of 256 buckets for {half:x}", buckets.len());
        }
    }
}

#[test]
fn the_filter_forgets_too() {
    let remembered = room(1_024);
    let random = Random::seeded(3);
    for second in 0..1_000 {
        for _ in 0..17 {
            remembered.insert(TraceId::random(&random), at(second * 1_000));
        }
    }
    let bits: u32 =
        remembered.filter.iter().map(|word| word.load(Ordering::Relaxed).count_ones()).sum();
    assert!(bits < 4_000, "{bits} bits of {}", 64 * remembered.filter.len());
}

proptest! {
    #[test]
    fn it_agrees_with_a_map_of_times(steps in proptest::collection::vec((1u128..40, 0u64..9_000, any::<bool>()), 1..200)) {
        let remembered = room(4_096);
        let mut model: HashMap<u128, u64> = HashMap::new();
        let mut now = 0;
        for (bits, wait, insert) in steps {
            now += wait;
            let known = model.get(&bits).is_some_and(|until| *until > now);
            if insert {
                prop_assert_eq!(remembered.insert(id(bits), at(now)), !known);
                model.insert(bits, now + 60_000);
            } else {
                prop_assert_eq!(remembered.contains(id(bits), at(now)), known);
            }
        }
    }
}
