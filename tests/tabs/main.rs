//! Tabs in virtual time: stories named after the promises that they keep, and a model that interleaves everything with
//! everything.
//!
//! `World` is one browser: its tabs, one lock, one channel between them, and a clock that jumps to whatever comes next.
//! It holds what must be true in every story, so each of them checks it on the way.

#![cfg(not(target_arch = "wasm32"))]
#![allow(unreachable_pub, reason = "a test crate has no reach")]

mod tab;
mod world;

mod election;
mod handover;
mod hostile;
mod model;
mod patience;
mod silence;
mod words;
