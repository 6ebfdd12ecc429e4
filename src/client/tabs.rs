//! The exports for groups of tabs: the session's is number 0, a stream's has the stream's number.

use wasm_bindgen::prelude::*;

use super::engine::driver;
use crate::browser::session::GROUP;
use crate::browser::tabs::word;
use crate::core::events::streams::Told;
use crate::core::hub::{Input, SessionInput, StreamInput};

/// A group's lock is held, or was lost.
#[wasm_bindgen]
pub fn locked(group: u32, held: bool) {
    driver().input(match group {
        GROUP => Input::Session(SessionInput::Locked(held)),
        stream => Input::Stream(stream, StreamInput::Told(if held { Told::Locked } else { Told::Lost })),
    });
}

/// Another tab of a group said a word. Whether to take what it carries.
#[wasm_bindgen]
pub fn heard(group: u32, from: f64, epoch: f64, says: u32, visible: bool, value: f64) -> bool {
    let Some(word) = word(from, epoch, says, visible, value) else { return false };
    if group == GROUP {
        driver().input(Input::Session(SessionInput::HeardTabs(word)));
        return false;
    }
    driver().heard(group, word)
}
