//! Whatever the program runs on.

use tokio::runtime::{Builder, Runtime};

use super::*;

fn bench() -> (Bench, Heard) {
    let (exporter, heard) = Scripted::new([]);
    let patient = Batching { max_age: Duration::MAX, ..Batching::default() };
    let config = DeliveryConfig { batching: Some(patient), ..quick() };
    (Bench::one(config, exporter), heard)
}

fn use_it(bench: &Bench) {
    bench.send(&trace(2));
    assert_eq!(bench.delivery.flush(LONG).unwrap().sent, 2);
    bench.send(&trace(3));
    assert_eq!(bench.delivery.shutdown(LONG, 0).unwrap().sent, 3);
    assert_eq!(bench.stats().exported, 5);
}

fn current() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn multi(workers: usize) -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(workers).enable_all().build().unwrap()
}

#[test]
fn without_a_runtime() {
    use_it(&bench().0);
}

#[test]
fn inside_a_current_thread_runtime() {
    current().block_on(async { use_it(&bench().0) });
}

#[test]
fn in_a_task_of_the_only_worker_of_a_multi_thread_runtime() {
    let runtime = multi(1);
    let task = runtime.spawn(async { use_it(&bench().0) });
    runtime.block_on(task).unwrap();
}

#[test]
fn made_before_the_runtime_it_is_used_in() {
    let (bench, _heard) = bench();
    multi(2).block_on(async { use_it(&bench) });
}

#[test]
fn when_the_runtime_it_was_made_in_is_gone() {
    let runtime = current();
    let (bench, _heard) = runtime.block_on(async { bench() });
    drop(runtime);
    use_it(&bench);
}

#[test]
fn dropped_inside_a_runtime() {
    current().block_on(async {
        let (bench, heard) = bench();
        drop(bench);
        assert_eq!(heard.next(), Event::Dropped);
    });
}

#[test]
fn an_exporter_finds_timers_and_can_spawn() {
    struct Spawns(Sender<Event>);

    #[async_trait]
    impl Exporter for Spawns {
        async fn export(&self, batch: Batch) -> Result<(), ExportError> {
            let spans = batch.len();
            let task = tokio::spawn(async move {
                let never = std::future::pending::<()>();
                tokio::time::timeout(Duration::from_millis(1), never).await.unwrap_err();
                spans
            });
            let spans = task.await.map_err(|_| ExportError::permanent("no task"))?;
            self.0.send(Event::Export(spans)).map_err(|_| ExportError::permanent("no test"))
        }
    }

    let (tell, heard) = mpsc::channel();
    let bench = Bench::new(quick(), vec![Box::new(Spawns(tell))]);
    bench.send(&trace(1));
    bench.delivery.shutdown(LONG, 0).unwrap();
    assert_eq!(Heard(heard).so_far(), [Event::Export(1)]);
    assert_eq!(bench.stats().exported, 1);
}

#[test]
fn each_exporter_has_a_thread_of_its_own_name() {
    struct Where(Sender<Option<String>>);

    #[async_trait]
    impl Exporter for Where {
        async fn export(&self, _: Batch) -> Result<(), ExportError> {
            let name = std::thread::current().name().map(str::to_owned);
            let _ = self.0.send(name);
            Ok(())
        }
    }

    let (tell, told) = mpsc::channel();
    let exporters: Vec<Box<dyn Exporter>> =
        vec![Box::new(Where(tell.clone())), Box::new(Where(tell))];
    let bench = Bench::new(quick(), exporters);
    bench.send(&trace(1));
    bench.delivery.shutdown(LONG, 0).unwrap();
    let mut names: Vec<_> = told.try_iter().flatten().collect();
    names.sort();
    assert_eq!(names, ["tailtrace-export-0", "tailtrace-export-1"]);
}
