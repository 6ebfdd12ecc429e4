//! What the page goes through: network, visibility, a return from the back/forward cache.

use wasm_bindgen::prelude::*;
use web_sys::{AddEventListenerOptions, EventTarget, VisibilityState};

use super::driver::Driver;
use crate::core::hub::Input;

/// Listens until the host's `life` ends; owns the closures that are listening.
pub struct Page {
    _listener: Closure<dyn FnMut(web_sys::Event)>,
}

/// Whether the browser believes that there is a network. Where there is no `navigator`, there is one.
#[must_use]
pub fn online() -> bool {
    web_sys::window().is_none_or(|window| window.navigator().on_line())
}

/// Whether somebody can see the page. Where there is no document, somebody may.
#[must_use]
pub fn visible() -> bool {
    let document = web_sys::window().and_then(|window| window.document());
    document.is_none_or(|document| document.visibility_state() == VisibilityState::Visible)
}

impl Page {
    /// Listens for all that matters with one closure.
    #[must_use]
    pub fn listen(driver: &Driver) -> Page {
        let options = AddEventListenerOptions::new();
        options.set_signal(&driver.host().life());
        let driver = driver.clone();
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
            // Fails only for a null callback.
            let _ = target.add_event_listener_with_callback_and_add_event_listener_options(kind, callback, &options);
        };
        if let Some(window) = web_sys::window() {
            for kind in ["online", "offline", "pagehide", "pageshow"] {
                listen(&window, kind);
            }
            if let Some(document) = window.document() {
                listen(&document, "visibilitychange");
            }
        }
        Page { _listener: listener }
    }
}
