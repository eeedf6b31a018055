//! Five processes on a bus as it should be.

use std::io::Write;
use std::net::{Ipv4Addr, TcpStream};

use crate::cable::Cable;
use crate::run::Plan;
use crate::servers::{Kind, Server};

fn all_keep_what_one_keeps(kind: Kind, group: &'static str) {
    let Some(server) = Server::start(kind) else { return };
    // All bytes of the bus go through here.
    let cable = Cable::to(server.port);
    let outcome = Plan::new(&server.url_at(cable.port), group).run(|| {});
    outcome.assert_coherent();
    let bytes = cable.bytes() / (5 * outcome.wanted as u64);
    println!("{bytes} bytes on the wire for each wanted trace and service");
    assert!(bytes <= 150, "{bytes}");
}

#[test]
fn five_services_on_nats_keep_what_one_keeps() {
    all_keep_what_one_keeps(Kind::Nats, "nats-smoke");
}

#[test]
fn five_services_on_redis_keep_what_one_keeps() {
    all_keep_what_one_keeps(Kind::Redis, "redis-smoke");
}

fn all_are_wanted(kind: Kind, group: &'static str) {
    let Some(server) = Server::start(kind) else { return };
    let plan = Plan { one_of: 1, ..Plan::new(&server.url(), group) };
    plan.run(|| {}).assert_coherent();
}

#[test]
fn long_every_trace_is_wanted_on_nats() {
    all_are_wanted(Kind::Nats, "nats-all");
}

#[test]
fn long_every_trace_is_wanted_on_redis() {
    all_are_wanted(Kind::Redis, "redis-all");
}

/// A client that listens and never reads harms no other one.
fn one_does_not_read(kind: Kind, group: &'static str) {
    let Some(server) = Server::start(kind) else { return };
    let mut deaf = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port)).unwrap();
    let listen = match kind {
        Kind::Nats => format!("CONNECT {{}}\r\nSUB tailtrace.{group} 1\r\n"),
        Kind::Redis => format!("SUBSCRIBE tailtrace.{group}\r\n"),
    };
    deaf.write_all(listen.as_bytes()).unwrap();
    let plan = Plan { one_of: 1, ..Plan::new(&server.url(), group) };
    plan.run(|| {}).assert_coherent();
    drop(deaf);
}

#[test]
fn long_a_slow_reader_on_nats_harms_no_other() {
    one_does_not_read(Kind::Nats, "nats-slow");
}

#[test]
fn long_a_slow_reader_on_redis_harms_no_other() {
    one_does_not_read(Kind::Redis, "redis-slow");
}
