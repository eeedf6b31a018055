//! Code of the application that runs inside the subscriber and comes back into it: the suite of the layer.

#[path = "../layer/support.rs"]
mod support;
#[path = "../subscriber/way.rs"]
mod way;

#[path = "../layer_global/deciders.rs"]
mod deciders;
#[path = "../layer_global/endings.rs"]
mod endings;
#[path = "../layer_global/fields.rs"]
mod fields;
#[path = "../layer_global/leaks.rs"]
mod leaks;
#[path = "../layer_global/own_work.rs"]
mod own_work;
#[path = "../layer_global/process.rs"]
mod process;
