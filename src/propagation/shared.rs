//! The propagator of the process.

use std::sync::Arc;

use arc_swap::ArcSwapOption;

use super::{CompositePropagator, Extractor, Injector, Propagator};
use crate::model::{Baggage, Border, Incoming, TraceContext};

/// A pointer of one word, as the swap needs it.
static SHARED: ArcSwapOption<Arc<dyn Propagator>> = ArcSwapOption::const_empty();

/// Sets the propagator of tracers and HTTP layers that are made from now on and are given none of their own.
///
/// Default: the W3C formats. `tailtrace::init` sets what `OTEL_PROPAGATORS` says.
///
/// ```no_run
/// use tailtrace::propagation::{B3Propagator, set_default};
/// set_default(B3Propagator::single());
/// ```
pub fn set_default(propagator: impl Propagator + 'static) {
    let propagator: Arc<dyn Propagator> = Arc::new(propagator);
    SHARED.store(Some(Arc::new(propagator)));
}

/// The propagator of what is given none of its own.
pub(crate) fn default_propagator() -> Arc<dyn Propagator> {
    match &*SHARED.load() {
        Some(shared) => Arc::clone(shared),
        None => Arc::new(CompositePropagator::default()),
    }
}

macro_rules! propagator_by_pointer {
    ($($pointer:ty),*) => {$(
        impl<P: Propagator + ?Sized> Propagator for $pointer {
            fn extract(&self, carrier: &dyn Extractor, incoming: &mut Incoming) {
                (**self).extract(carrier, incoming);
            }

            fn inject(&self, context: &TraceContext, carrier: &mut dyn Injector) {
                (**self).inject(context, carrier);
            }

            fn inject_baggage(&self, baggage: &Baggage, carrier: &mut dyn Injector) {
                (**self).inject_baggage(baggage, carrier);
            }

            fn fields(&self) -> &[&'static str] {
                (**self).fields()
            }

            fn border(&self) -> Border {
                (**self).border()
            }
        }
    )*};
}

propagator_by_pointer!(Arc<P>, Box<P>);
