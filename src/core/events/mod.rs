//! Event streams: the format, what was delivered, and the life of a connection.

pub mod memory;
pub mod parser;
pub mod polling;
pub mod reconnect;
pub mod report;
pub mod stream;
pub mod streams;
pub mod watchdog;
