//! What one line installs beside logs and a tail: headers, spans of requests, a destination, waterfalls on a terminal.

use std::process::Command;
use std::time::Duration;

use http::{Request, Response};
use http_body_util::BodyExt as _;
use tailtrace::InMemoryExporter;
use tailtrace::layer::http::{HttpClientLayer, HttpServerLayer};
use tower::{ServiceBuilder, ServiceExt as _, service_fn};
use tracing::{error, info, info_span};

use crate::process::{command, is_child, run};

#[test]
fn requests_have_spans_whatever_the_filter_says_and_headers_by_w3c() {
    let test = requests_have_spans_whatever_the_filter_says_and_headers_by_w3c;
    if is_child() {
        let memory = InMemoryExporter::new();
        let guard = tailtrace::init::builder("shop").with_exporter(memory.clone()).start().unwrap();
        let echo = service_fn(async |request: Request<()>| {
            let sent = request.headers().get("traceparent").cloned();
            let sent = sent.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
            Ok::<_, std::convert::Infallible>(Response::new(sent))
        });
        let client = ServiceBuilder::new().layer(HttpClientLayer::new()).service(echo);
        let serve = service_fn(move |_: Request<()>| {
            let call = client.clone().oneshot(Request::new(()));
            async move { call.await.map(|answer| Response::new(answer.into_body())) }
        });
        let server = ServiceBuilder::new().layer(HttpServerLayer::new()).service(serve);
        let caller = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let request = Request::builder().header("traceparent", caller).body(()).unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let sent = runtime.block_on(async {
            let answer = server.oneshot(request).await.unwrap();
            answer.into_body().collect().await.unwrap().to_bytes()
        });
        let sent = String::from_utf8_lossy(&sent);
        guard.pipeline().flush(Duration::from_secs(60)).unwrap();
        assert!(sent.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"), "{sent}");
        println!("spans: {}", memory.traces()[0].span_count());
        return;
    }
    let said = run(test, &[("TAILTRACE_FILTER", "off")]);
    assert!(said.out.contains("spans: 2"), "{said:?}");
}

#[cfg(feature = "otlp")]
#[test]
fn a_collector_that_a_variable_names_gets_the_traces_and_its_client_says_nothing() {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::net::TcpListener;

    let test = a_collector_that_a_variable_names_gets_the_traces_and_its_client_says_nothing;
    if is_child() {
        println!(); // The harness has begun a line.
        let _guard = tailtrace::init("shop").unwrap();
        info_span!("place_order").in_scope(|| error!("card declined"));
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let collector = std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(connection.try_clone().unwrap());
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if line.trim().is_empty() {
                break;
            }
            head.push(line.to_lowercase());
        }
        let length = head.iter().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.unwrap().trim().parse().unwrap()];
        reader.read_exact(&mut body).unwrap();
        connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
        head[0].clone()
    });
    let vars =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint), ("RUST_LOG", "trace"), ("NO_PROXY", "*")];
    let said = run(test, &vars);
    assert!(collector.join().unwrap().starts_with("post /v1/traces"));
    let lines = said.out.lines().filter(|line| line.starts_with('{'));
    let targets: Vec<serde_json::Value> = lines
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["target"].clone())
        .collect();
    assert!(!targets.is_empty());
    let is_program =
        |target: &serde_json::Value| target.as_str().unwrap().starts_with("front_door");
    assert!(targets.iter().all(is_program), "{targets:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_logs_are_text_and_traces_are_waterfalls_with_tags_and_logs() {
    let test = on_a_terminal_logs_are_text_and_traces_are_waterfalls_with_tags_and_logs;
    if is_child() {
        let _guard = tailtrace::init("shop").unwrap();
        info_span!("place_order", order = 42).in_scope(|| {
            info!("asking the bank");
            error!("card declined");
        });
        return;
    }
    if Command::new("script").arg("--version").output().is_err() {
        eprintln!("SKIPPED: there is no `script` to make a terminal");
        return;
    }
    let program = command(test, &[]);
    let quoted = |part: &std::ffi::OsStr| format!("'{}'", part.to_string_lossy());
    let line: Vec<String> =
        std::iter::once(program.get_program()).chain(program.get_args()).map(quoted).collect();
    let mut terminal = Command::new("script");
    terminal.args(["-qec", &line.join(" "), "/dev/null"]);
    terminal.env("NO_COLOR", "1").env("TERM", "xterm").env_remove("CI");
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => terminal.env(name, value),
            None => terminal.env_remove(name),
        };
    }
    let output = terminal.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).replace('\r', "");
    for expected in
        ["INFO", "asking the bank", "── shop · place_order", "order=42", "card declined"]
    {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert!(!said.contains(r#"{"timestamp""#), "{said}");
}

#[test]
fn the_guard_waits_for_a_peer_that_hangs_and_not_for_long() {
    let test = the_guard_waits_for_a_peer_that_hangs_and_not_for_long;
    if is_child() {
        let guard = tailtrace::init::builder("shop").with_exporter(Hanging).start().unwrap();
        info_span!("place_order").in_scope(|| error!("card declined"));
        drop(guard);
        println!("\nwent on");
        return;
    }
    let said = run(test, &[]);
    assert!(said.out.lines().any(|line| line == "went on"), "{said:?}");
    assert!(said.out.contains("shutdown did not end within 5s"), "{said:?}");
    let cure = "; call `guard.pipeline().shutdown(..)` with more time, or repair";
    assert!(said.out.contains(cure), "{said:?}");
}

#[derive(Debug)]
struct Hanging;

#[async_trait::async_trait]
impl tailtrace::Exporter for Hanging {
    async fn export(
        &self,
        _: tailtrace::export::Batch,
    ) -> Result<(), tailtrace::export::ExportError> {
        std::future::pending().await
    }
}
