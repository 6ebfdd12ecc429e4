//! The hub in virtual time: stories named after the promises that they keep, a model that interleaves everything with
//! everything, and storms of 13,000 pages.
//!
//! `World` is one page: a hub, a scripted server and a clock that jumps to whatever comes next. `Watch` holds what must
//! be true in every story, so each of them checks it on the way.

#![cfg(not(target_arch = "wasm32"))]
#![allow(unreachable_pub, reason = "a test crate has no reach")]

mod script;
mod watch;
mod world;

mod aborts;
mod background;
mod breaker;
mod connection;
mod deadlines;
mod disposal;
mod drafts;
mod gate;
mod model;
mod reload;
mod retries;
mod session;
mod sharing;
mod storm;
