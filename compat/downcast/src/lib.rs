//! Lets the downcasts of `tracing` reach a subscriber inside of another.
//!
//! `Subscriber::downcast_raw` is unsafe to implement, and `tailtrace` forbids `unsafe`: so [`Downcast`] stands in a crate
//! of its own.

use std::any::TypeId;
use std::ptr;

use tracing_core::span::{Attributes, Current, Id, Record};
use tracing_core::subscriber::{Interest, Subscriber};
use tracing_core::{Dispatch, Event, LevelFilter, Metadata};

/// A subscriber that is made of two.
pub trait Parts: Subscriber {
    /// The part that answers first.
    type First: Subscriber;
    /// The part that is asked when the first does not answer.
    type Second: Subscriber;

    /// Returns the part that answers first.
    fn first(&self) -> &Self::First;

    /// Returns the part that is asked when the first does not answer.
    fn second(&self) -> &Self::Second;
}

/// A subscriber that is made of two, both of which `Dispatch::downcast_ref` finds, with what is inside of them.
///
/// Everything else is the wrapped subscriber's business.
#[derive(Debug)]
pub struct Downcast<S>(S);

impl<S> Downcast<S> {
    /// Wraps a subscriber.
    pub const fn new(subscriber: S) -> Self {
        Self(subscriber)
    }
}

impl<S: Parts> Subscriber for Downcast<S> {
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        self.0.on_register_dispatch(dispatch);
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.0.register_callsite(metadata)
    }

    #[inline]
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.0.enabled(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.0.max_level_hint()
    }

    #[inline]
    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        self.0.new_span(attributes)
    }

    #[inline]
    fn record(&self, id: &Id, values: &Record<'_>) {
        self.0.record(id, values);
    }

    #[inline]
    fn record_follows_from(&self, id: &Id, follows: &Id) {
        self.0.record_follows_from(id, follows);
    }

    #[inline]
    fn event_enabled(&self, event: &Event<'_>) -> bool {
        self.0.event_enabled(event)
    }

    #[inline]
    fn event(&self, event: &Event<'_>) {
        self.0.event(event);
    }

    #[inline]
    fn enter(&self, id: &Id) {
        self.0.enter(id);
    }

    #[inline]
    fn exit(&self, id: &Id) {
        self.0.exit(id);
    }

    #[inline]
    fn clone_span(&self, id: &Id) -> Id {
        self.0.clone_span(id)
    }

    #[inline]
    fn try_close(&self, id: Id) -> bool {
        self.0.try_close(id)
    }

    #[inline]
    fn current_span(&self) -> Current {
        self.0.current_span()
    }

    /// Points to this subscriber, or else to what the first part points to, or else the second.
    ///
    /// # Safety
    /// As [`Subscriber::downcast_raw`] asks: a pointer that comes back points to a value of the type `id`, and
    /// is valid for as long as this subscriber is borrowed. The first is a pointer to `self`; the others come from
    /// parts that are borrowed from `self`, which promise the same.
    unsafe fn downcast_raw(&self, id: TypeId) -> Option<*const ()> {
        if id == TypeId::of::<Self>() {
            return Some(ptr::from_ref(self).cast());
        }
        // SAFETY: the caller treats the pointer as one into a part that lives as long as `self`, which it is.
        let first = unsafe { self.0.first().downcast_raw(id) };
        // SAFETY: as above.
        first.or_else(|| unsafe { self.0.second().downcast_raw(id) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct One(&'static str);
    struct Other(&'static str);
    struct Both(One, Other);

    macro_rules! deaf {
        ($subscriber:ident) => {
            impl Subscriber for $subscriber {
                fn enabled(&self, _: &Metadata<'_>) -> bool {
                    false
                }

                fn new_span(&self, _: &Attributes<'_>) -> Id {
                    Id::from_u64(1)
                }

                fn record(&self, _: &Id, _: &Record<'_>) {}
                fn record_follows_from(&self, _: &Id, _: &Id) {}
                fn event(&self, _: &Event<'_>) {}
                fn enter(&self, _: &Id) {}
                fn exit(&self, _: &Id) {}
            }
        };
    }

    deaf!(One);
    deaf!(Other);
    deaf!(Both);

    impl Parts for Both {
        type First = One;
        type Second = Other;

        fn first(&self) -> &One {
            &self.0
        }

        fn second(&self) -> &Other {
            &self.1
        }
    }

    fn both() -> Downcast<Both> {
        Downcast::new(Both(One("one"), Other("other")))
    }

    #[test]
    fn each_part_and_the_whole_are_found_by_their_types() {
        let dispatch = Dispatch::new(both());
        assert_eq!(dispatch.downcast_ref::<One>().map(|one| one.0), Some("one"));
        assert_eq!(dispatch.downcast_ref::<Other>().map(|other| other.0), Some("other"));
        assert!(dispatch.is::<Downcast<Both>>());
        assert!(dispatch.downcast_ref::<String>().is_none());
    }

    #[test]
    fn parts_of_parts_are_found() {
        struct Outer(One, Downcast<Both>);
        deaf!(Outer);
        impl Parts for Outer {
            type First = One;
            type Second = Downcast<Both>;

            fn first(&self) -> &One {
                &self.0
            }

            fn second(&self) -> &Downcast<Both> {
                &self.1
            }
        }
        let dispatch = Dispatch::new(Downcast::new(Outer(One("outermost"), both())));
        // The first part wins where both have the type.
        assert_eq!(dispatch.downcast_ref::<One>().map(|one| one.0), Some("outermost"));
        assert_eq!(dispatch.downcast_ref::<Other>().map(|other| other.0), Some("other"));
    }
}
