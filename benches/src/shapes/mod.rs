//! What is traced, once in the words of each library.
//!
//! Each library is used as its own documentation shows for spans that are held in a variable;
//! `fastrace_local` is its cheaper way for spans that never leave their thread.

pub mod deep;
pub mod events;
pub mod flat;
pub mod requests;
pub mod rich;
pub mod turns;
