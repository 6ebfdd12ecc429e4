//! Does what the core decides: sends, reads, waits, and listens to the page.

pub mod draft;
pub mod driver;
pub mod events;
pub mod host;
mod http;
pub mod page;
pub mod session;
pub mod tabs;
pub mod version;
