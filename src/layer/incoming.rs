//! The parent of a root that is being created, known before anybody else hears of the span.
//!
//! A parent that is given afterwards comes too late where another layer reads the new span's ids at
//! once, as one that logs the creation of spans does.

use std::cell::RefCell;

use crate::model::TraceContext;

thread_local! {
    static PARENT: RefCell<Option<TraceContext>> = const { RefCell::new(None) };
}

/// Runs `create` so that a span it creates with `parent: None` stands under `parent`.
#[cfg_attr(not(feature = "tower"), allow(dead_code))]
pub(super) fn under<R>(parent: TraceContext, create: impl FnOnce() -> R) -> R {
    let _before = Before(replace(Some(parent)));
    create()
}

/// The parent of the root that this thread is creating.
pub(super) fn parent() -> Option<TraceContext> {
    PARENT.try_with(|parent| parent.try_borrow().ok()?.clone()).ok()?
}

/// Puts back what was there, also after a panic.
struct Before(Option<TraceContext>);

impl Drop for Before {
    fn drop(&mut self) {
        drop(replace(self.0.take()));
    }
}

/// What was there comes back, so that it is dropped outside of the borrow.
fn replace(by: Option<TraceContext>) -> Option<TraceContext> {
    let swapped = PARENT.try_with(|parent| match parent.try_borrow_mut() {
        Ok(mut parent) => std::mem::replace(&mut *parent, by),
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
    fn a_parent_is_known_while_its_child_is_created_and_not_after() {
        let context = || TraceContext::new(TraceId::new(), SpanId::new());
        let (outer, inner) = (context(), context());
        assert_eq!(parent(), None);
        under(outer.clone(), || {
            assert_eq!(parent().as_ref(), Some(&outer));
            under(inner.clone(), || assert_eq!(parent().as_ref(), Some(&inner)));
            assert_eq!(parent().as_ref(), Some(&outer));
        });
        assert_eq!(parent(), None);
        assert!(catch_unwind(|| under(context(), || panic!("on purpose"))).is_err());
        assert_eq!(parent(), None);
    }
}
