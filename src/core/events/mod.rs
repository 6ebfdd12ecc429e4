//! Event streams: the format, what was delivered, and the life of a connection.

pub mod memory;
pub mod parser;
