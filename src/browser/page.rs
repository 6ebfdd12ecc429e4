//! What the page goes through: network, visibility, a return from the back/forward cache. A worker hears of the network only.

use wasm_bindgen::prelude::*;
use web_sys::{AddEventListenerOptions, Document, EventTarget, VisibilityState};

use super::driver::Driver;
use crate::core::hub::Input;

#[wasm_bindgen]
extern "C" {
    /// A window, or a worker's global scope.
    type Global;
    /// A window's or a worker's.
    type Navigator;

    #[wasm_bindgen(thread_local_v2, js_name = globalThis)]
    static GLOBAL: Global;

    #[wasm_bindgen(method, getter)]
    fn navigator(this: &Global) -> Option<Navigator>;

    #[wasm_bindgen(method, getter)]
    fn document(this: &Global) -> Option<Document>;

    #[wasm_bindgen(method, getter, js_name = onLine)]
    fn on_line(this: &Navigator) -> Option<bool>;
}

/// Whether the browser believes that there is a network. Where nothing says so, there is one.
#[must_use]
pub fn online() -> bool {
    GLOBAL.with(Global::navigator).and_then(|navigator| navigator.on_line()).unwrap_or(true)
}

/// Whether somebody can see the page. Where there is no document, somebody may.
#[must_use]
pub fn visible() -> bool {
    let document = GLOBAL.with(Global::document);
    document.is_none_or(|document| document.visibility_state() == VisibilityState::Visible)
}

/// Listens for all that matters with one closure, until the host's `life` ends.
pub fn listen(driver: Driver) {
    let options = AddEventListenerOptions::new();
    options.set_signal(&driver.host().life());
    let listener = Closure::<dyn FnMut(web_sys::Event)>::new(move |event: web_sys::Event| {
        match event.type_().as_str() {
            "online" | "offline" => driver.input(Input::Network(online())),
            "visibilitychange" => driver.input(Input::Visible(visible())),
            // Connections, locks and channels would keep the page out of the back/forward cache.
            "pagehide" => driver.input(Input::Away(true)),
            // Timers stood still there, the clock did not.
            _ => driver.input(Input::Away(false)),
        }
    });
    let listen = |target: &EventTarget, kind: &str| {
        let callback = listener.as_ref().unchecked_ref();
        // Fails only where nothing is listened to: in no browser.
        let _ = target.add_event_listener_with_callback_and_add_event_listener_options(kind, callback, &options);
    };
    GLOBAL.with(|global| {
        for kind in ["online", "offline", "pagehide", "pageshow"] {
            listen(global.unchecked_ref(), kind);
        }
        if let Some(document) = global.document() {
            listen(&document, "visibilitychange");
        }
    });
    // It goes with the instance.
    listener.forget();
}
