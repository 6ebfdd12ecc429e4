//! Hands over: what the TypeScript glue calls.

mod engine;
mod options;
mod streams;

pub use engine::{Engine, next_link};
