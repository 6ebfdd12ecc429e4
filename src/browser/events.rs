//! Event streams: what their responses say, and what the core wants of the host.

use gloo_net::http::Response;
use wasm_bindgen::prelude::*;

use super::driver::Driver;
use super::host::Task;
use super::http::{is_html, retry_after};
use super::tabs;
use crate::core::events::report::{Broken, Content, Reply, Snapshot, StreamOutput};
use crate::core::events::streams::{StreamId, StreamsOutput};
use crate::core::hub::StreamInput;
use crate::core::kind::End;
use crate::core::time::Timestamp;

/// Does what the core says about streams.
pub(super) fn perform(driver: &Driver, output: StreamsOutput) {
    let host = driver.host();
    match output {
        StreamsOutput::Stream(id, output) => match output {
            StreamOutput::Connect(connection) => connect(driver, id, connection),
            StreamOutput::Pump(connection) => host.pump(id, connection),
            StreamOutput::Drop => host.disconnect(id),
            StreamOutput::Poll => host.begin(Task::Poll as u32, id, 0, &[]),
            StreamOutput::DropPoll => host.drop_poll(id),
            StreamOutput::TakePoll => host.take_poll(id),
            StreamOutput::Show(snapshot, fire) => show(driver, id, snapshot, fire as u32),
            // The hub keeps these.
            StreamOutput::Verify | StreamOutput::Met(_) => {}
        },
        StreamsOutput::Tabs(id, output) => tabs::perform(driver, id, output),
        StreamsOutput::Leads(id, leads, epoch) => host.role(id, leads, epoch as f64),
        StreamsOutput::Left(id) => host.left(id),
    }
}

fn connect(driver: &Driver, id: StreamId, connection: u32) {
    let last_id = driver.with_stream(id, |stream| stream.resumes_from().to_vec()).unwrap_or_default();
    driver.host().begin(Task::Connect as u32, id, connection, &last_id);
}

/// What came of connecting.
pub(super) fn connected(connection: u32, result: JsValue, now: Timestamp) -> StreamInput {
    if result.is_object() {
        return StreamInput::Answered(connection, reply(result, Content::Other, now));
    }
    let how = match result.as_bool() {
        Some(_) => Broken::Refused,
        None if result.is_undefined() => Broken::Unsendable,
        None => Broken::Lost,
    };
    StreamInput::Broken(connection, how)
}

/// What came of polling.
pub(super) fn polled(result: JsValue, now: Timestamp) -> StreamInput {
    StreamInput::Polled(if result.is_object() {
        Some(reply(result, Content::Events, now))
    } else if result.is_undefined() {
        Some(Reply { status: 200, retry_after: None, content: Content::Other })
    } else {
        None
    })
}

/// `otherwise` is what content is of a type that nothing else is known of.
fn reply(response: JsValue, otherwise: Content, now: Timestamp) -> Reply {
    let response = Response::from(response.unchecked_into::<web_sys::Response>());
    let headers = response.headers();
    let content = match headers.get("content-type") {
        Some(kind) if is_html(kind.as_bytes()) => Content::Html,
        Some(kind) if is_stream(kind.as_bytes()) => Content::Events,
        _ => otherwise,
    };
    let status = response.status();
    let retry_after = (status >= 400).then(|| retry_after(&headers, now)).flatten();
    Reply { status, retry_after, content }
}

fn is_stream(content_type: &[u8]) -> bool {
    const STREAM: &[u8] = b"text/event-stream";
    let essence = content_type.split(|byte| matches!(byte, b';' | b' ' | b'\t')).next();
    essence.is_some_and(|essence| essence.eq_ignore_ascii_case(STREAM))
}

fn show(driver: &Driver, id: StreamId, snapshot: Snapshot, fire: u32) {
    let Snapshot { status, attempts, next_retry_at, fault } = snapshot;
    let next_retry_at = next_retry_at.map_or(-1.0, |at| at.0 as f64);
    let (end, http_status, retry_after) = fault.map_or((0, 0, -1.0), |fault| {
        let retry_after = fault.retry_after.map_or(-1.0, |wait| wait.as_millis() as f64);
        (end_code(fault.end), fault.status, retry_after)
    });
    driver.host().show(id, status as u32, attempts, next_retry_at, end, http_status, retry_after, fire);
}

/// How the host is told of an end.
pub(super) fn end_code(end: End) -> u32 {
    match end {
        End::Ok => 0,
        End::Status => 1,
        End::Kind(kind) => 2 + kind as u32,
    }
}
