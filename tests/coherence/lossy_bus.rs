//! A bus that loses messages.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use tailtrace::coherence::{
    BusConnection, BusError, BusReceiver, KeepBus, MemoryBus, Message, MessageBody,
};

/// A bus that loses one batch of ten on the way to who listens by it.
pub(crate) struct LossyBus {
    bus: MemoryBus,
    /// How many messages came here so far, before any was lost.
    came: Arc<AtomicU64>,
}

impl LossyBus {
    pub(crate) fn new(bus: &MemoryBus) -> Self {
        Self { bus: bus.clone(), came: Arc::default() }
    }
}

struct LossyReceiver {
    receiver: Box<dyn BusReceiver>,
    came: Arc<AtomicU64>,
}

#[async_trait]
impl KeepBus for LossyBus {
    fn name(&self) -> Cow<'static, str> {
        "lossy".into()
    }

    async fn connect(&self, group: &str) -> Result<BusConnection, BusError> {
        let BusConnection { sender, receiver } = self.bus.connect(group).await?;
        let came = Arc::clone(&self.came);
        let receiver: Box<dyn BusReceiver> = Box::new(LossyReceiver { receiver, came });
        Ok(BusConnection { sender, receiver })
    }
}

#[async_trait]
impl BusReceiver for LossyReceiver {
    async fn receive(&mut self) -> Result<Vec<u8>, BusError> {
        loop {
            let message = self.receiver.receive().await?;
            let is_batch = Message::decode(&message).is_ok_and(|message| {
                matches!(message.body, MessageBody::Notices(notices) if notices.len() > 1)
            });
            // Before the first batch the services meet.
            if !is_batch || self.came.fetch_add(1, Ordering::Relaxed) % 10 != 5 {
                return Ok(message);
            }
        }
    }
}
