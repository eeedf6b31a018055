//! The `tracing` layer, through the public API.

mod layer {
    mod basics;
    mod parents;
    pub(crate) mod support;
}
