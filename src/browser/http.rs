//! One attempt: what its response says, as far as the core decides by it.

use gloo_net::http::{Headers, Response};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::driver::Driver;
use super::host::{ASK_CANNOT_TELL, ASK_NOBODY, ASK_NOTHING, Question};
use crate::core::hub::Input;
use crate::core::origin::Met;
use crate::core::output::Attempt;
use crate::core::requests::{Answer, Body};
use crate::core::retry_after;
use crate::core::time::{Duration, Timestamp};
use crate::core::verify::SessionAnswer;

/// Sends and reports the headers.
pub(super) async fn send(driver: Driver, attempt: Attempt) {
    let sent = JsFuture::from(driver.host().send(attempt.flight, attempt.number)).await;
    driver.input(match sent {
        Ok(response) if response.is_object() => Input::Answered(attempt, answer(response, driver.now())),
        Ok(nothing) if nothing.is_undefined() => Input::Unsendable(attempt),
        _ => Input::Failed(attempt),
    });
}

/// Reads the body and reports how that ended.
pub(super) async fn read(driver: Driver, attempt: Attempt) {
    let read = JsFuture::from(driver.host().read(attempt.flight, attempt.number)).await;
    let body = match read.ok().and_then(|code| code.as_f64()) {
        Some(0.0) => Body::Whole,
        Some(2.0) => Body::TooLarge,
        _ => Body::Broken,
    };
    driver.input(Input::Read(attempt, body));
}

/// Asks an endpoint of the app's server and reports the answer.
pub(super) async fn ask(driver: Driver, question: Question) {
    let answer = JsFuture::from(driver.host().ask(question as u32)).await;
    let answer = answer.ok().and_then(|answer| answer.as_f64()).unwrap_or(ASK_CANNOT_TELL);
    if answer == ASK_NOTHING {
        return;
    }
    driver.input(match question {
        Question::Session if answer == ASK_NOBODY => Input::Session(SessionAnswer::Nobody),
        Question::Session if answer < 0.0 => Input::Session(SessionAnswer::CannotTell),
        Question::Session => Input::Session(SessionAnswer::User(answer as u64)),
        Question::Probe if answer < 0.0 => Input::Probed(Met::Broken),
        Question::Probe => Input::Probed(Met::Status(answer as u16)),
    });
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
