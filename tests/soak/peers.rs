//! Peers with faults that come and go.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use tailtrace::Pipeline;

use crate::Dice;
use crate::server::{Received, Reply, Server, Speaks};

/// Which spans have arrived, by their numbers.
type Arrived = Arc<Mutex<Vec<bool>>>;

pub(crate) struct Peers {
    pub(crate) http: Server,
    pub(crate) grpc: Server,
    pub(crate) spooled: Server,
    is_well: Arc<AtomicBool>,
    arrived: Arrived,
    /// How many spans without a number have arrived by each way.
    others: Arc<Mutex<u64>>,
}

/// What a peer does for a while.
#[derive(Clone, Copy, Debug)]
enum Mood {
    Well,
    Busy,
    AsksForTime,
    Hangs,
    Closes,
    /// Each request has another mood.
    Flaps,
}

const MOODS: [Mood; 8] = [
    Mood::Well,
    Mood::Well,
    Mood::Well,
    Mood::Busy,
    Mood::AsksForTime,
    Mood::Hangs,
    Mood::Closes,
    Mood::Flaps,
];

impl Peers {
    /// Peers for spans with numbers below `most`.
    pub(crate) fn start(seed: u64, most: u64) -> Self {
        let is_well = Arc::new(AtomicBool::new(false));
        let arrived: Arrived = Arc::new(Mutex::new(vec![false; most as usize]));
        let others = Arc::default();
        let server = |speaks, number| {
            let mut moods = Moods::new(Dice(seed ^ number), Arc::clone(&is_well));
            let (arrived, others) = (Arc::clone(&arrived), Arc::clone(&others));
            Server::start(speaks, move |request| {
                let reply = moods.reply(speaks);
                let is_taken =
                    matches!(reply, Reply::Http { status: 200, .. } | Reply::Grpc { code: 0, .. });
                if is_taken {
                    take(request, &arrived, &others);
                }
                reply
            })
        };
        let [http, grpc, spooled] = [(Speaks::Http, 1), (Speaks::Grpc, 2), (Speaks::Http, 3)]
            .map(|(speaks, number)| server(speaks, number));
        Self { http, grpc, spooled, is_well, arrived, others }
    }

    pub(crate) fn set_well(&self, is_well: bool) {
        self.is_well.store(is_well, Ordering::SeqCst);
    }

    /// Forgets the requests that were kept for a look.
    pub(crate) fn drain(&self) {
        for server in [&self.http, &self.grpc, &self.spooled] {
            drop(server.so_far());
        }
    }

    /// What the ledgers call exported has arrived.
    pub(crate) fn check_arrived(&self, pipelines: &[&Pipeline]) {
        let exported: u64 = pipelines.iter().map(|pipeline| pipeline.stats().exported).sum();
        let numbered = self.arrived.lock().unwrap().iter().filter(|arrived| **arrived).count();
        let others = *self.others.lock().unwrap();
        println!("exported {exported}, arrived by number {numbered}, without one {others}");
        assert!(numbered as u64 <= exported, "more arrived than was exported");
        assert!(numbered as u64 + others >= exported, "less arrived than was exported");
    }
}

fn take(request: &Received, arrived: &Arrived, others: &Arc<Mutex<u64>>) {
    let scopes = request.message().resource_spans.into_iter().flat_map(|spans| spans.scope_spans);
    let mut arrived = arrived.lock().unwrap();
    for span in scopes.flat_map(|scope| scope.spans) {
        let number = span.attributes.iter().find(|tag| tag.key == "n");
        let value = number.and_then(|tag| tag.value.as_ref()?.value.as_ref());
        match value {
            Some(Value::IntValue(number)) => arrived[*number as usize] = true,
            _ => *others.lock().unwrap() += 1,
        }
    }
}

/// One peer's moods, each for some seconds.
struct Moods {
    dice: Dice,
    is_well: Arc<AtomicBool>,
    mood: Mood,
    until: Instant,
}

impl Moods {
    fn new(dice: Dice, is_well: Arc<AtomicBool>) -> Self {
        Self { dice, is_well, mood: Mood::Well, until: Instant::now() }
    }

    fn reply(&mut self, speaks: Speaks) -> Reply {
        if Instant::now() >= self.until {
            self.mood = self.roll();
            self.until = Instant::now() + Duration::from_millis(500 + self.dice.below(6_000));
        }
        let mood = match self.mood {
            _ if self.is_well.load(Ordering::SeqCst) => Mood::Well,
            Mood::Flaps => self.roll(),
            mood => mood,
        };
        match (mood, speaks) {
            (Mood::Hangs, _) => Reply::Hang,
            (Mood::Closes, _) => Reply::Close,
            (Mood::Busy, Speaks::Http) => Reply::status(503),
            (Mood::AsksForTime, Speaks::Http) => Reply::status(429).with_header("retry-after", "1"),
            (Mood::Busy | Mood::AsksForTime, Speaks::Grpc) => Reply::code(14),
            (_, Speaks::Http) => Reply::ok(),
            (_, Speaks::Grpc) => Reply::code(0),
        }
    }

    fn roll(&mut self) -> Mood {
        MOODS[self.dice.below(MOODS.len() as u64) as usize]
    }
}
