//! Five services on a bus, and what of the wanted traces came to the collector whole.

use std::env;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::collector::{Collector, Traces};
use crate::node::{AUTHORITY, CPU_MICROS, JOB, Job, SERVICES, trace_id};
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
    /// How long kept traces gather before they are sent to the collector.
    pub(crate) batch_millis: u64,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) wanted: usize,
    /// Wanted traces of which all five parts came.
    pub(crate) coherent: usize,
    /// Traces that came and were not wanted.
    pub(crate) unwanted: usize,
    /// The CPU time of each service.
    cpu: Vec<Duration>,
    /// For how long the services worked.
    worked: Duration,
    /// For each wanted trace that is whole, the time from the arrival of the part that failed to that of the last one;
    /// in order.
    lags: Vec<Duration>,
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
            batch_millis: 100,
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
        self.run_to(&collector, collector.port, meanwhile)
    }

    /// Runs it with services that export to a port, behind which their spans come to the collector in the end.
    #[track_caller]
    pub(crate) fn run_to(
        &self,
        collector: &Collector,
        port: u16,
        meanwhile: impl FnOnce(),
    ) -> Outcome {
        let start = SystemTime::now() + WARM_UP;
        let start = start.duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
        let traces = self.per_second * self.seconds;
        let job = |(index, bus): (usize, &String)| Job {
            index: index as u64,
            bus: bus.clone(),
            group: self.group.to_owned(),
            collector: format!("http://127.0.0.1:{port}/v1/traces"),
            per_second: self.per_second,
            traces,
            one_of: self.one_of,
            start,
            linger: self.linger.as_millis() as u64,
            batch: self.batch_millis,
        };
        let jobs = self.buses.iter().enumerate().map(job);
        let services: Vec<Child> = jobs.map(|job| self.spawn(&job)).collect();
        pause(WARM_UP);
        meanwhile();
        let mut cpu = Vec::new();
        for service in services {
            let output = service.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "a service failed:\n{said}");
            let micros = said.lines().find_map(|line| line.strip_prefix(CPU_MICROS));
            cpu.push(Duration::from_micros(micros.unwrap().parse().unwrap()));
            if self.batch_millis > 1 {
                println!("{said}");
            }
        }
        let outcome = self.count(&collector.traces(), cpu, traces);
        println!(
            "{}: {} of {} wanted traces are whole",
            self.group, outcome.coherent, outcome.wanted
        );
        outcome
    }

    fn spawn(&self, job: &Job) -> Child {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "node::service", "--nocapture"]).env(JOB, job.to_text());
        if let Some(pem) = &self.authority {
            command.env(AUTHORITY, pem);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap()
    }

    fn count(&self, came: &Traces, cpu: Vec<Duration>, traces: u64) -> Outcome {
        let wanted: Vec<u64> = (0..traces).filter(|at| at.is_multiple_of(self.one_of)).collect();
        let parts = |number: &u64| came.get(trace_id(self.group, *number).to_bytes().as_slice());
        let mut lags = Vec::new();
        for number in &wanted {
            let Some(parts) = parts(number).filter(|parts| parts.len() as u64 == SERVICES) else {
                continue;
            };
            let failed = format!("service-{}", number / self.one_of % SERVICES);
            let last = parts.values().max().unwrap();
            lags.push(last.saturating_duration_since(parts[&failed]));
        }
        lags.sort();
        Outcome {
            wanted: wanted.len(),
            coherent: lags.len(),
            unwanted: came.len() - wanted.iter().filter_map(parts).count(),
            cpu,
            worked: Duration::from_secs(self.seconds) + self.linger,
            lags,
        }
    }
}

impl Outcome {
    /// The lag that this share of the traces did not exceed.
    pub(crate) fn lag(&self, share: f64) -> Duration {
        let index = (self.lags.len() as f64 * share) as usize;
        self.lags.get(index).or(self.lags.last()).copied().unwrap_or_default()
    }

    /// The share of one core that a service used, in the mean.
    pub(crate) fn cpu_share(&self) -> f64 {
        let used: Duration = self.cpu.iter().sum();
        used.as_secs_f64() / self.worked.as_secs_f64() / self.cpu.len() as f64
    }

    /// The CPU time of all services together.
    pub(crate) fn cpu_micros(&self) -> u64 {
        self.cpu.iter().sum::<Duration>().as_micros() as u64
    }

    /// At least 99.9 of 100 wanted traces are whole, and nothing else came.
    #[track_caller]
    pub(crate) fn assert_coherent(&self) {
        assert!((self.wanted - self.coherent) * 1_000 <= self.wanted, "{self:?}");
        assert_eq!(self.unwanted, 0, "{self:?}");
    }
}
