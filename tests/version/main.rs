//! Version sync in virtual time: stories named after the promises that they keep, and a model that interleaves everything
//! with everything.
//!
//! `World` is one tab, the pages that it shows one after the other, and the server behind them. It holds what must be
//! true in every story, so each of them checks it on the way.

#![cfg(not(target_arch = "wasm32"))]
#![allow(unreachable_pub, reason = "a test crate has no reach")]

mod watch;
mod world;

mod checks;
mod chunks;
mod crowd;
mod loop_guard;
mod mismatch;
mod model;
mod person;
mod safe_reload;
