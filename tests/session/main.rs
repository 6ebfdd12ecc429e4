//! Sessions in virtual time: stories named after the promises that they keep, and a model that interleaves everything
//! with everything.
//!
//! `World` is one browser: its tabs, one lock, one channel between them, one cookie, and the server that it is for.
//! `Watch` holds what must be true in every story, so each of them checks it on the way.

#![cfg(not(target_arch = "wasm32"))]
#![allow(unreachable_pub, reason = "a test crate has no reach")]

mod script;
mod server;
mod tab;
mod watch;
mod world;

mod activity;
mod asking;
mod counts;
mod leaving;
mod model;
mod nudges;
mod schedule;
mod sign_out;
mod verdicts;
mod waking;
mod words;
