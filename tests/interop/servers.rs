//! The servers that `run.sh` has started, and those that a test starts itself.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use crate::query::{Query, get, wait_for};

/// Where a server takes traces and answers questions about them.
#[derive(Debug)]
pub(crate) struct Server {
    /// OTLP by gRPC, as a URL.
    pub(crate) grpc: String,
    /// OTLP by HTTP, as a URL without a path.
    pub(crate) http: String,
    query: String,
}

impl Server {
    /// A server whose addresses stand in the environment.
    fn named(name: &str) -> Option<Self> {
        let address = |kind| env::var(format!("TAILTRACE_INTEROP_{name}_{kind}")).ok();
        Some(Self { grpc: address("GRPC")?, http: address("HTTP")?, query: address("QUERY")? })
    }

    /// Where traces go by HTTP.
    pub(crate) fn traces_url(&self) -> String {
        format!("{}/v1/traces", self.http)
    }

    pub(crate) fn query(&self) -> Query<'_> {
        Query(&self.query)
    }
}

/// A Jaeger that keeps everything; `None` when the test is to be skipped, which this says.
pub(crate) fn jaeger() -> Option<Server> {
    said(Server::named("JAEGER"))
}

/// Where that Jaeger takes Zipkin's spans; `None` as above.
pub(crate) fn zipkin_url() -> Option<String> {
    let address = said(env::var("TAILTRACE_INTEROP_JAEGER_ZIPKIN").ok())?;
    Some(format!("{address}/api/v2/spans"))
}

/// A collector with the policies of `servers/collector.yaml`; `None` as above.
pub(crate) fn collector() -> Option<Server> {
    said(Server::named("COLLECTOR"))
}

/// The program of Jaeger, for tests that kill it; `None` as above.
pub(crate) fn binary() -> Option<PathBuf> {
    said(env::var_os("TAILTRACE_INTEROP_JAEGER_BINARY").map(PathBuf::from))
}

/// The program in `examples/web`; `None` as above.
pub(crate) fn web_example() -> Option<PathBuf> {
    said(env::var_os("TAILTRACE_INTEROP_WEB_EXAMPLE").map(PathBuf::from))
}

/// Says so when there is nothing; straight to the terminal, past what a test that passes may print.
fn said<T>(there: Option<T>) -> Option<T> {
    if there.is_none() {
        let this = thread::current();
        let test = this.name().unwrap_or("a test");
        let why = "no server is named in the environment; tests/interop/run.sh starts them";
        // Where nobody can be told, nobody is.
        let _ = writeln!(io::stderr(), "!! SKIPPED {test}: {why}");
    }
    there
}

/// A Jaeger of a test's own, with its traces on disk. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct OwnJaeger {
    binary: PathBuf,
    folder: PathBuf,
    ports: [u16; 5],
    process: Child,
    pub(crate) server: Server,
}

impl OwnJaeger {
    /// Starts one, whose traces lie in the folder `name` of the scratch folder.
    #[track_caller]
    pub(crate) fn start(binary: PathBuf, name: &str) -> Self {
        let scratch =
            env::var_os("TAILTRACE_INTEROP_SCRATCH").map_or_else(env::temp_dir, PathBuf::from);
        let folder = scratch.join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        // Another program may take a port before Jaeger does; then others are tried.
        for _ in 0..3 {
            let ports = free_ports();
            let mut process = run(&binary, &folder, ports);
            if is_healthy(&mut process, ports[4]) {
                let url = |port| format!("http://127.0.0.1:{port}");
                let query = format!("127.0.0.1:{}", ports[2]);
                let server = Server { grpc: url(ports[0]), http: url(ports[1]), query };
                return Self { binary, folder, ports, process, server };
            }
            end(&mut process);
        }
        panic!("Jaeger did not become healthy three times; {} has its log", folder.display());
    }

    /// Ends it as a crash would, without a word.
    pub(crate) fn kill(&mut self) {
        end(&mut self.process);
    }

    /// Starts it again at the same addresses, with what is on disk.
    #[track_caller]
    pub(crate) fn start_again(&mut self) {
        self.kill();
        self.process = run(&self.binary, &self.folder, self.ports);
        assert!(is_healthy(&mut self.process, self.ports[4]), "Jaeger did not come back");
    }
}

impl Drop for OwnJaeger {
    fn drop(&mut self) {
        self.kill();
        if !thread::panicking() {
            // Litter in the scratch folder is no failure.
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// Ports that are free now. All are held at once, so that they differ.
fn free_ports() -> [u16; 5] {
    let held = [(); 5].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    held.map(|listener| listener.local_addr().unwrap().port())
}

fn run(binary: &Path, folder: &Path, ports: [u16; 5]) -> Child {
    let names = ["GRPC_PORT", "HTTP_PORT", "QUERY_PORT", "QUERY_GRPC_PORT", "HEALTH_PORT"];
    let log = fs::File::options().create(true).append(true).open(folder.join("log")).unwrap();
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/servers/badger.yaml");
    let child = Command::new(binary)
        .arg("--config")
        .arg(config)
        .envs(names.into_iter().zip(ports.map(|port| port.to_string())))
        .env("DATA_DIR", folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap();
    // `run.sh` ends what a test that was killed has left behind.
    fs::write(folder.join(format!("{}.pid", child.id())), child.id().to_string()).unwrap();
    child
}

fn end(process: &mut Child) {
    // Both fail only where there is no process any more.
    let _ = process.kill();
    let _ = process.wait();
}

fn is_healthy(process: &mut Child, port: u16) -> bool {
    wait_for("Jaeger's health", || {
        if process.try_wait().unwrap().is_some() {
            return Some(false);
        }
        let (_, body) = get(&format!("127.0.0.1:{port}"), "/status").ok()?;
        body.contains("\"healthy\":true").then_some(true)
    })
}
