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

pub mod core;

#[cfg(target_arch = "wasm32")]
pub mod browser;
#[cfg(target_arch = "wasm32")]
pub mod client;

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();
