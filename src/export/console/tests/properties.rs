//! Drawings of traces of any shape.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn whatever_a_trace_holds_its_drawing_fits_and_shows_no_controls(
        spans in prop::collection::vec(
            (any::<String>(), 1_u64..40, prop::option::of(0_u64..40)), 0..60),
        width in 0_usize..200,
        value in any::<String>(),
    ) {
        let mut made = raw(spans);
        let first = made.spans().next().map(|span| span.span_id());
        if let Some(mut span) = first.and_then(|id| made.span_mut(id)) {
            span.set_tag("key\u{202e}", value.clone());
            span.log_at(std::time::UNIX_EPOCH, LogLevel::Error, value.clone(), [("key", 1)]);
            span.set_status(crate::model::Status::error(value));
        }
        let console = console().with_width(width).with_tags(true).with_logs(true).build();
        assert_fits(&console.render(&made), width.clamp(40, 400));
    }
}
