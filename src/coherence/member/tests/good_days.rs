//! With the bus as it should be.

use std::time::Duration;

use super::{Group, STEP, id, node, seconds, settings};
use crate::coherence::codec::{Message, MessageBody, ProtocolVersion};
use crate::coherence::heard::HeardOutcome;
use crate::coherence::member::MemberSettings;
use crate::coherence::notice::Notice;
use crate::ledger::CoherenceStats;
use crate::model::SpanId;

#[test]
fn what_one_keeps_is_heard_by_all_others_once_and_by_name() {
    let mut group = Group::of(3);
    group.keep(0, 1);
    group.pass(STEP);
    assert_eq!(group.heard(1), [], "it waits for others to share the message");
    group.keep(0, 2);
    group.pass(2 * STEP);
    for at in [1, 2] {
        assert_eq!(group.heard(at), [id(1), id(2)]);
        assert_eq!(group.nodes[at].heard[0].kept_by(), "Errors of payment");
    }
    assert_eq!((group.published, group.heard(0)), (1, vec![]));
    assert_eq!((group.stats(0).announced, group.stats(1).heard), (2, 2));
}

#[test]
fn an_own_notice_leads_back_to_earlier_parts_of_the_same_trace() {
    let mut group = Group::of(1);
    group.keep(0, 1);
    group.keep(0, 1);
    group.pass(seconds(1));
    let own: Vec<bool> = group.nodes[0].heard.iter().map(|heard| heard.is_own).collect();
    assert_eq!((own, group.stats(0).announced), (vec![true], 1));
    let heard = &group.nodes[0].heard[0];
    HeardOutcome::Unknown.count(heard, &group.nodes[0].counters);
    assert_eq!(group.stats(0).unknown_here, 0);
}

#[test]
fn what_was_heard_first_is_not_announced() {
    let mut group = Group::of(3);
    group.keep(0, 1);
    group.pass(seconds(1));
    group.keep(1, 1);
    group.pass(seconds(1));
    assert_eq!((group.published, group.stats(1).announced), (1, 0));
}

#[test]
fn a_part_is_announced_beside_other_parts_of_its_trace() {
    let mut group = Group::of(2);
    for top in 1..=3 {
        let part = Notice::new(id(1)).with_part(SpanId::from_bits(top).unwrap(), None);
        group.nodes[0].member.on_decided(part.clone(), group.now);
        group.nodes[0].member.on_decided(part, group.now);
    }
    group.pass(seconds(1));
    assert_eq!((group.heard(1), group.stats(1).heard), (vec![id(1); 3], 3));
}

#[test]
fn another_group_on_the_same_bus_is_not_heard() {
    let mut group = Group::of(1);
    let other = MemberSettings { group: "test".to_owned(), ..settings() };
    group.nodes.push(node(&other, 9, group.now));
    group.keep(0, 1);
    group.pass(seconds(1));
    assert_eq!((group.heard(1), group.stats(1)), (vec![], CoherenceStats::default()));
}

#[test]
fn two_versions_in_one_group_hear_each_other() {
    let mut group = Group::of(1);
    let held = MemberSettings { version: ProtocolVersion::V1_0, ..settings() };
    group.nodes.push(node(&held, 9, group.now));
    group.keep(0, 1);
    group.keep(1, 2);
    group.pass(seconds(1));
    assert_eq!((group.heard(0), group.heard(1)), (vec![id(2)], vec![id(1)]));
    let by_old = group.nodes[0].heard.iter().find(|heard| !heard.is_own).unwrap();
    assert_eq!(by_old.kept_by(), "another service");
}

#[test]
fn what_cannot_be_read_is_counted() {
    let mut group = Group::of(1);
    group.deliver(b"KEEP OUT");
    let mut later = Message::new("prod", 3, MessageBody::Notices(vec![Notice::new(id(1))]))
        .encode(ProtocolVersion::V1_1);
    later[1] = 0x20;
    group.deliver(&later);
    assert_eq!((group.stats(0).malformed, group.stats(0).heard), (2, 0));
}

#[test]
fn a_member_that_is_asked_at_its_deadlines_is_as_prompt_as_one_that_is_always_asked() {
    let mut group = Group::of(1);
    assert_eq!(group.nodes[0].member.next_deadline(), None);
    group.keep(0, 1);
    let due = group.nodes[0].member.next_deadline().unwrap();
    assert_eq!(due.since(group.now), Duration::from_millis(20));
    assert!(group.nodes[0].member.poll_publish(due).is_some());
    assert_eq!((group.nodes[0].member.waiting(), group.nodes[0].member.next_deadline()), (0, None));
    group.cut(0);
    group.rejoin(0);
    let due = group.nodes[0].member.next_deadline().unwrap();
    let repeat = group.nodes[0].member.poll_publish(due);
    assert!(repeat.is_some_and(|message| message[2] == 1), "a repeat");
    group.nodes[0].member.flush();
    assert!(group.nodes[0].member.next_deadline() > Some(due));
}
