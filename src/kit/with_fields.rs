//! The `with_…` methods of structs that users fill.

/// Makes for each field of a struct a method that sets it: `with_fields! { live_traces: usize => with_live_traces }`.
macro_rules! with_fields {
    ($($field:ident: $kind:ty => $method:ident;)+) => {$(
        #[doc = concat!("This with another value of [`", stringify!($field), "`](Self::", stringify!($field), ").")]
        #[must_use]
        pub const fn $method(mut self, $field: $kind) -> Self {
            self.$field = $field;
            self
        }
    )+};
}

pub(crate) use with_fields;
