//! The stream format and the memory of what was delivered: stories, every cut of nasty streams, and two other readers to
//! agree with, one written from the specification's sentences and one by somebody else.

#![cfg(not(target_arch = "wasm32"))]
#![allow(unreachable_pub, reason = "a test crate has no reach")]

mod reading;

mod batch;
mod bounds;
mod format;
mod memory;
mod model;
mod oracle;
mod splits;
