//! The thread that connects a member to its bus.
//!
//! It has a small runtime of its own, so that coherence works whatever the program runs on, and the bus's client holds
//! up nothing but notices.

use std::fmt;
use std::future::{pending, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex, mpsc};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

use crate::coherence::bus::{BusConnection, BusError, BusReceiver, BusSender, KeepBus};
use crate::coherence::codec::MessageError;
use crate::coherence::heard::KeepHeard;
use crate::coherence::inbox::Inbox;
use crate::coherence::member::Member;
use crate::kit::unwind_safe::{self, lock};
use crate::kit::{Random, internal_log, reentrancy};
use crate::ledger::CoherenceCounters;
use crate::time::{Clock, Tick};

/// How long a connection may take to begin, or a message to be taken over by the client.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// Short: what is repeated after a reconnect must find its traces in the rings of the others.
const LONGEST_WAIT: Duration = Duration::from_millis(1_000);

pub(super) struct Runner {
    pub(super) bus: Arc<dyn KeepBus>,
    pub(super) group: String,
    /// Locked for one call at a time, by this thread only.
    pub(super) member: Mutex<Member>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) keeper: Arc<dyn KeepHeard>,
    pub(super) counters: Arc<CoherenceCounters>,
    pub(super) clock: Clock,
    pub(super) random: Random,
}

/// Why a connection is given up.
enum End {
    Lost(BusError),
    /// The pipeline shuts down.
    Ended,
}

impl Runner {
    /// Starts the thread; returns when it has a runtime.
    ///
    /// # Errors
    /// When the system refuses a thread or what a runtime needs.
    pub(super) fn start(self) -> io::Result<()> {
        let (report, reported) = mpsc::sync_channel(1);
        let body = move || {
            // What the client of the bus traces must not come back in.
            reentrancy::mark_own_thread();
            let _ended = EndOnDrop(Arc::clone(&self.inbox));
            let mut builder = Builder::new_current_thread();
            builder.enable_all().on_thread_start(reentrancy::mark_own_thread);
            let runtime = match builder.build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(report.send(Err(error))),
            };
            if report.send(Ok(())).is_ok() {
                let bus = self.bus.name();
                let ran = unwind_safe::call(|| runtime.block_on(self.run(&bus)));
                if ran.is_none() {
                    internal_log::warn(&format!(
                        "the client of {bus} panicked: traces are kept by this service alone from now on"
                    ));
                }
                unwind_safe::call(|| {
                    let _inside = runtime.enter();
                    drop(self);
                });
            }
            runtime.shutdown_background();
        };
        #[expect(clippy::disallowed_methods, reason = "coherence owns the thread of its bus")]
        thread::Builder::new().name("tailtrace-bus".to_owned()).spawn(body)?;
        reported.recv().unwrap_or_else(|_| Err(io::Error::other("the thread ended at once")))
    }

    async fn run(&self, bus: &str) {
        let mut wait = FIRST_WAIT;
        let mut is_told = false;
        loop {
            let connecting = timeout(CALL_TIMEOUT, self.bus.connect(&self.group));
            let error = match race(connecting, self.tend(None)).await {
                Raced::First(Ok(Ok(connection))) => {
                    if is_told {
                        internal_log::info(&format!(
                            "{bus} is back: traces are kept together again"
                        ));
                        is_told = false;
                    }
                    wait = FIRST_WAIT;
                    match self.serve(connection).await {
                        End::Ended => return,
                        End::Lost(error) => error,
                    }
                }
                Raced::First(Ok(Err(error))) => error,
                Raced::First(Err(_)) => BusError::new("no connection within 5 s"),
                Raced::Second(_) => return,
            };
            if !is_told {
                is_told = true;
                internal_log::warn(&format!(
                    "{bus} is away: {error:?}; each service keeps its own traces until it is back"
                ));
            }
            let spread = wait * (self.random.next_u64() >> 32) as u32 / u32::MAX;
            if let Raced::Second(_) = race(sleep(wait / 2 + spread / 2), self.tend(None)).await {
                return;
            }
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    async fn serve(&self, connection: BusConnection) -> End {
        let BusConnection { sender, receiver } = connection;
        lock(&self.member).on_connected(self.clock.now());
        let end = match race(self.receive(receiver), self.tend(Some(sender))).await {
            Raced::First(end) | Raced::Second(end) => end,
        };
        lock(&self.member).on_disconnected(self.clock.now());
        end
    }

    /// Hands to the member what the bus brings, and to the recorder what the member wants kept.
    async fn receive(&self, mut receiver: Box<dyn BusReceiver>) -> End {
        let mut is_told = false;
        loop {
            let message = match receiver.receive().await {
                Ok(message) => message,
                Err(error) => return End::Lost(error),
            };
            let read = lock(&self.member).on_message(&message, self.clock.now());
            if let Err(error) = read
                && !is_told
            {
                is_told = true;
                self.warn_of_message(&error);
            }
            self.keep_heard();
            // The member may have to say something earlier than it had told.
            self.inbox.wake();
            // A flood of messages must not keep this thread from publishing.
            yield_now().await;
        }
    }

    fn warn_of_message(&self, error: &MessageError) {
        internal_log::warn(&format!(
            "a message in group {:?} was passed over: {error}",
            self.group
        ));
    }

    fn keep_heard(&self) {
        loop {
            let heard = lock(&self.member).poll_keep();
            let Some(heard) = heard else { return };
            self.keeper.keep_heard(&heard).count(&heard, &self.counters);
        }
    }

    /// Hands to the member what the program announced, and publishes what the member has to say; without a sender it
    /// only lets go of what gets old. Ends when the pipeline does, or the sender fails.
    async fn tend(&self, mut sender: Option<Box<dyn BusSender>>) -> End {
        loop {
            let received = self.inbox.take();
            {
                let now = self.clock.now();
                let mut member = lock(&self.member);
                for notice in received.notices {
                    member.on_decided(notice, now);
                }
                if received.flush.is_some() || received.is_ending {
                    member.flush();
                }
            }
            self.keep_heard();
            let is_urgent = received.flush.is_some() || received.is_ending;
            let published = self.publish(sender.as_deref_mut(), is_urgent).await;
            if let Some(number) = received.flush {
                self.inbox.flushed(number);
            }
            if received.is_ending {
                return End::Ended;
            }
            if let Err(error) = published {
                return End::Lost(error);
            }
            let deadline = lock(&self.member).next_deadline();
            self.wait_until(deadline).await;
        }
    }

    async fn publish(
        &self,
        sender: Option<&mut (dyn BusSender + 'static)>,
        is_urgent: bool,
    ) -> Result<(), BusError> {
        // Without a sender the member is not connected, and only lets go of what gets old.
        let Some(sender) = sender else {
            lock(&self.member).poll_publish(self.clock.now());
            return Ok(());
        };
        loop {
            let message = lock(&self.member).poll_publish(self.clock.now());
            let Some(message) = message else { break };
            in_time(sender.publish(message)).await?;
        }
        if is_urgent { in_time(sender.flush()).await } else { Ok(()) }
    }

    /// Waits until the inbox changes, or the deadline.
    async fn wait_until(&self, deadline: Option<Tick>) {
        let changed = poll_fn(|context| match self.inbox.poll_changed(context) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        });
        let due = async {
            match deadline {
                None => pending().await,
                // At least a millisecond: the timer's own grain. On a manual clock the wait may have to be repeated.
                Some(at) => sleep(at.since(self.clock.now()).max(Duration::from_millis(1))).await,
            }
        };
        race(changed, due).await;
    }
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner").field("group", &self.group).finish_non_exhaustive()
    }
}

/// Releases the callers that wait for the thread, even when it panics.
struct EndOnDrop(Arc<Inbox>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.ended();
    }
}

async fn in_time(call: impl Future<Output = Result<(), BusError>>) -> Result<(), BusError> {
    let ended = timeout(CALL_TIMEOUT, call).await;
    ended.unwrap_or_else(|_| Err(BusError::new("the client took no message within 5 s")))
}

enum Raced<A, B> {
    First(A),
    Second(B),
}

/// Polls both until one is ready; the other is dropped.
async fn race<A, B>(
    first: impl Future<Output = A>,
    second: impl Future<Output = B>,
) -> Raced<A, B> {
    let mut first = pin!(first);
    let mut second = pin!(second);
    poll_fn(|context| {
        if let Poll::Ready(ready) = first.as_mut().poll(context) {
            return Poll::Ready(Raced::First(ready));
        }
        second.as_mut().poll(context).map(Raced::Second)
    })
    .await
}
