//! A message bus in the memory of the program.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Poll, Waker};

use async_trait::async_trait;

use super::bus::{BusConnection, BusError, BusReceiver, BusSender, KeepBus};
use crate::kit::unwind_safe::lock;

/// The most messages that wait for one receiver; a further one takes the place of the oldest.
const MOST_WAITING: usize = 16_384;

/// A message bus in the memory of the program: for tests, and for several pipelines of one process.
///
/// A clone is a handle to the same bus. It can be taken away and brought back, as a real one on a bad day.
///
/// ```
/// use std::time::Duration;
/// use tailtrace::coherence::{Coherence, MemoryBus};
///
/// let bus = MemoryBus::new();
/// let shop = Coherence::new(bus.clone()).with_group("test");
/// let bank = Coherence::new(bus.clone()).with_group("test");
/// bus.set_available(false); // Decisions are local, until:
/// bus.set_available(true);
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryBus(Arc<Mutex<Hub>>);

#[derive(Debug, Default)]
struct Hub {
    is_away: bool,
    groups: HashMap<String, Vec<Weak<Mutex<Mailbox>>>>,
}

/// What waits for one receiver.
#[derive(Debug, Default)]
struct Mailbox {
    messages: VecDeque<Arc<[u8]>>,
    is_closed: bool,
    waker: Option<Waker>,
}

impl MemoryBus {
    /// A bus that no pipeline is connected to yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the bus away, which cuts off all who are connected, or brings it back.
    pub fn set_available(&self, available: bool) {
        let mut hub = lock(&self.0);
        hub.is_away = !available;
        if !available {
            for mailbox in hub.groups.drain().flat_map(|(_, mailboxes)| mailboxes) {
                close(&mailbox);
            }
        }
    }
}

fn close(mailbox: &Weak<Mutex<Mailbox>>) {
    if let Some(mailbox) = mailbox.upgrade() {
        let mut mailbox = lock(&mailbox);
        mailbox.is_closed = true;
        wake(&mut mailbox);
    }
}

/// Wakes the receiver's thread. The wakers are those of our runtime.
fn wake(mailbox: &mut Mailbox) {
    if let Some(waker) = mailbox.waker.take() {
        waker.wake();
    }
}

#[async_trait]
impl KeepBus for MemoryBus {
    fn name(&self) -> Cow<'static, str> {
        "the bus in memory".into()
    }

    async fn connect(&self, group: &str) -> Result<BusConnection, BusError> {
        let mut hub = lock(&self.0);
        if hub.is_away {
            return Err(away());
        }
        let mailbox = Arc::default();
        let mailboxes = hub.groups.entry(group.to_owned()).or_default();
        mailboxes.retain(|mailbox| mailbox.strong_count() > 0);
        mailboxes.push(Arc::downgrade(&mailbox));
        let sender = MemorySender { bus: self.clone(), group: group.to_owned() };
        Ok(BusConnection::new(sender, MemoryReceiver(mailbox)))
    }
}

fn away() -> BusError {
    BusError::new("the bus was taken away; bring it back by `set_available(true)`")
}

struct MemorySender {
    bus: MemoryBus,
    group: String,
}

#[async_trait]
impl BusSender for MemorySender {
    async fn publish(&mut self, message: Vec<u8>) -> Result<(), BusError> {
        let message: Arc<[u8]> = message.into();
        let hub = lock(&self.bus.0);
        if hub.is_away {
            return Err(away());
        }
        let mailboxes = hub.groups.get(&self.group).into_iter().flatten();
        for mailbox in mailboxes.filter_map(Weak::upgrade) {
            let mut mailbox = lock(&mailbox);
            if mailbox.messages.len() == MOST_WAITING {
                mailbox.messages.pop_front();
            }
            mailbox.messages.push_back(Arc::clone(&message));
            wake(&mut mailbox);
        }
        Ok(())
    }
}

struct MemoryReceiver(Arc<Mutex<Mailbox>>);

#[async_trait]
impl BusReceiver for MemoryReceiver {
    async fn receive(&mut self) -> Result<Vec<u8>, BusError> {
        poll_fn(|context| {
            let mut mailbox = lock(&self.0);
            if let Some(message) = mailbox.messages.pop_front() {
                return Poll::Ready(Ok(message.to_vec()));
            }
            if mailbox.is_closed {
                return Poll::Ready(Err(away()));
            }
            mailbox.waker = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }
}
