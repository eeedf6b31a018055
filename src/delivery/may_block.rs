//! Work that may block, and may need the runtime all the same.

use std::panic;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use tokio::runtime::Handle;

use crate::kit::reentrancy;

/// Runs a future where it may block its thread: on one that the runtime keeps for that.
///
/// For [exporters](crate::Exporter) that wrap code which blocks, or refuses to run inside a runtime, as
/// blocking HTTP clients do. Sockets and timers of the runtime work there too. Outside of a runtime the
/// future runs where it is. A panic of the future goes on in the caller.
///
/// Dropping what this returns does not stop the work. `None` when the runtime ended before it began.
///
/// ```
/// use tailtrace::adapter::may_block;
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// let answer = runtime.block_on(may_block(async {
///     // A runtime of its own, which a future cannot have elsewhere.
///     let inner = tokio::runtime::Builder::new_current_thread().build()?;
///     inner.block_on(async { Ok::<_, std::io::Error>(42) })
/// }));
/// assert_eq!(answer.transpose()?, Some(42));
/// # Ok::<(), std::io::Error>(())
/// ```
pub async fn may_block<F>(work: F) -> Option<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    if Handle::try_current().is_err() {
        return Some(work.await);
    }
    // What an exporting thread hands on is its own work too.
    let is_own = reentrancy::is_own_thread();
    let work = move || {
        if is_own {
            reentrancy::mark_own_thread();
        }
        wait_for(work)
    };
    #[expect(clippy::disallowed_methods, reason = "delivery owns the exporting threads")]
    let ended = tokio::task::spawn_blocking(work).await;
    match ended {
        Ok(output) => Some(output),
        Err(error) => match error.try_into_panic() {
            Ok(payload) => panic::resume_unwind(payload),
            Err(_) => None,
        },
    }
}

/// Runs a future to its end on this thread, without a runtime around it.
fn wait_for<F: Future>(work: F) -> F::Output {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut work = pin!(work);
    loop {
        match work.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::kit::unwind_safe;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    #[test]
    fn timers_of_the_runtime_work_while_the_thread_may_block() {
        let ended = runtime().block_on(may_block(async {
            let never = std::future::pending::<()>();
            tokio::time::timeout(Duration::from_millis(1), never).await.is_err()
        }));
        assert_eq!(ended, Some(true));
    }

    #[test]
    fn outside_of_a_runtime_it_runs_where_it_is() {
        let here = thread::current().id();
        let there = wait_for(may_block(async { thread::current().id() }));
        assert_eq!(there, Some(here));
    }

    #[test]
    fn what_a_thread_of_ours_has_done_elsewhere_is_our_own_work() {
        let asked = || runtime().block_on(may_block(async { reentrancy::is_own_thread() }));
        assert_eq!(asked(), Some(false));
        let ours = thread::spawn(move || {
            reentrancy::mark_own_thread();
            asked()
        });
        assert_eq!(ours.join().unwrap(), Some(true));
    }

    #[test]
    fn a_panic_goes_on_in_the_caller() {
        let runtime = runtime();
        let ended = unwind_safe::call(|| runtime.block_on(may_block(async { panic!("no words") })));
        assert_eq!(ended, None::<Option<()>>);
    }
}
