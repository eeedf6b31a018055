//! Members on a simulated bus, with a clock that the test moves.

mod bad_days;
mod good_days;

use std::sync::Arc;
use std::time::Duration;

use super::{Member, MemberSettings};
use crate::coherence::codec::ProtocolVersion;
use crate::coherence::heard::HeardNotice;
use crate::coherence::notice::Notice;
use crate::coherence::remembered::Remembered;
use crate::kit::Random;
use crate::ledger::{CoherenceCounters, CoherenceStats};
use crate::model::TraceId;
use crate::time::Tick;

const STEP: Duration = Duration::from_millis(10);

/// Members and the bus between them, which returns messages to their sender, as Redis does.
struct Group {
    now: Tick,
    nodes: Vec<Node>,
    /// How many messages the bus was given.
    published: usize,
}

struct Node {
    member: Member,
    counters: Arc<CoherenceCounters>,
    is_connected: bool,
    heard: Vec<HeardNotice>,
}

fn settings() -> MemberSettings {
    MemberSettings {
        group: "prod".to_owned(),
        service: "payment".into(),
        version: ProtocolVersion::default(),
        batch_age: Duration::from_millis(20),
        repeat_back: seconds(10),
        announced_per_second: 1_000,
        accepted_per_second: 10_000,
    }
}

fn node(settings: &MemberSettings, seed: u64, now: Tick) -> Node {
    let random = Random::seeded(seed);
    let remembered = Arc::new(Remembered::new(65_536, Duration::from_secs(60), &random));
    let counters = Arc::<CoherenceCounters>::default();
    let mut member = Member::new(settings, remembered, Arc::clone(&counters), random, now);
    member.on_connected(now);
    Node { member, counters, is_connected: true, heard: Vec::new() }
}

fn id(bits: u128) -> TraceId {
    TraceId::from_bits(bits << 40 | bits).unwrap()
}

impl Group {
    fn of(count: u64) -> Self {
        Self::with_each(count, settings())
    }

    fn with_each(count: u64, settings: MemberSettings) -> Self {
        let now = Tick::from_nanos(1_000_000_000);
        let nodes = (0..count).map(|seed| node(&settings, seed, now)).collect();
        Self { now, nodes, published: 0 }
    }

    fn keep(&mut self, at: usize, bits: u128) {
        self.nodes[at].member.on_decided(Notice::new(id(bits)).with_policy("Errors"), self.now);
    }

    fn cut(&mut self, at: usize) {
        self.nodes[at].is_connected = false;
        self.nodes[at].member.on_disconnected(self.now);
    }

    fn rejoin(&mut self, at: usize) {
        self.nodes[at].is_connected = true;
        self.nodes[at].member.on_connected(self.now);
    }

    /// Lets time pass, with all messages delivered at once to those who are connected.
    fn pass(&mut self, time: Duration) {
        let end = self.now.after(time);
        while self.now < end {
            self.now = self.now.after(STEP);
            for at in 0..self.nodes.len() {
                while let Some(message) = self.nodes[at].member.poll_publish(self.now) {
                    self.published += 1;
                    self.deliver(&message);
                }
                let node = &mut self.nodes[at];
                node.heard.extend(std::iter::from_fn(|| node.member.poll_keep()));
            }
        }
    }

    fn deliver(&mut self, message: &[u8]) {
        for node in self.nodes.iter_mut().filter(|node| node.is_connected) {
            let _ = node.member.on_message(message, self.now);
        }
    }

    fn stats(&self, at: usize) -> CoherenceStats {
        self.nodes[at].counters.snapshot()
    }

    /// The traces that a node heard of from others.
    fn heard(&self, at: usize) -> Vec<TraceId> {
        let heard = self.nodes[at].heard.iter().filter(|heard| !heard.is_own);
        heard.map(|heard| heard.notice.trace_id).collect()
    }
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}
