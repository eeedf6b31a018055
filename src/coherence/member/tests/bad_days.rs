//! Lost connections, lost messages, storms, and members that are not what they seem.

use std::time::Duration;

use proptest::prelude::*;

use super::{Group, STEP, id, node, seconds, settings};
use crate::coherence::codec::{Message, MessageBody, ProtocolVersion};
use crate::coherence::member::MemberSettings;
use crate::coherence::notice::Notice;
use crate::kit::Random;
use crate::model::TraceId;

#[test]
fn after_a_bus_that_was_killed_all_repeat_and_none_asks() {
    let mut group = Group::of(5);
    group.pass(seconds(1));
    (0..5).for_each(|at| group.cut(at));
    for bits in 0..5 {
        group.keep(bits as usize, bits + 1);
        group.pass(seconds(1));
    }
    let before = group.published;
    (0..5).for_each(|at| group.rejoin(at));
    group.pass(seconds(4));
    for at in 0..5 {
        let mut heard = group.heard(at);
        heard.sort();
        let others = (0..5).filter(|other| *other != at as u128);
        assert_eq!(heard, others.map(|bits| id(bits + 1)).collect::<Vec<_>>());
        assert_eq!(group.stats(at).lost_on_the_way_out, 0);
    }
    // Five batches and five repeats.
    assert_eq!(group.published - before, 10);
}

#[test]
fn an_outage_within_the_reach_of_the_rings_loses_nothing() {
    let mut group = Group::with_each(2, MemberSettings { repeat_back: seconds(40), ..settings() });
    group.pass(seconds(1));
    (0..2).for_each(|at| group.cut(at));
    for bits in 1..=30 {
        group.keep(0, bits);
        group.pass(seconds(1));
    }
    // The one that kept is back first, and speaks while the other does not listen yet.
    group.rejoin(0);
    group.pass(seconds(1));
    group.rejoin(1);
    group.pass(seconds(5));
    assert_eq!((group.heard(1).len(), group.stats(0).lost_on_the_way_out), (30, 0));
}

#[test]
fn who_was_cut_off_alone_asks_and_hears_what_was_missed() {
    let mut group = Group::of(3);
    group.keep(0, 100);
    group.keep(2, 101);
    group.pass(seconds(1));
    group.cut(1);
    group.keep(0, 1);
    group.keep(1, 2);
    group.keep(2, 3);
    group.pass(seconds(3));
    group.rejoin(1);
    group.pass(seconds(5));
    let heard = group.heard(1);
    assert!(heard.contains(&id(1)) && heard.contains(&id(3)), "{heard:?}");
    assert!(group.heard(0).contains(&id(2)));
    // A repeat came before any gap was seen, so nothing counts as missed.
    assert_eq!(group.stats(1).missed_on_the_bus, 0);
}

#[test]
fn a_gap_is_counted_and_leads_to_an_ask_that_fills_it() {
    let mut group = Group::of(3);
    group.keep(0, 1);
    group.pass(seconds(1));
    // The bus loses a message for one receiver, without any trace of it.
    group.nodes[1].is_connected = false;
    group.keep(0, 2);
    group.pass(seconds(1));
    group.nodes[1].is_connected = true;
    group.keep(0, 3);
    group.pass(Duration::from_millis(100));
    assert_eq!(group.stats(1).missed_on_the_bus, 1);
    group.pass(seconds(3));
    assert!(group.heard(1).contains(&id(2)));
    assert_eq!(group.stats(1).made_up_by_repeats, 1);
    assert_eq!(group.stats(2).heard, 3, "what is repeated is heard once");
}

#[test]
fn a_storm_of_asks_is_answered_seldom() {
    let mut group = Group::of(2);
    group.keep(0, 1);
    group.pass(seconds(1));
    let ask = {
        let body = MessageBody::Ask { back_millis: u64::MAX };
        Message::new("prod", 77, body).encode(ProtocolVersion::V1_1)
    };
    let before = group.published;
    for _ in 0..900 {
        group.deliver(&ask);
        group.pass(STEP);
    }
    let answers = group.published - before;
    assert!((1..=4).contains(&answers), "{answers} repeats in nine seconds");
}

#[test]
fn a_bus_that_comes_late_brings_what_was_kept_before() {
    let mut group = Group::of(2);
    (0..2).for_each(|at| group.cut(at));
    group.keep(0, 1);
    group.pass(seconds(5));
    (0..2).for_each(|at| group.rejoin(at));
    group.pass(seconds(3));
    assert_eq!(group.heard(1), [id(1)]);
}

#[test]
fn what_is_older_than_a_repeat_reaches_is_lost_and_counted_at_both_ends() {
    let mut group = Group::of(2);
    group.keep(0, 1);
    group.pass(seconds(1));
    group.cut(0);
    group.keep(0, 2);
    group.pass(seconds(20));
    group.rejoin(0);
    group.keep(0, 3);
    group.pass(seconds(5));
    assert_eq!(group.stats(0).lost_on_the_way_out, 1);
    assert_eq!(group.stats(1).missed_on_the_bus, 1);
    assert_eq!(group.heard(1), [id(1), id(3)]);
}

#[test]
fn two_members_with_one_number_hear_each_other() {
    let mut group = Group::of(1);
    group.nodes.push(node(&settings(), 0, group.now));
    assert_eq!(group.nodes[0].member.sender, group.nodes[1].member.sender);
    group.keep(0, 1);
    group.keep(1, 2);
    group.pass(seconds(1));
    assert_eq!((group.heard(0), group.heard(1)), (vec![id(2)], vec![id(1)]));
    assert_ne!(group.nodes[0].member.sender, group.nodes[1].member.sender);
    assert_eq!(group.stats(0).missed_on_the_bus + group.stats(1).missed_on_the_bus, 0);
}

#[test]
fn a_member_that_restarts_is_no_gap() {
    let mut group = Group::of(2);
    for bits in 1..10 {
        group.keep(0, bits);
        group.pass(STEP);
    }
    group.pass(seconds(1));
    group.nodes[0] = node(&settings(), 50, group.now);
    group.keep(0, 77);
    group.pass(seconds(1));
    assert_eq!((group.stats(1).missed_on_the_bus, group.stats(1).heard), (0, 10));
}

#[test]
fn storms_are_cut_at_both_ends_alike() {
    let few = MemberSettings { announced_per_second: 50, accepted_per_second: 50, ..settings() };
    let mut group = Group::with_each(3, few);
    let random = Random::seeded(8);
    for _ in 0..100 {
        for _ in 0..20 {
            let notice = Notice::new(TraceId::random(&random));
            group.nodes[0].member.on_decided(notice, group.now);
        }
        group.pass(STEP);
    }
    group.pass(seconds(1));
    let stats = group.stats(0);
    assert!((25..=110).contains(&stats.announced), "{}", stats.announced);
    assert_eq!(stats.announced + stats.over_budget, 2_000);
    assert_eq!(group.heard(1), group.heard(2));
    assert!(group.stats(1).heard * 10 >= stats.announced * 9, "what all may announce is accepted");
}

proptest! {
    /// No announcement of an announcement: whatever happens to connections, no more is announced than was decided.
    #[test]
    fn the_number_of_notices_is_bounded_by_the_number_of_decisions(
        count in 2u64..7,
        steps in proptest::collection::vec((0usize..7, 0u8..4, 1u128..30), 1..120),
    ) {
        let mut group = Group::of(count);
        let mut decisions = 0;
        for (at, what, bits) in steps {
            let at = at % count as usize;
            match what {
                0 => { if group.nodes[at].is_connected { group.cut(at) } else { group.rejoin(at) } }
                1 => group.pass(Duration::from_millis(500)),
                _ => { group.keep(at, bits); decisions += 1; }
            }
            // Each node also "keeps" what it heard of, as an engine would that announces too much.
            for at in 0..count as usize {
                for heard in std::mem::take(&mut group.nodes[at].heard) {
                    let now = group.now;
                    group.nodes[at].member.on_decided(heard.notice, now);
                }
            }
        }
        group.pass(seconds(20));
        let announced: u64 = (0..count as usize).map(|at| group.stats(at).announced).sum();
        prop_assert!(announced <= decisions, "{} announced for {} decisions", announced, decisions);
    }
}
