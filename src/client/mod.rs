//! Hands over: what the TypeScript glue calls.

mod engine;
mod options;
mod streams;
mod tabs;

pub use engine::*;
pub use streams::*;
pub use tabs::*;
