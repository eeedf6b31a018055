//! A NATS or a Redis of a test's own.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::node::cpu_micros;
use crate::pause;

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Nats,
    Redis,
}

/// A server on a port of its own. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) kind: Kind,
    pub(crate) port: u16,
    binary: PathBuf,
    arguments: Vec<String>,
    folder: PathBuf,
    process: Child,
}

impl Kind {
    /// The program of the server; `None` when the test is to be skipped, which this says.
    fn binary(self) -> Option<PathBuf> {
        let name = match self {
            Self::Nats => "TAILTRACE_NATS_SERVER",
            Self::Redis => "TAILTRACE_REDIS_SERVER",
        };
        let there = env::var_os(name).map(PathBuf::from);
        if there.is_none() {
            let this = thread::current();
            let test = this.name().unwrap_or("a test");
            let why = format!("{name} is not set; tests/interop/buses.sh finds the servers");
            // Straight to the terminal, past what a test that passes may print.
            let _ = writeln!(io::stderr(), "!! SKIPPED {test}: {why}");
        }
        there
    }
}

impl Server {
    /// Starts a server with no settings but its port; `None` when the test is to be skipped.
    pub(crate) fn start(kind: Kind) -> Option<Self> {
        Self::start_with(kind, |_, port| match kind {
            Kind::Nats => vec!["-a".into(), "127.0.0.1".into(), "-p".into(), port.to_string()],
            Kind::Redis => redis_arguments("--port", port),
        })
    }

    /// Starts a server with arguments that are made of a folder of its own and of its port.
    pub(crate) fn start_with(
        kind: Kind,
        arguments: impl FnOnce(&Path, u16) -> Vec<String>,
    ) -> Option<Self> {
        let binary = kind.binary()?;
        let port = free_port();
        let folder = folder_for(port);
        let arguments = arguments(&folder, port);
        let process = run(&binary, &arguments, &folder);
        let mut server = Self { kind, port, binary, arguments, folder, process };
        server.wait_until_it_listens();
        Some(server)
    }

    /// Its address without TLS.
    pub(crate) fn url(&self) -> String {
        self.url_at(self.port)
    }

    /// An address that leads to it by another port.
    pub(crate) fn url_at(&self, port: u16) -> String {
        match self.kind {
            Kind::Nats => format!("nats://127.0.0.1:{port}"),
            Kind::Redis => format!("redis://127.0.0.1:{port}"),
        }
    }

    /// Ends it as a crash would.
    pub(crate) fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Starts it again at the same port.
    pub(crate) fn start_again(&mut self) {
        self.process = run(&self.binary, &self.arguments, &self.folder);
        self.wait_until_it_listens();
    }

    /// Halts it, as a machine without CPU would, or lets it go on.
    pub(crate) fn signal(&self, signal: &str) {
        let status = Command::new("kill").arg(signal).arg(self.process.id().to_string()).status();
        assert!(status.unwrap().success());
    }

    /// The CPU time that it has used, in microseconds.
    pub(crate) fn cpu_micros(&self) -> u64 {
        cpu_micros(self.process.id())
    }

    #[track_caller]
    fn wait_until_it_listens(&mut self) {
        await_port(&mut self.process, self.port, &self.folder);
    }
}

/// Waits until a process that [`run`] started listens.
#[track_caller]
pub(crate) fn await_port(process: &mut Child, port: u16, folder: &Path) {
    for _ in 0..600 {
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return;
        }
        if process.try_wait().unwrap().is_some() {
            break;
        }
        pause(Duration::from_millis(50));
    }
    let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
    panic!("a server did not start:\n{log}");
}

/// A new folder for the server at this port.
pub(crate) fn folder_for(port: u16) -> PathBuf {
    let scratch = env::var_os("TAILTRACE_INTEROP_SCRATCH");
    let scratch = scratch.map_or_else(env::temp_dir, PathBuf::from);
    let folder = scratch.join(format!("bus-{}-{port}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// What makes a Redis keep nothing, and listen at one port.
pub(crate) fn redis_arguments(port_option: &str, port: u16) -> Vec<String> {
    let port = port.to_string();
    let words = [port_option, &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
    words.map(str::to_owned).to_vec()
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        if !thread::panicking() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// A port that is free now.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// Starts a server that writes its log into its folder.
pub(crate) fn run(binary: &Path, arguments: &[String], folder: &Path) -> Child {
    let log = fs::File::options().create(true).append(true).open(folder.join("log")).unwrap();
    let child = Command::new(binary)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap();
    // `buses.sh` ends what a test that was killed has left behind.
    fs::write(folder.join(format!("{}.pid", child.id())), child.id().to_string()).unwrap();
    child
}
