//! The `tracing` layer, through the public API.

mod layer {
    mod basics;
    mod compatible;
    mod parents;
    pub(crate) mod support;
    mod user_drops;
}
