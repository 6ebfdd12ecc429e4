//! Event streams in virtual time: stories named after the promises that they keep, a model that interleaves everything
//! with everything, and 13,000 pages that lose one server.
//!
//! `World` is a server and the pages that listen to it, most often one: a hub each, and a host that does what the glue
//! does. `Watch` holds what must be true in every story, so each of them checks it on the way.

#![cfg(not(target_arch = "wasm32"))]
#![allow(unreachable_pub, reason = "a test crate has no reach")]

mod glue;
mod page;
mod script;
mod watch;
mod world;

mod answers;
mod control;
mod crowd;
mod events;
mod model;
mod polling;
mod sharing;
mod silence;
mod thirteen_thousand;
mod waits;
