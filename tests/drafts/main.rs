//! Drafts in virtual time: stories named after the promises that they keep, and a model that interleaves everything with
//! everything.
//!
//! `World` is one server and the devices of two people, each device with its storage, its cookie and its pages. It does what the
//! host does around the machine, and checks on the way what must be true in every story: nothing is saved over what its
//! writer had not seen, nothing that was cleared comes back, nothing is anybody else's, and 'saved' is said of what is there.

#![cfg(not(target_arch = "wasm32"))]
#![allow(unreachable_pub, reason = "a test crate has no reach")]

mod alone;
mod device;
mod host;
mod page;
mod server;
mod texts;
mod world;

mod clearing;
mod conflicts;
mod doubts;
mod leaving;
mod model;
mod owners;
mod restoring;
mod saving;
mod table;
mod unsaved;
mod waits;
