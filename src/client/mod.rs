//! Hands over: what the TypeScript glue calls.

mod engine;
mod options;
mod streams;

pub use engine::*;
pub use streams::*;
