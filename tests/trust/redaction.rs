//! What stands in the URL of a request, and must not stand in its span.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use http::{Request, Response};
use tailtrace::layer::http::{HttpClientLayer, HttpServerLayer, Redaction};
use tailtrace::model::Redact;
use tailtrace::{AlwaysOn, InMemoryExporter, LogLevel, Pipeline, Span};
use tower::{Service, ServiceBuilder, service_fn};
use tracing_subscriber::layer::SubscriberExt;

/// The error of a client that repeats the URL, as those of most clients do.
#[derive(Debug)]
struct Failed(String);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error sending request for url ({}): refused", self.0)
    }
}

impl Error for Failed {}

/// The spans of a request through both layers, and of one that fails.
fn spans(uri: &str, redaction: &Redaction) -> Vec<Span> {
    let memory = InMemoryExporter::new();
    let pipeline = Pipeline::builder("shop")
        .with_sampler(AlwaysOn)
        .with_exporter(memory.clone())
        .start()
        .unwrap();
    let subscriber = tracing_subscriber::registry().with(pipeline.layer());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    tracing::subscriber::with_default(subscriber, || {
        let server = HttpServerLayer::new().with_redaction(redaction.clone());
        let client = HttpClientLayer::new().with_redaction(redaction.clone());
        let answer =
            service_fn(async |_: Request<String>| Ok::<_, Failed>(Response::new(String::new())));
        let fail = service_fn(async |request: Request<String>| {
            Err::<Response<String>, _>(Failed(request.uri().to_string()))
        });
        let request =
            || Request::get(uri).header("user-agent", "cart").body(String::new()).unwrap();
        let mut whole =
            ServiceBuilder::new().layer(server.clone()).layer(client.clone()).service(answer);
        drop(runtime.block_on(whole.call(request())).unwrap());
        let mut failing = ServiceBuilder::new().layer(server).layer(client).service(fail);
        assert!(runtime.block_on(failing.call(request())).is_err());
    });
    pipeline.shutdown(Duration::from_secs(30)).unwrap();
    let spans = memory.spans();
    assert_eq!(spans.len(), 4);
    spans
}

#[test]
fn secret_values_of_a_query_stand_neither_in_tags_nor_in_errors() {
    for key in [
        "X-Amz-Signature",
        "X-Amz-Security-Token",
        "X-Amz-Credential",
        "x-goog-signature",
        "AWSAccessKeyId",
        "sig",
        "access_token",
        "ACCESS_TOKEN",
        "access%5Ftoken",
        "%61%63cess_token",
        "refresh_token",
        "id_token",
        "token",
        "api_key",
        "api-key",
        "apikey",
        "password",
        "code",
        "client_secret",
        "user%5Bpassword%5D",
        "token%5B%5D",
        "token[0]",
        "%2574oken",
        "token%20",
        "%7Btoken%7D",
        "a=1;token",
        "a=1?token",
        "a=1%26token",
        "password_confirmation",
        "ASP.NET_SessionId",
        "license_key",
        "mfa_code",
        "jwt",
        "session",
        "auth",
        "passwd",
    ] {
        let uri = format!("http://user:S3CRET@shop.example/cart?a=1&{key}=S3CRET&b=2");
        for span in spans(&uri, &Redaction::new()) {
            let text = format!("{span:?}");
            assert!(!text.contains("S3CRET"), "{text}");
        }
    }
    for login in ["u:p@S3CRET", "S3CRET", ":S3CRET", "u%40x:S3CRET", "u:S3CRET%40"] {
        for span in spans(&format!("http://{login}@shop.example/"), &Redaction::new()) {
            let text = format!("{span:?}");
            assert!(!text.contains("S3CRET"), "{text}");
        }
    }
}

#[test]
fn a_secret_in_another_url_in_a_path_or_behind_a_long_key_is_not_shown() {
    let long = format!("/cart?{}=S3CRET", "k".repeat(300));
    for target in [
        "/cart?redirect_uri=https%3A%2F%2Fo%2Fcb%3Fcode%3DS3CRET",
        "/cart?u=http%3A%2F%2Fu%3AS3CRET%40o",
        "/cart?next=%252Fcb%253Ftoken%253DS3CRET",
        "/cart?secret_access_key=S3CRET",
        "/cart?token=pa'S3CRET",
        "/cart?f=%7B%22token%22%20%3A%20%22S3CRET%22%7D",
        "/cart?f=%7B%22user%22:%7B%22password%22:+%22S3CRET%22%7D%7D",
        "/cart?h=Authorization%3A%20Bearer%20S3CRET",
        "/cart?h=Bearer+S3CRET",
        "/proxy/https%3A%2F%2Fu%3AS3CRET%40h",
        "/proxy/http://u:S3CRET@h/",
        "/shop;jsessionid=S3CRET",
        &long,
    ] {
        for span in spans(&format!("http://shop.example{target}"), &Redaction::new()) {
            let text = format!("{span:?}");
            assert!(!text.contains("S3CRET"), "{text}");
        }
    }
}

#[test]
fn what_a_program_wants_to_keep_for_itself_is_left_out_or_hashed() {
    let uri = "http://shop.example/cart/S3CRET?voucher=S3CRET&color=blue";
    let redaction = Redaction::new()
        .with_secret_key("Voucher")
        .with_hashed_tag("url.path")
        .with_hashed_tag("url.full")
        .with_hashed_tag("otel.status_description")
        .without_tag("user_agent.original");
    let shown = spans(uri, &redaction);
    for span in &shown {
        let text = format!("{span:?}");
        assert!(!text.contains("S3CRET") && !text.contains("\"cart\""), "{text}");
    }
    assert!(format!("{shown:?}").contains("voucher=REDACTED&color=blue"), "{shown:?}");
    let without = Redaction::new().without_query();
    for span in spans("http://shop.example/cart?color=blue", &without) {
        let text = format!("{span:?}");
        assert!(!text.contains("blue") && text.contains("/cart"), "{text}");
    }
}

#[test]
fn urls_in_the_spans_of_other_libraries_lose_their_secrets_where_it_is_asked_for() {
    let memory = InMemoryExporter::new();
    let pipeline = Pipeline::builder("shop")
        .with_sampler(AlwaysOn)
        .with_redact(Redact::new().with_url_secrets().with_secret_key("voucher"))
        .with_exporter(memory.clone())
        .start()
        .unwrap();
    let span = pipeline.tracer().start_span("GET /cart?token=S3CRET");
    for (tag, url) in [
        ("url.full", "https://u:S3CRET@h/?sig=S3CRET&color=blue"),
        ("url.query", "voucher=S3CRET"),
        ("http.url", "https://h/#access_token=S3CRET"),
        ("http.target", "/cart?api%5Fkey=S3CRET"),
        ("db.statement", "COPY x FROM 'https://h/?X-Amz-Signature=S3CRET'"),
        ("exception.message", "error sending request for url (https://h/?token=S3CRET): refused"),
    ] {
        span.set_tag(tag, url);
    }
    span.log(LogLevel::Warn, "tried https://u:S3CRET@h/");
    drop(span);
    pipeline.shutdown(Duration::from_secs(30)).unwrap();
    let text = format!("{:?}", memory.spans());
    assert!(!text.contains("S3CRET") && text.contains("color=blue"), "{text}");
}
