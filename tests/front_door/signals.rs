//! What becomes of a server that is told to stop.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use axum::Router;
use axum::routing::get;
use tailtrace::layer::http::HttpServerLayer;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::process::{command, is_child};

/// Serves until SIGTERM; the handler answers only when that has come.
async fn serve() {
    let _guard = tailtrace::init("shop").unwrap();
    let mut terminate = signal(SignalKind::terminate()).unwrap();
    let (stopping, stopped) = watch::channel(false);
    let handler = move || {
        let mut stopped = stopped.clone();
        async move {
            println!("\nin the handler");
            stopped.wait_for(|stopped| *stopped).await.unwrap();
            "served"
        }
    };
    let app = Router::new().route("/", get(handler)).layer(HttpServerLayer::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("\naddress {}", listener.local_addr().unwrap());
    let shutdown = async move {
        terminate.recv().await;
        stopping.send(true).unwrap();
    };
    axum::serve(listener, app).with_graceful_shutdown(shutdown).await.unwrap();
}

#[test]
fn a_server_under_init_finishes_its_request_after_sigterm_and_its_trace_is_exported() {
    let test = a_server_under_init_finishes_its_request_after_sigterm_and_its_trace_is_exported;
    if is_child() {
        tokio::runtime::Runtime::new().unwrap().block_on(serve());
        return;
    }
    let mut child = command(test, &[("OTEL_TRACES_EXPORTER", "console")])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let address = lines.find_map(|line| line.strip_prefix("address ").map(str::to_owned)).unwrap();
    let mut connection = TcpStream::connect(address).unwrap();
    connection.write_all(b"GET / HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n").unwrap();
    assert!(lines.any(|line| line == "in the handler"));
    let killed = Command::new("kill").arg("-TERM").arg(child.id().to_string()).status().unwrap();
    assert!(killed.success());
    let mut response = String::new();
    connection.read_to_string(&mut response).unwrap();
    assert!(response.ends_with("served"), "{response}");
    let rest: Vec<String> = lines.collect();
    assert!(rest.iter().any(|line| line.contains("── shop · GET")), "{rest:?}");
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_program_that_handles_no_signal_flushes_and_ends_by_it_with_signals() {
    use std::os::unix::process::ExitStatusExt;

    let test = a_program_that_handles_no_signal_flushes_and_ends_by_it_with_signals;
    if is_child() {
        let _guard = tailtrace::init::builder("shop").with_signals().start().unwrap();
        tracing::info_span!("order").in_scope(|| tracing::error!("declined"));
        println!("\nwaiting");
        loop {
            std::thread::park();
        }
    }
    let mut child = command(test, &[("OTEL_TRACES_EXPORTER", "console")])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line == "waiting"));
    let killed = Command::new("kill").arg("-TERM").arg(child.id().to_string()).status().unwrap();
    assert!(killed.success());
    assert_eq!(child.wait().unwrap().signal(), Some(15));
}
