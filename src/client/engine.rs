//! The exports. Numbers and strings in, calls on the host out.
//!
//! They are functions, and an instance of this module is one client's engine: a class would cost every page half a
//! kilobyte, to find out whether an object is borrowed that nobody lends.

use std::cell::Cell;

use wasm_bindgen::prelude::*;

use super::options::Options;
use crate::browser;
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
const WRITES: u32 = 128;

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
            writes: has(WRITES),
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

/// A pointer, key or touch, or a scroll.
#[wasm_bindgen]
pub fn active(by_scroll: bool) {
    driver().input(Input::Active(by_scroll));
}

/// Something about the session: `what` and its numbers are those of `browser::session`.
#[wasm_bindgen]
pub fn session(what: u32, a: f64, b: f64, c: f64) {
    tell(browser::session::input(what, a, b, c));
}

/// Another tab says something about the session.
#[wasm_bindgen(js_name = sessionHeard)]
pub fn session_heard(turn: f64, says: u32, value: f64, user: f64, expires: f64) {
    tell(browser::session::heard(turn, says, value, user, expires));
}

/// Something about the page's version: `what` and its numbers are those of `browser::version`.
#[wasm_bindgen]
pub fn version(what: u32, a: f64, b: f64) {
    tell(browser::version::input(what, a, b));
}

/// A draft is there; times are in milliseconds, and `owner` and `base` are numbers of `browser::draft`.
#[wasm_bindgen(js_name = openDraft)]
pub fn open_draft(id: u32, debounce: f64, max_wait: f64, endpoint: bool, owner: f64, base: f64, edited: bool) {
    driver().input(browser::draft::open(id, debounce, max_wait, endpoint, owner, base, edited));
}

/// Something about a draft: `what` and its numbers are those of `browser::draft`.
#[wasm_bindgen]
pub fn draft(id: u32, what: u32, a: f64, b: f64, c: f64) {
    tell(browser::draft::input(id, what, a, b, c));
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

fn tell(input: Option<Input>) {
    if let Some(input) = input {
        driver().input(input);
    }
}
