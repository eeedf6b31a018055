//! The `tracing` layer, through the public API.

mod layer {
    mod basics;
    mod compatible;
    mod limits;
    mod many_threads;
    mod parents;
    mod shutdown;
    pub(crate) mod support;
    mod user_drops;
}
