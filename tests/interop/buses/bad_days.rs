//! A bus that goes away while five processes work, and comes back.

use std::time::Duration;

use crate::cable::Cable;
use crate::pause;
use crate::run::Plan;
use crate::servers::{Kind, Server};

const OUTAGE: Duration = Duration::from_secs(5);

fn killed(kind: Kind, group: &'static str) {
    let Some(mut server) = Server::start(kind) else { return };
    let plan = Plan::new(&server.url(), group).with_outage();
    let outcome = plan.run(|| {
        pause(Duration::from_secs(2));
        server.kill();
        pause(OUTAGE);
        server.start_again();
    });
    outcome.assert_coherent();
}

#[test]
fn long_nats_is_killed_for_five_seconds() {
    killed(Kind::Nats, "nats-killed");
}

#[test]
fn long_redis_is_killed_for_five_seconds() {
    killed(Kind::Redis, "redis-killed");
}

fn halted(kind: Kind, group: &'static str) {
    let Some(server) = Server::start(kind) else { return };
    let plan = Plan::new(&server.url(), group).with_outage();
    let outcome = plan.run(|| {
        pause(Duration::from_secs(2));
        server.signal("-STOP");
        pause(OUTAGE);
        server.signal("-CONT");
    });
    outcome.assert_coherent();
}

#[test]
fn long_nats_is_halted_for_five_seconds() {
    halted(Kind::Nats, "nats-halted");
}

#[test]
fn long_redis_is_halted_for_five_seconds() {
    halted(Kind::Redis, "redis-halted");
}

fn one_is_cut_off(kind: Kind, group: &'static str) {
    let Some(server) = Server::start(kind) else { return };
    let cable = Cable::to(server.port);
    let mut plan = Plan::new(&server.url(), group).with_outage();
    plan.buses[2] = server.url_at(cable.port);
    let outcome = plan.run(|| {
        pause(Duration::from_secs(2));
        cable.cut(true);
        pause(Duration::from_secs(3));
        cable.cut(false);
    });
    outcome.assert_coherent();
}

#[test]
fn long_one_service_on_nats_is_cut_off_for_three_seconds() {
    one_is_cut_off(Kind::Nats, "nats-cut");
}

#[test]
fn long_one_service_on_redis_is_cut_off_for_three_seconds() {
    one_is_cut_off(Kind::Redis, "redis-cut");
}
