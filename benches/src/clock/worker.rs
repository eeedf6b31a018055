//! The process of one row: it makes as many spans as it is told to, and says what they cost.

use std::io::{self, BufRead, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::Duration;

use super::cpu;
use super::rows::Row;
use crate::Job;

/// CPU nanoseconds per span.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// On the threads that make the spans.
    pub caller: f64,
    /// On all threads, what is due in the background included.
    pub process: f64,
}

/// Runs in the worker's process: answers each line, a number of spans per thread, with its cost.
pub fn serve(row: &Row, threads: usize) {
    let mut job = row.start();
    job.subscribe_process();
    let job = Arc::new(job);
    let together = Arc::new(Barrier::new(threads));
    let makers: Vec<_> = (0..threads).map(|_| Maker::start(&job, &together)).collect();
    for line in io::stdin().lock().lines() {
        let line = line.expect("the driver writes text");
        let spans: usize = line.trim().parse().expect("the driver writes numbers");
        let calls = spans.div_ceil(row.spans);
        // Settled before a queue is full: a span that is lost would look cheap.
        let at_once = (job.settle_after / threads / row.spans).max(1);
        let before = cpu::of_process();
        let mut caller = Duration::ZERO;
        let mut left = calls;
        while left > 0 {
            let now = left.min(at_once);
            let answers: Vec<_> = makers.iter().map(|maker| maker.ask(now)).collect();
            caller += answers
                .iter()
                .map(|used| used.recv().expect("no library panics"))
                .sum::<Duration>();
            (job.settle)();
            left -= now;
        }
        let process = cpu::of_process() - before;
        let made = (calls * row.spans * threads) as f64;
        let process = process.as_secs_f64() * 1e9 / made;
        let caller = caller.as_secs_f64() * 1e9 / made;
        println!("{} {process}", if row.own_threads { process } else { caller });
        io::stdout().flush().expect("the driver reads");
    }
}

/// A thread that lives as long as the process, as those of a service do.
struct Maker(mpsc::Sender<(usize, mpsc::Sender<Duration>)>);

impl Maker {
    fn start(job: &Arc<Job>, together: &Arc<Barrier>) -> Self {
        let (sender, receiver) = mpsc::channel::<(usize, mpsc::Sender<Duration>)>();
        let (job, together) = (Arc::clone(job), Arc::clone(together));
        thread::spawn(move || {
            for (calls, answer) in receiver {
                together.wait();
                let before = cpu::of_thread();
                for _ in 0..calls {
                    (job.trace)();
                }
                let used = cpu::of_thread() - before;
                answer.send(used).expect("the process waits for it");
            }
        });
        Self(sender)
    }

    fn ask(&self, calls: usize) -> mpsc::Receiver<Duration> {
        let (sender, receiver) = mpsc::channel();
        self.0.send((calls, sender)).expect("the thread lives as long as the process");
        receiver
    }
}

/// A worker's process, as the driver sees it.
pub struct Worker {
    child: Child,
    input: ChildStdin,
    output: io::Lines<io::BufReader<ChildStdout>>,
}

impl Worker {
    /// Starts the process of a row.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(row: &str, threads: usize) -> io::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["worker", row, &threads.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take().expect("it is piped");
        let output = io::BufReader::new(child.stdout.take().expect("it is piped")).lines();
        Ok(Self { child, input, output })
    }

    /// Has it make spans, and waits for what they cost.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn run(&mut self, spans: usize) -> io::Result<Cost> {
        writeln!(self.input, "{spans}")?;
        self.input.flush()?;
        let line = self.output.next().ok_or(io::ErrorKind::UnexpectedEof)??;
        let mut numbers = line.split(' ').map(str::parse);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(caller)), Some(Ok(process))) => Ok(Cost { caller, process }),
            _ => Err(io::Error::other(format!("the worker said {line:?}"))),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It has nothing to save, and some libraries take their time to end.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
