//! One attempt: what its response says, as far as the core decides by it.

use gloo_net::http::{Headers, Response};
use wasm_bindgen::prelude::*;

use super::host::{ASK_CANNOT_TELL, ASK_NOTHING};
use crate::core::hub::Input;
use crate::core::origin::Met;
use crate::core::output::Attempt;
use crate::core::requests::{Answer, Body};
use crate::core::retry_after;
use crate::core::time::{Duration, Timestamp};

/// What came of sending.
pub(super) fn sent(attempt: Attempt, result: JsValue, now: Timestamp) -> Input {
    if result.is_object() {
        Input::Answered(attempt, answer(result, now))
    } else if result.is_undefined() {
        Input::Unsendable(attempt)
    } else {
        Input::Failed(attempt)
    }
}

/// How reading the body ended.
pub(super) fn read(attempt: Attempt, result: &JsValue) -> Input {
    let body = match result.as_f64() {
        Some(0.0) => Body::Whole,
        Some(2.0) => Body::TooLarge,
        _ => Body::Broken,
    };
    Input::Read(attempt, body)
}

/// What the probe met. None: nothing was asked, or it was answered in another way.
pub(super) fn probed(result: &JsValue) -> Option<Input> {
    let answer = result.as_f64().unwrap_or(ASK_CANNOT_TELL);
    let met = || if answer < 0.0 { Met::Broken } else { Met::Status(answer as u16) };
    (answer != ASK_NOTHING).then(|| Input::Probed(met()))
}

fn answer(response: JsValue, now: Timestamp) -> Answer {
    let response = Response::from(response.unchecked_into::<web_sys::Response>());
    let status = response.status();
    let headers = response.headers();
    let retry_after = (status >= 400).then(|| retry_after(&headers, now)).flatten();
    // An empty answer may say that it is HTML, and holds none.
    let holds = || status != 204 && status != 205 && headers.get("content-length").as_deref() != Some("0");
    let html = || headers.get("content-type").is_some_and(|kind| is_html(kind.as_bytes())) && holds();
    Answer { status, retry_after, html: status < 400 && html(), redirected: response.redirected() }
}

/// What the server asks to wait.
pub(super) fn retry_after(headers: &Headers, now: Timestamp) -> Option<Duration> {
    let (after, after_ms) = (headers.get("retry-after"), headers.get("retry-after-ms"));
    let date = after.is_some().then(|| headers.get("date")).flatten();
    retry_after::parse(after.as_deref(), after_ms.as_deref(), date.as_deref(), now)
}

/// Fetch trims the values of headers, so nothing stands before the type.
pub(super) fn is_html(content_type: &[u8]) -> bool {
    content_type.get(..9).is_some_and(|kind| kind.eq_ignore_ascii_case(b"text/html"))
}
