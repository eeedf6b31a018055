//! Traces with the logs of a program beside them: JSON, written to nowhere, under a filter of their own.

use tailtrace::TailSampler;
use tracing::Subscriber;
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::prelude::*;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, fmt};

use super::pipeline;
use crate::Job;

fn json<S>() -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fmt::layer().json().with_writer(std::io::sink)
}

/// tailtrace's layer, with the logs on the same registry.
pub fn beside_layer(filter: &str, shape: impl Fn() + Send + Sync + 'static) -> Job {
    let pipeline = pipeline::builder().with_tail(TailSampler::new());
    let pipeline = pipeline.start().expect("this machine starts threads");
    let logs = json().with_filter(EnvFilter::new(filter));
    let subscriber = tracing_subscriber::registry().with(pipeline.layer()).with(logs);
    Job::new(move || {
        let _running = &pipeline;
        shape();
    })
    .under(subscriber)
}

/// tailtrace's subscriber, with the logs beside it.
pub fn beside_subscriber(filter: &str, shape: impl Fn() + Send + Sync + 'static) -> Job {
    let pipeline = pipeline::builder().with_tail(TailSampler::new());
    let pipeline = pipeline.start().expect("this machine starts threads");
    let logs = tracing_subscriber::registry().with(json()).with(EnvFilter::new(filter));
    let subscriber = pipeline.subscriber().with_logs(logs);
    Job::new(move || {
        let _running = &pipeline;
        shape();
    })
    .under(subscriber)
}
