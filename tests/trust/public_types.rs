//! Every public type that could hold a secret is built with one, and no other type is forgotten.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tailtrace::config::EnvCarrier;
use tailtrace::layer::http::{HttpClientLayer, HttpServerLayer, Redaction};
use tailtrace::model::Redact;
use tailtrace::propagation::Injector;
use tailtrace::{FileExporter, InMemoryExporter, Pipeline};

use crate::secrets::{check_debug, check_error};

/// The rooms whose types meet endpoints, headers, keys, files or the environment.
const ROOMS: &[&str] = &[
    "coherence",
    "config",
    "delivery",
    "export",
    "init",
    "layer",
    "model/redact.rs",
    "otel",
    "pipeline",
    "propagation",
];

/// The rooms whose types meet none of it, with what they hold.
const OTHER_ROOMS: &[(&str, &str)] = &[
    ("adapter", "what each line of OpenTelemetry links in; its types stand in `otel`"),
    ("kit", "nothing public but `Random`"),
    ("ledger", "counts"),
    ("manual", "text"),
    ("model", "what a program records and what callers send, which programs read"),
    ("record", "what a program records"),
    ("sampling", "rates, and names that a program gives"),
    ("tail", "rates, and names that a program gives"),
    ("testing", "what a test makes"),
    ("time", "clocks"),
    ("trace", "what a program records"),
    ("tracer", "what a program records"),
];

/// Types that a test here or in `exporters` or `secrets` builds with marked secrets.
const BUILT: &[&str] = &[
    "AsyncExporter",
    "BusError",
    "Coherence",
    "ConfigError",
    "EnvCarrier",
    "ExportError",
    "FileError",
    "FileExporter",
    "FileExporterBuilder",
    "HttpClientLayer",
    "HttpError",
    "HttpServerLayer",
    "InitBuilder",
    "JaegerExporter",
    "JaegerExporterBuilder",
    "NatsBus",
    "OtelExporter",
    "OtlpExporter",
    "OtlpExporterBuilder",
    "OtlpSettings",
    "Pipeline",
    "PipelineBuilder",
    "Redact",
    "Redaction",
    "RedisBus",
    "Settings",
    "Spool",
    "SpoolError",
    "Warning",
    "ZipkinExporter",
    "ZipkinExporterBuilder",
    "ZipkinSettings",
];

/// Types that hold none, with the reason.
const HOLD_NONE: &[(&str, &str)] = &[
    ("B3Propagator", "which form it writes"),
    ("BaggagePropagator", "nothing"),
    ("Batch", "what a program recorded"),
    ("Batching", "numbers"),
    ("BorderPropagator", "a border and a propagator"),
    ("BusConnection", "shows nothing of what it holds"),
    ("CompositePropagator", "names of headers"),
    ("ConsoleExporter", "how to draw"),
    ("ConsoleExporterBuilder", "how to draw"),
    ("DeliveryConfig", "numbers"),
    ("DeliveryReport", "numbers and names of exporters"),
    ("ExporterFailure", "the text of an ExportError"),
    ("FlushError", "the texts of exporters' errors"),
    ("ForeignClient", "a client of the program's"),
    ("ForeignResponse", "a future of the program's"),
    ("FromShouldSample", "a sampler of the program's"),
    ("FromTextMap", "a propagator of the program's"),
    ("Guard", "a pipeline"),
    ("HeadSampler", "a pipeline"),
    ("HttpClientService", "a layer and a service of the program's"),
    ("HttpServerService", "a layer and a service of the program's"),
    ("IdGenerator", "random numbers"),
    ("InMemoryExporter", "what a program recorded"),
    ("InitError", "the errors of others"),
    ("JaegerPropagator", "nothing"),
    ("KeptPart", "ids"),
    ("LayerHandle", "which spans are open"),
    ("MemoryBus", "nothing from outside the process"),
    ("Message", "what goes over the bus to the group: ids"),
    ("MessageBody", "ids"),
    ("MessageError", "numbers"),
    ("Notice", "ids"),
    ("OtlpProtocol", "a choice"),
    ("ParseTraceFilterError", "a filter that the program wrote"),
    ("Propagator", "names of headers"),
    ("ProtocolVersion", "a choice"),
    ("ProxyHeaders", "a choice"),
    ("ResponseBody", "a body of the program's"),
    ("ResponseFuture", "a future of the program's"),
    ("Retry", "numbers"),
    ("Rotation", "numbers"),
    ("SdkSpan", "what a program recorded"),
    ("SetParentError", "nothing"),
    ("ShutdownError", "the texts of exporters' errors"),
    ("Span", "what a program recorded"),
    ("SpanExporterBridge", "a pipeline"),
    ("StartError", "no text from outside"),
    ("SubscriberHandle", "a filter that the program wrote"),
    ("SubscriberWithLogs", "a subscriber and a layer of the program's"),
    ("TailSpanProcessor", "a pipeline"),
    ("TraceContextPropagator", "nothing"),
    ("TraceFilter", "a filter that the program wrote"),
    ("TraceIds", "ids"),
    ("TraceLayer", "a pipeline"),
    ("TraceLayerBuilder", "a pipeline"),
    ("TraceSubscriber", "a pipeline"),
    ("TraceSubscriberBuilder", "a pipeline"),
    ("Tracer", "a pipeline"),
    ("TracerProvider", "a pipeline"),
];

/// The public types of a file or of all files below a folder.
fn collect(path: &Path, found: &mut BTreeSet<String>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            collect(&entry.unwrap().path(), found);
        }
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        for line in fs::read_to_string(path).unwrap().lines() {
            let line = line.trim();
            let kind = ["pub struct ", "pub enum "].into_iter();
            let Some(name) = kind.filter_map(|kind| line.strip_prefix(kind)).next() else {
                continue;
            };
            let end = name.find(|c: char| !c.is_alphanumeric()).unwrap_or(name.len());
            found.insert(name[..end].to_owned());
        }
    }
}

#[test]
fn every_public_type_is_built_with_secrets_or_excused() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeSet::new();
    for room in ROOMS {
        collect(&source.join(room), &mut found);
    }
    for entry in fs::read_dir(&source).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        let is_other = OTHER_ROOMS.iter().any(|(room, _)| *room == name);
        let is_known = is_other || ROOMS.contains(&&*name);
        assert!(is_known || !entry.path().is_dir(), "say whether {name} meets secrets");
    }
    let mut known: BTreeSet<String> = BUILT.iter().map(|name| (*name).to_owned()).collect();
    for (name, _) in HOLD_NONE {
        assert!(known.insert((*name).to_owned()), "{name} stands in both lists");
    }
    let new: Vec<_> = found.difference(&known).collect();
    assert!(new.is_empty(), "build these with marked secrets, or excuse them: {new:?}");
    let gone: Vec<_> = known.difference(&found).collect();
    assert!(gone.is_empty(), "these are no public types any more: {gone:?}");
}

#[test]
fn no_part_of_a_program_shows_a_secret_that_was_put_into_it() {
    let redact = Redact::new().with_denied_value("*S3CRET*").with_hashed_key("user");
    check_debug("Redact", &redact);
    let redaction = Redaction::new().with_secret_key("key").without_tag("url.path");
    check_debug("Redaction", &redaction);
    check_debug("HttpServerLayer", &HttpServerLayer::new().with_redaction(redaction.clone()));
    check_debug("HttpClientLayer", &HttpClientLayer::new().with_redaction(redaction));
    let mut carrier = EnvCarrier::new();
    carrier.set("baggage", "token=S3CRET".to_owned());
    check_debug("EnvCarrier", &carrier);

    let builder = || Pipeline::builder("shop").with_exporter(InMemoryExporter::new());
    check_debug("PipelineBuilder", &builder());
    let pipeline = builder().start().unwrap();
    check_debug("Pipeline", &pipeline);
    #[cfg(feature = "init")]
    check_debug("InitBuilder", &tailtrace::init::builder("shop").with_span_filter("a=S3CRET"));
    // The key itself, where the path of a file belongs.
    let pem = "/no/such/-----BEGIN PRIVATE KEY-----\nS3CRET\n-----END PRIVATE KEY-----";
    check_debug("FileExporterBuilder", &FileExporter::builder(pem));
    check_error("FileError", &FileExporter::new(pem).unwrap_err());
}

#[cfg(all(feature = "coherence-nats", feature = "coherence-redis", feature = "tls"))]
#[test]
fn no_bus_shows_a_secret_of_its_address_login_or_certificates() {
    use tailtrace::coherence::{Coherence, KeepBus, NatsBus, RedisBus};

    use crate::secrets::{BUSES, assert_harmless};

    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    fn check(what: &str, bus: impl KeepBus + std::fmt::Debug + 'static) {
        check_debug(what, &bus);
        assert_harmless(what, &bus.name());
        check_debug(what, &Coherence::new(bus));
    }
    for address in BUSES {
        match NatsBus::new(address) {
            Ok(bus) => check(address, bus),
            Err(error) => check_error(address, &error),
        }
        match RedisBus::new(address) {
            Ok(bus) => check(address, bus),
            Err(error) => check_error(address, &error),
        }
    }
    let nats = || NatsBus::new("tls://user:S3CRET@localhost:1").unwrap();
    let redis = || RedisBus::new("rediss://user:S3CRET@localhost:1").unwrap();
    check_debug("seed", &nats().with_nkey("S3CRET"));
    check_error("credentials", &nats().with_credentials("S3CRET").unwrap_err());
    let begin = "-----BEGIN PRIVATE KEY-----";
    for pem in ["S3CRET".to_owned(), format!("{begin} S3CRET"), format!("{begin}\nS3CRET")] {
        check_error("authority", &nats().with_ca_certificate(&*pem).unwrap_err());
        check_error("authority", &redis().with_ca_certificate(&*pem).unwrap_err());
        check_error("key", &nats().with_client_identity(&*pem, &*pem).unwrap_err());
        check_error("key", &redis().with_client_identity(&*pem, &*pem).unwrap_err());
    }
    // Connections that are refused.
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let buses: [Box<dyn KeepBus>; 2] = [
        Box::new(NatsBus::new(&format!("nats://user:S3CRET@{free}")).unwrap()),
        Box::new(RedisBus::new(&format!("redis://user:S3CRET@{free}")).unwrap()),
    ];
    for bus in buses {
        let Err(error) = runtime.block_on(bus.connect("shop")) else { panic!("nobody listens") };
        check_error("BusError", &error);
    }
}

#[cfg(all(feature = "coherence-nats", feature = "coherence-redis", feature = "tls"))]
#[test]
fn certificates_beside_a_bus_without_tls_are_an_error() {
    use tailtrace::coherence::{NatsBus, RedisBus};

    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let nats = || NatsBus::new("nats://localhost").unwrap();
    let redis = || RedisBus::new("redis://localhost").unwrap();
    let refused = [
        nats().with_ca_certificate(&*certificate).unwrap_err(),
        nats().with_client_identity(&*certificate, &*key).unwrap_err(),
        redis().with_ca_certificate(&*certificate).unwrap_err(),
        redis().with_client_identity(&*certificate, &*key).unwrap_err(),
    ];
    for error in refused {
        assert!(
            error.to_string().contains("use tls://") || error.to_string().contains("rediss://")
        );
    }
    assert!(NatsBus::new("tls://localhost").unwrap().with_ca_certificate(&*certificate).is_ok());
    assert!(
        RedisBus::new("rediss://localhost").unwrap().with_ca_certificate(&*certificate).is_ok()
    );
}
