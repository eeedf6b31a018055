//! Roots that stay open are told in the program's own log.

use crate::way;
use std::fmt::Debug;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use super::process::{Default, alone, trace_under};
use crate::support::{PATIENCE, tailed};
use tailtrace::Pipeline;
use tailtrace::time::ManualClock;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber, info_span};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::prelude::*;

/// What the crate itself logs.
struct OwnLog(Sender<String>);

impl<S: Subscriber> Layer<S> for OwnLog {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "tailtrace" {
            event.record(&mut Message(&self.0));
        }
    }
}

struct Message<'s>(&'s Sender<String>);

impl Visit for Message<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            let _ = self.0.send(format!("{value:?}"));
        }
    }
}

#[test]
fn a_root_that_stays_open_is_told_once_with_its_name_and_its_place() {
    alone(a_root_that_stays_open_is_told_once_with_its_name_and_its_place, |default| {
        // A thread of the pipeline logs, which sees no scoped subscriber.
        if default == Default::Scoped {
            return;
        }
        let (told, telling) = channel();
        let clock = ManualClock::new();
        let layered = |pipeline: &Pipeline| {
            let layer = way::builder(pipeline).with_location(true).build();
            way::under(layer).with(OwnLog(told))
        };
        let builder = tailed().with_clock(clock.clock());
        trace_under(default, builder, layered, |_| {
            let told_next = || {
                clock.advance(Duration::from_secs(620));
                telling.recv_timeout(PATIENCE).unwrap()
            };
            let line = line!() + 1;
            let first = info_span!("first");
            let expected = format!("root span `first` at {}:{line} is open for over 600s", file!());
            let told = told_next();
            assert!(told.starts_with(&expected), "{told}");
            let second = info_span!("second");
            let told = told_next();
            assert!(told.starts_with("root span `second` at "), "{told}");
            drop((first, second));
        });
        assert_eq!(telling.try_iter().count(), 0);
    });
}
