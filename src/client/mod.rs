//! Hands over: what the TypeScript glue calls.

mod engine;
mod options;

pub use engine::{Engine, next_link};
