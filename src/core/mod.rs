//! Decides: plain state machines that know no browser, read no clock and roll no dice.
//!
//! Each has one shape. `handle(now, input)` takes what happened, `poll()` says what to do until it is dry, and
//! `next_wake()` says when to come back. Small parts that only answer a question (a budget, a breaker, a bucket) are
//! asked directly with the moment as an argument.

pub mod backoff;
pub mod breaker;
pub mod bucket;
pub mod budget;
pub mod clock;
pub mod connection;
pub mod draft;
pub mod events;
pub mod flight;
pub mod gate;
pub mod http_date;
pub mod hub;
pub mod input;
pub mod kind;
pub mod link;
pub mod origin;
pub mod output;
pub mod queue;
pub mod random;
pub mod requests;
pub mod retry_after;
pub mod session;
pub mod settings;
pub mod tabs;
pub mod time;
pub mod verify;
pub mod version;
