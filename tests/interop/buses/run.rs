//! Five services on a bus, and what of the wanted traces came to the collector whole.

use std::env;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::collector::Collector;
use crate::node::{AUTHORITY, JOB, Job, SERVICES, trace_id};
use crate::pause;

/// From the start of the processes to the first trace: all are connected by then.
const WARM_UP: Duration = Duration::from_secs(2);

/// What five services do together.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The address of the bus for each service.
    pub(crate) buses: Vec<String>,
    pub(crate) group: &'static str,
    pub(crate) per_second: u64,
    pub(crate) seconds: u64,
    /// Of this many traces one is wanted.
    pub(crate) one_of: u64,
    pub(crate) linger: Duration,
    pub(crate) authority: Option<String>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) wanted: usize,
    /// Wanted traces of which all five parts came.
    pub(crate) coherent: usize,
    /// Traces that came and were not wanted.
    pub(crate) unwanted: usize,
}

impl Plan {
    pub(crate) fn new(bus: &str, group: &'static str) -> Self {
        Self {
            buses: vec![bus.to_owned(); SERVICES as usize],
            group,
            per_second: 500,
            seconds: 3,
            one_of: 10,
            linger: Duration::from_secs(1),
            authority: None,
        }
    }

    /// This for so long that an outage of some seconds passes in the middle.
    pub(crate) fn with_outage(mut self) -> Self {
        self.seconds = 10;
        self.linger = Duration::from_secs(6);
        self
    }

    /// Runs it; `meanwhile` is called when the first trace begins.
    #[track_caller]
    pub(crate) fn run(&self, meanwhile: impl FnOnce()) -> Outcome {
        let collector = Collector::start();
        let start = SystemTime::now() + WARM_UP;
        let start = start.duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
        let traces = self.per_second * self.seconds;
        let job = |(index, bus): (usize, &String)| Job {
            index: index as u64,
            bus: bus.clone(),
            group: self.group.to_owned(),
            collector: collector.url.clone(),
            per_second: self.per_second,
            traces,
            one_of: self.one_of,
            start,
            linger: self.linger.as_millis() as u64,
        };
        let jobs = self.buses.iter().enumerate().map(job);
        let services: Vec<Child> = jobs.map(|job| self.spawn(&job)).collect();
        pause(WARM_UP);
        meanwhile();
        for service in services {
            let output = service.wait_with_output().unwrap();
            println!("{}", String::from_utf8_lossy(&output.stdout));
            assert!(output.status.success(), "a service failed");
        }
        self.count(&collector, traces)
    }

    fn spawn(&self, job: &Job) -> Child {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "node::service", "--nocapture"]).env(JOB, job.to_text());
        if let Some(pem) = &self.authority {
            command.env(AUTHORITY, pem);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap()
    }

    fn count(&self, collector: &Collector, traces: u64) -> Outcome {
        let services = collector.services();
        let parts = |number| {
            let id = trace_id(self.group, number).to_bytes();
            services.get(id.as_slice()).map_or(0, |services| services.len() as u64)
        };
        let wanted: Vec<u64> = (0..traces).filter(|at| at.is_multiple_of(self.one_of)).collect();
        let coherent = wanted.iter().filter(|number| parts(**number) == SERVICES).count();
        let came = wanted.iter().filter(|number| parts(**number) > 0).count();
        let outcome = Outcome { wanted: wanted.len(), coherent, unwanted: services.len() - came };
        println!("{}: {outcome:?}", self.group);
        outcome
    }
}

impl Outcome {
    /// At least 99.9 of 100 wanted traces are whole, and nothing else came.
    #[track_caller]
    pub(crate) fn assert_coherent(&self) {
        assert!((self.wanted - self.coherent) * 1_000 <= self.wanted, "{self:?}");
        assert_eq!(self.unwanted, 0, "{self:?}");
    }
}
