//! Decides: plain state machines that know no browser, read no clock and roll no dice.
//!
//! Each has one shape. `handle(now, input)` takes what happened, `poll()` says what to do until it is dry, and
//! `next_wake()` says when to come back. Small parts that only answer a question (a budget, a breaker, a bucket) are
//! asked directly with the moment as an argument.

pub mod random;
pub mod time;
