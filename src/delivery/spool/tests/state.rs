//! What the spool does with the peer and tells the ledger.

use std::fs;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use super::TestDirectory;
use crate::delivery::spool::file_name::FileName;
use crate::delivery::spool::replay::{Round, pause_after, send_oldest};
use crate::delivery::spool::spool_state::SpoolState;
use crate::export::{Batch, ExportError, OtlpExporter};
use crate::ledger::{Ledger, SpoolAccount};
use crate::testing::{span, trace};

#[test]
fn what_comes_on_the_disk_after_delivery_gave_it_up_stands_in_no_account() {
    let disk = TestDirectory::new();
    let directory = disk.directory(10_000, Duration::from_secs(60));
    let exporter = OtlpExporter::builder().with_endpoint("http://127.0.0.1:1").build().unwrap();
    let state = SpoolState::new(directory, exporter);
    let ledger = Arc::new(Ledger::default());
    state.attach(&SpoolAccount::new(Arc::clone(&ledger)));
    let spooled = || ledger.counters().spooled;
    let write = |is_given_up| {
        let (batch, loan) = Batch::from(trace(span("a").child(span("b")))).lend(&Arc::default());
        if is_given_up {
            loan.close();
        }
        let mut batch = batch;
        state.write(&mut batch).unwrap();
    };
    write(true);
    let given_up = state.directory.names().unwrap().remove(0);
    assert_eq!(spooled(), 0);
    write(false);
    assert_eq!(spooled(), 2);
    state.arrived(&given_up);
    assert_eq!(spooled(), 2);
    let mut names = state.directory.names().unwrap();
    names.retain(|name| *name != given_up);
    state.arrived(&names[0]);
    assert_eq!(spooled(), 0);
    assert!(state.uncounted.lock().is_empty(), "a batch that is gone is forgotten");
}

#[test]
fn what_comes_on_the_disk_counts_as_sent() {
    let disk = TestDirectory::new();
    let directory = disk.directory(10_000, Duration::from_secs(60));
    let exporter = OtlpExporter::builder().with_endpoint("http://127.0.0.1:1").build().unwrap();
    let state = SpoolState::new(directory, exporter);
    let ledger = Ledger::default();
    let (mut batch, _loan) = Batch::from(trace(span("a").child(span("b")))).lend(ledger.sent());
    state.write(&mut batch).unwrap();
    let [row] = &*ledger.by_operation() else { panic!("one operation") };
    assert!(row.bytes_sent > 100, "{row:?}");
}

#[test]
fn what_waits_for_a_slow_link_is_in_requests_that_the_link_carries() {
    const MIB: u64 = 1 << 20;
    let disk = TestDirectory::new();
    let directory = disk.directory(100 * MIB, Duration::from_secs(60));
    // Connections are taken, and nothing is answered.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let exporter = OtlpExporter::builder()
        .with_endpoint(format!("http://{address}"))
        .with_timeout(Duration::from_millis(20))
        .build()
        .unwrap();
    let state = SpoolState::new(directory, exporter);
    let mut request = vec![0; 2 << 20];
    assert!(runtime().block_on(state.exporter.send_encoded(&mut request)).is_err());
    let large = || span("large").tag("text", "x".repeat(16_000));
    let root = (0..100).fold(large(), |root, _| root.child(large()));
    state.write(&mut Batch::from(trace(root))).unwrap();
    let size =
        |name: &FileName| fs::metadata(disk.0.join(name.to_string())).map_or(0, |file| file.len());
    let names = state.directory.names().unwrap();
    assert!(names.len() > 2 && names.iter().all(|name| size(name) <= MIB / 2), "{names:?}");
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn a_batch_that_is_too_old_is_not_sent_by_the_next_process_either() {
    let disk = TestDirectory::new();
    let directory = disk.directory(1_000, Duration::from_secs(60));
    drop(directory.write(b"old", 3, 0, 1).unwrap());
    let exporter = OtlpExporter::builder().with_endpoint("http://127.0.0.1:1").build().unwrap();
    let state = SpoolState::new(directory, exporter);
    assert_eq!(runtime().block_on(send_oldest(&state)), Round::Empty);
    assert!(state.directory.names().unwrap().is_empty());
}

#[test]
fn what_waited_takes_a_fifth_of_the_link_at_most() {
    for millis in [0, 1, 7, 40_000] {
        let took = Duration::from_millis(millis);
        assert_eq!(took * 5, took + pause_after(took));
    }
    assert_eq!(pause_after(Duration::MAX), Duration::MAX);
}

#[test]
fn a_peer_that_asks_for_time_is_given_it_by_what_waits_on_disk() {
    let disk = TestDirectory::new();
    let directory = disk.directory(1_000, Duration::MAX);
    let exporter = OtlpExporter::builder().with_endpoint("http://127.0.0.1:1").build().unwrap();
    let state = SpoolState::new(directory, exporter);
    let wait = Duration::from_secs(7);
    state.went_away(&ExportError::retryable("busy", Batch::default()).after(wait));
    assert_eq!((state.take_asked(), state.take_asked()), (Some(wait), None));
}

#[cfg(unix)]
#[test]
fn a_process_that_is_forked_off_asks_the_peer_itself_and_waits_for_no_lock() {
    use fork::{Fork, fork, waitpid};

    let disk = TestDirectory::new();
    let directory = disk.directory(10_000, Duration::from_secs(60));
    let exporter = OtlpExporter::builder().with_endpoint("http://127.0.0.1:1").build().unwrap();
    let state = SpoolState::new(directory, exporter);
    state.went_away(&ExportError::permanent("away"));
    assert!(state.is_away());
    let held = state.uncounted.lock();
    match fork().unwrap() {
        Fork::Child => {
            let asks = !state.is_away() && state.uncounted.lock().is_empty();
            state.answered();
            state.stop();
            std::process::exit(i32::from(!asks));
        }
        Fork::Parent(child) => assert_eq!(waitpid(child).unwrap(), 0),
    }
    drop(held);
}
