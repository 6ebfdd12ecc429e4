//! # evenkeel
//!
//! A WebAssembly client runtime that keeps a web page steady through everything that goes wrong between it and its
//! server.
//!
//! The house has three floors, and arrows point down only:
//!
//! - `client` hands over: the exports that the TypeScript glue calls.
//! - `browser` does: fetch, timers, page lifecycle.
//! - [`core`] decides: state machines that know no browser, read no clock and roll no dice.
//!
//! Only `core` exists off the web, so `cargo test` runs every decision natively in virtual time.
//!
//! # Where things are
//!
//! Begin with [`core::hub`]: it says how the machines hang together. They are:
//!
//! | what it is about | where |
//! |---|---|
//! | requests: waits, queues, breakers, single flight | [`core::requests`], [`core::origin`], [`core::gate`], [`core::breaker`], [`core::flight`] |
//! | what a server asks for | [`core::retry_after`], [`core::http_date`], [`core::link`] |
//! | event streams | [`core::events`] |
//! | who is signed in | [`core::session`], [`core::verify`] |
//! | a new version of the page | [`core::version`] |
//! | what somebody types | [`core::draft`] |
//! | tabs, and which of them leads | [`core::tabs`] |
//! | the connection to the server | [`core::connection`] |
//!
//! What goes in is [`core::input`], what comes out is [`core::output`], and every number that steers them stands in
//! [`core::settings`]. The public face, in TypeScript, is the folder `js/`: it builds requests, reads bodies, words failures and
//! holds what must work without WebAssembly.

pub mod core;

#[cfg(target_arch = "wasm32")]
pub mod browser;
#[cfg(target_arch = "wasm32")]
pub mod client;

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();
