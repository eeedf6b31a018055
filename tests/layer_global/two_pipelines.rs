//! Two pipelines under one subscriber.

use super::deciders::{PROGRAM, meddling_tail, names, program};
use super::process::{alone, trace_under};
use crate::support::keeping;
use crate::way;
use tailtrace::{AlwaysOn, InMemoryExporter, Pipeline};

#[test]
fn policies_of_two_layers_that_trace_into_each_other_come_to_an_end() {
    alone(policies_of_two_layers_that_trace_into_each_other_come_to_an_end, |default| {
        let memory = InMemoryExporter::new();
        let second = Pipeline::builder("second")
            .with_sampler(AlwaysOn)
            .with_tail(meddling_tail)
            .with_exporter(memory.clone())
            .start()
            .unwrap();
        let layered = |pipeline: &Pipeline| way::both(pipeline, &second);
        let builder = keeping().with_tail(meddling_tail);
        let outcome = trace_under(default, builder, layered, |_| program());
        assert_eq!(names(&outcome), PROGRAM);
        second.shutdown(crate::support::PATIENCE).unwrap();
        assert!(second.stats().balances(), "{}", second.stats());
        let meant = memory.traces();
        let meant = meant.iter().flat_map(|trace| trace.spans());
        let meant = meant.filter(|span| !span.operation_name().starts_with("meddling"));
        assert_eq!(meant.count(), PROGRAM.len());
    });
}
