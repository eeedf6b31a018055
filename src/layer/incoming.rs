//! A caller that is known before any span of ours stands for it.
//!
//! A parent that is given afterwards comes too late where another layer reads the new span's ids at
//! once, as one that logs the creation of spans does. And where a filter hides the request's span, the
//! spans inside of it still belong to the caller's trace.

use std::cell::RefCell;

use crate::model::TraceContext;

thread_local! {
    static CALLER: RefCell<Option<Caller>> = const { RefCell::new(None) };
}

#[derive(Clone, Debug)]
struct Caller {
    context: TraceContext,
    role: Role,
}

/// What roots that are created meanwhile have to do with the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// One created with `parent: None` is the span of the request.
    ParentOfRequest,
    /// The span of the request is hidden: one that has no parent because of that is a child.
    InsteadOfRequest,
}

/// Runs `work` while this thread knows of a caller.
#[cfg_attr(not(feature = "tower"), allow(dead_code))]
pub(super) fn under<R>(context: TraceContext, role: Role, work: impl FnOnce() -> R) -> R {
    let _before = Before(replace(Some(Caller { context, role })));
    work()
}

/// The caller of whom roots created on this thread are to hear in this role.
pub(super) fn caller(role: Role) -> Option<TraceContext> {
    let caller = CALLER.try_with(|caller| {
        let caller = caller.try_borrow().ok()?;
        caller.as_ref().filter(|caller| caller.role == role).map(|caller| caller.context.clone())
    });
    caller.ok().flatten()
}

/// Puts back what was there, also after a panic.
struct Before(Option<Caller>);

impl Drop for Before {
    fn drop(&mut self) {
        drop(replace(self.0.take()));
    }
}

/// What was there comes back, so that it is dropped outside of the borrow.
fn replace(by: Option<Caller>) -> Option<Caller> {
    let swapped = CALLER.try_with(|caller| match caller.try_borrow_mut() {
        Ok(mut caller) => std::mem::replace(&mut *caller, by),
        Err(_) => None,
    });
    swapped.ok().flatten()
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;
    use crate::model::{SpanId, TraceId};

    #[test]
    fn a_caller_is_known_in_its_role_meanwhile_and_not_after() {
        use Role::{InsteadOfRequest, ParentOfRequest};
        let context = || TraceContext::new(TraceId::new(), SpanId::new());
        let (outer, inner) = (context(), context());
        assert_eq!(caller(ParentOfRequest), None);
        under(outer.clone(), ParentOfRequest, || {
            assert_eq!(caller(ParentOfRequest).as_ref(), Some(&outer));
            assert_eq!(caller(InsteadOfRequest), None);
            under(inner.clone(), InsteadOfRequest, || {
                assert_eq!(caller(InsteadOfRequest).as_ref(), Some(&inner));
            });
            assert_eq!(caller(ParentOfRequest).as_ref(), Some(&outer));
        });
        assert_eq!(caller(ParentOfRequest), None);
        let panicked = catch_unwind(|| under(context(), ParentOfRequest, || panic!("on purpose")));
        assert!(panicked.is_err());
        assert_eq!(caller(ParentOfRequest), None);
    }
}
