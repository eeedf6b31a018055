//! What `benches/clock.sh` measures: CPU time, which shows what instruction counts hide.
//!
//! Threads that write to one line of memory and buffers that are no longer in a cache cost time and
//! hardly an instruction. Every row runs in a process of its own, with its subscriber as the one of
//! the process; the processes take turns, so that what disturbs the machine disturbs all of them. A
//! row's number is the median of its turns, and what is judged are ratios of two rows of one run.
//!
//! Of two threads, each has its core only where nothing else runs: the process that asks for the
//! turns sleeps meanwhile, and CPU time does not count what a thread waits for its core.

pub mod chart;
pub mod comparison;
pub mod cpu;
pub mod measure;
pub mod rows;
pub mod verdicts;
pub mod worker;
