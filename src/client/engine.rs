//! The exports. Numbers and strings in, calls on the host out.
//!
//! They are functions, and an instance of this module is one client's engine: a class would cost every page half a
//! kilobyte, to find out whether an object is borrowed that nobody lends.

use std::cell::Cell;

use wasm_bindgen::prelude::*;

use super::options::Options;
use crate::browser::driver::Driver;
use crate::browser::host::Host;
use crate::browser::page::{self, online, visible};
use crate::core::flight::{Call, Traits};
use crate::core::gate::Priority;
use crate::core::hub::{Hub, Input};
use crate::core::link;
use crate::core::output::Attempt;
use crate::core::time::{Duration, Timestamp};

const IDEMPOTENT: u32 = 1;
const REPLAYABLE: u32 = 2;
const TRUSTED: u32 = 4;
const STREAMS: u32 = 8;
const WANTS_DATA: u32 = 16;
const CRITICAL: u32 = 32;
const BACKGROUND: u32 = 64;

thread_local! {
    static DRIVER: Cell<Option<Driver>> = const { Cell::new(None) };
}

/// What `start` started.
pub(super) fn driver() -> Driver {
    DRIVER.get().expect("started before anything else")
}

/// Starts the engine. What does not fit the options is a bug of the glue.
#[wasm_bindgen]
pub fn start(options: JsValue, host: Host) {
    let options: Option<Options> = serde_wasm_bindgen::from_value(options).ok();
    let (settings, seed) = options.and_then(|options| options.settings()).expect("options of the same build");
    let now = Timestamp(js_sys::Date::now() as u64);
    let hub = Hub::new(settings, seed, now, online(), visible());
    let driver = Driver::new(hub, host);
    page::listen(driver);
    DRIVER.set(Some(driver));
    driver.input(Input::Wake);
}

/// Begins a call, which ends with `Host::settle`. `share` is empty for a call that stays alone; times are in
/// milliseconds.
#[allow(clippy::too_many_arguments, reason = "an object would cost a look-up for each of them")]
#[wasm_bindgen]
pub fn call(id: u32, url: &str, share: &str, flags: u32, retries: u32, timeout: f64, deadline: f64) {
    let has = |flag| flags & flag != 0;
    driver().input(Input::Call(Call {
        id,
        url: url.to_owned(),
        share: (!share.is_empty()).then(|| [share, url].concat()),
        priority: match () {
            () if has(CRITICAL) => Priority::Critical,
            () if has(BACKGROUND) => Priority::Background,
            () => Priority::Normal,
        },
        traits: Traits {
            idempotent: has(IDEMPOTENT),
            replayable: has(REPLAYABLE),
            trusted: has(TRUSTED),
            streams: has(STREAMS),
            wants_data: has(WANTS_DATA),
        },
        retries,
        timeout: Duration::from_millis(timeout as u64),
        deadline: Duration::from_millis(deadline as u64),
    }));
}

/// Ends a call at its caller's wish.
#[wasm_bindgen]
pub fn abort(id: u32) {
    driver().input(Input::Abort(id));
}

/// A task that `Host::begin` began is over, and brought this.
#[wasm_bindgen]
pub fn ended(task: u32, id: u32, number: u32, result: JsValue) {
    driver().ended(task, id, number, result);
}

/// Some bytes of a body came.
#[wasm_bindgen]
pub fn progressed(flight: u32, number: u32) {
    driver().input(Input::Progressed(Attempt { flight, number }));
}

/// Ends everything.
#[wasm_bindgen]
pub fn dispose() {
    driver().stop();
}

/// The next page's address in a `Link` header.
#[wasm_bindgen(js_name = nextLink)]
#[must_use]
pub fn next_link(header: &str) -> Option<String> {
    link::next(header).map(str::to_owned)
}
