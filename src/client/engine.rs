//! The exports. Numbers and strings in, calls on the host out.

use std::cell::Cell;

use wasm_bindgen::prelude::*;

use super::options::Options;
use crate::browser::driver::Driver;
use crate::browser::host::Host;
use crate::browser::page::{Page, online, visible};
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

/// All that the core does for one client.
#[wasm_bindgen]
pub struct Engine {
    pub(super) driver: Driver,
    /// See `batch`.
    pub(super) batch: Cell<[u32; 4]>,
    _page: Page,
}

#[wasm_bindgen]
impl Engine {
    /// Starts. What does not fit the options is a bug of the glue.
    #[wasm_bindgen(constructor)]
    pub fn new(options: JsValue, host: Host) -> Engine {
        let options: Option<Options> = serde_wasm_bindgen::from_value(options).ok();
        let (settings, seed) = options.and_then(|options| options.settings()).expect("options of the same build");
        let now = Timestamp(js_sys::Date::now() as u64);
        let hub = Hub::new(settings, seed, now, online(), visible());
        let driver = Driver::new(hub, host);
        let page = Page::listen(&driver);
        driver.input(Input::Wake);
        Engine { driver, batch: Cell::default(), _page: page }
    }

    /// Begins a call, which ends with `Host::settle`. `share` is empty for a call that stays alone; times are in
    /// milliseconds.
    #[allow(clippy::too_many_arguments, reason = "an object would cost a look-up for each of them")]
    pub fn call(&self, id: u32, url: &str, share: &str, flags: u32, retries: u32, timeout: f64, deadline: f64) {
        let has = |flag| flags & flag != 0;
        self.driver.input(Input::Call(Call {
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
    pub fn abort(&self, id: u32) {
        self.driver.input(Input::Abort(id));
    }

    /// Some bytes of a body came.
    pub fn progressed(&self, flight: u32, number: u32) {
        self.driver.input(Input::Progressed(Attempt { flight, number }));
    }

    /// Ends everything.
    pub fn dispose(&self) {
        self.driver.stop();
    }
}

/// The next page's address in a `Link` header.
#[wasm_bindgen(js_name = nextLink)]
#[must_use]
pub fn next_link(header: &str) -> Option<String> {
    link::next(header).map(str::to_owned)
}
