//! A remote caller that is known before any span stands for its request.
//!
//! A parent that is given afterwards comes too late where another layer reads the new span's ids at
//! once, as one that logs the creation of spans does. And where a filter hides the request's span, the
//! spans inside of it still belong to the caller's trace.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::mem;

use crate::model::{Incoming, TagValue};

thread_local! {
    static CALLER: RefCell<Option<RemoteCaller>> = const { RefCell::new(None) };
    /// Whether there is one. Without a destructor, so that to ask costs little.
    static IS_KNOWN: Cell<bool> = const { Cell::new(false) };
}

#[derive(Clone, Debug)]
struct RemoteCaller {
    incoming: Incoming,
    role: CallerRole,
    /// What the span of the request says before its sampler is asked.
    tags: Vec<RequestTag>,
}

/// A tag that the program makes of a request.
pub(super) type RequestTag = (Cow<'static, str>, TagValue);

/// What roots that are created meanwhile have to do with the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallerRole {
    /// One created with `parent: None` is the span of the request.
    ParentOfRequest,
    /// The span of the request is hidden: one that has no parent because of that is a child.
    InsteadOfRequest,
}

/// Runs `work` while this thread knows of a caller.
#[cfg(any(test, feature = "tower"))]
pub(super) fn with_caller<R>(incoming: Incoming, role: CallerRole, work: impl FnOnce() -> R) -> R {
    with_caller_and_tags(incoming, role, Vec::new(), work)
}

/// Runs `work` while this thread knows of a caller, and of tags for the span of the request.
#[cfg(any(test, feature = "tower"))]
pub(super) fn with_caller_and_tags<R>(
    incoming: Incoming,
    role: CallerRole,
    tags: Vec<RequestTag>,
    work: impl FnOnce() -> R,
) -> R {
    let _before = PreviousCaller(replace(Some(RemoteCaller { incoming, role, tags })));
    work()
}

/// The tags for the span of the request that the thread creates now, once.
pub(super) fn take_tags() -> Vec<RequestTag> {
    let taken = CALLER.try_with(|caller| {
        let mut caller = caller.try_borrow_mut().ok()?;
        caller.as_mut().map(|caller| mem::take(&mut caller.tags))
    });
    taken.ok().flatten().unwrap_or_default()
}

/// Whether the thread knows of a caller.
#[inline]
pub(super) fn is_known() -> bool {
    IS_KNOWN.get()
}

/// The caller in this role of the roots that the thread creates now.
pub(super) fn of_thread(role: CallerRole) -> Option<Incoming> {
    let caller = CALLER.try_with(|caller| {
        let caller = caller.try_borrow().ok()?;
        caller.as_ref().filter(|caller| caller.role == role).map(|caller| caller.incoming.clone())
    });
    caller.ok().flatten()
}

/// Puts the previous caller back, also after a panic.
#[cfg(any(test, feature = "tower"))]
struct PreviousCaller(Option<RemoteCaller>);

#[cfg(any(test, feature = "tower"))]
impl Drop for PreviousCaller {
    fn drop(&mut self) {
        drop(replace(self.0.take()));
    }
}

/// Returns the previous caller, so that it is dropped outside of the borrow.
#[cfg(any(test, feature = "tower"))]
fn replace(by: Option<RemoteCaller>) -> Option<RemoteCaller> {
    let swapped = CALLER.try_with(|caller| match caller.try_borrow_mut() {
        Ok(mut caller) => {
            IS_KNOWN.set(by.is_some());
            mem::replace(&mut *caller, by)
        }
        Err(_) => None,
    });
    swapped.ok().flatten()
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;
    use crate::model::{SpanId, TraceContext, TraceId};

    #[test]
    fn a_caller_is_known_in_its_role_meanwhile_and_not_after() {
        use CallerRole::{InsteadOfRequest, ParentOfRequest};
        let incoming = || Incoming::from(TraceContext::new(TraceId::new(), SpanId::new()));
        let outer = incoming();
        let inner = incoming();
        assert_eq!(of_thread(ParentOfRequest), None);
        with_caller(outer.clone(), ParentOfRequest, || {
            assert_eq!(of_thread(ParentOfRequest).as_ref(), Some(&outer));
            assert_eq!(of_thread(InsteadOfRequest), None);
            with_caller(inner.clone(), InsteadOfRequest, || {
                assert_eq!(of_thread(InsteadOfRequest).as_ref(), Some(&inner));
            });
            assert_eq!(of_thread(ParentOfRequest).as_ref(), Some(&outer));
        });
        assert_eq!(of_thread(ParentOfRequest), None);
        let panicked =
            catch_unwind(|| with_caller(incoming(), ParentOfRequest, || panic!("on purpose")));
        assert!(panicked.is_err());
        assert_eq!(of_thread(ParentOfRequest), None);
    }
}
