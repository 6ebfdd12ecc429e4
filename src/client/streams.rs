//! The exports for event streams.

use std::cell::Cell;

use wasm_bindgen::prelude::*;

use super::engine::driver;
use crate::core::backoff::{Backoff, Jitter};
use crate::core::events::parser::Event;
use crate::core::events::reconnect::ReconnectSettings;
use crate::core::events::report::Broken;
use crate::core::events::stream::StreamSettings;
use crate::core::hub::{Input, StreamInput};
use crate::core::time::Duration;

/// The settings of a stream: numbers in this order, times in milliseconds. None when the glue and this module are not of one build.
fn settings(numbers: &[f64]) -> Option<StreamSettings> {
    let [
        base,
        max,
        full_jitter,
        first_byte,
        stable,
        spread,
        watchdog,
        max_event_bytes,
        dedupe_ids,
        // Negative: never.
        pause_hidden,
        // Negative: nothing to poll.
        poll,
        strict,
        trusted,
    ] = *numbers.first_chunk()?;
    let ms = |value: f64| Duration::from_millis(value as u64);
    let jitter = if full_jitter > 0.0 { Jitter::Full } else { Jitter::None };
    Some(StreamSettings {
        reconnect: ReconnectSettings {
            backoff: Backoff { base: ms(base), factor: 2.0, max: ms(max), jitter },
            stable: ms(stable),
            spread: ms(spread),
            strict: strict > 0.0,
        },
        first_byte: ms(first_byte),
        watchdog: ms(watchdog),
        max_event_bytes: max_event_bytes as usize,
        // The specification knows nothing of repeated events.
        dedupe_ids: if strict > 0.0 { 0 } else { dedupe_ids as usize },
        pause_hidden: (pause_hidden >= 0.0).then(|| ms(pause_hidden)),
        poll: (poll >= 0.0).then(|| ms(poll)),
        trusted: trusted > 0.0,
    })
}

thread_local! {
    /// See `batch`.
    static BATCH: Cell<[u32; 4]> = const { Cell::new([0; 4]) };
}

/// Opens a stream, which goes on from `last_id`. `member`: this tab's number in the stream's group; 0: it shares with nobody.
#[wasm_bindgen(js_name = openStream)]
pub fn open_stream(id: u32, numbers: &[f64], last_id: &[u8], member: u32) {
    let settings = settings(numbers).expect("options of the same build");
    let member = (member > 0).then_some(member);
    tell(id, StreamInput::Open(settings, last_id.to_vec(), member));
}

/// Bytes of a stream's connection came. False: the connection is over. Else `batch` says where they are.
#[wasm_bindgen]
pub fn feed(id: u32, connection: u32, chunk: &[u8]) -> bool {
    driver().feed(id, connection, chunk)
}

/// Where the events are that the newest bytes of a stream brought: the address of their text, the address and number of words of their
/// records; and how many events it has left out because they came again. Good until something else is asked of this module.
#[wasm_bindgen]
pub fn batch(id: u32) -> *const u32 {
    let batch = driver().with_stream(id, |stream| {
        let (text, records) = (stream.parser.text(), stream.parser.records());
        [text.as_ptr() as u32, records.as_ptr() as u32, records.len() as u32, stream.repeated()]
    });
    BATCH.with(|place| {
        place.set(batch.unwrap_or_default());
        place.as_ptr().cast()
    })
}

/// A connection ended.
#[wasm_bindgen]
pub fn broken(id: u32, connection: u32) {
    tell(id, StreamInput::Broken(connection, Broken::Lost));
}

/// An event came another way, with an id of its own if `has_id`. `follows`: right after the last one here. 0: it came before; 1: deliver it; 2: something was missed.
#[wasm_bindgen]
pub fn admit(id: u32, has_id: bool, event_id: &str, kind: &str, data: &str, follows: bool) -> u32 {
    let event = Event { id: has_id.then_some(event_id.as_bytes()), kind: kind.as_bytes(), data: data.as_bytes() };
    driver().admit(id, &event, follows) as u32
}

/// Whether the tab that has the connection has come further than this one.
#[wasm_bindgen]
pub fn lags(id: u32, reached: &[u8]) -> bool {
    driver().with_stream(id, |stream| stream.lags(reached)).unwrap_or_default()
}

/// This tab missed something that the others of its group were told.
#[wasm_bindgen]
pub fn missed(id: u32) {
    tell(id, StreamInput::Missed);
}

/// How far a stream has come, if it is there.
#[wasm_bindgen(js_name = lastId)]
#[must_use]
pub fn last_id(id: u32) -> Option<Vec<u8>> {
    driver().with_stream(id, |stream| stream.parser.last_id().to_vec())
}

/// How far the tab has come that holds the connection, or the server says.
#[wasm_bindgen]
pub fn reached(id: u32, last_id: &[u8]) {
    tell(id, StreamInput::Reached(last_id.to_vec()));
}

/// The server asked the tab that holds the connection to wait for so many milliseconds; negative: it is open.
#[wasm_bindgen(js_name = restFor)]
pub fn rest_for(id: u32, wait: f64) {
    tell(id, StreamInput::RestFor((wait >= 0.0).then(|| Duration::from_millis(wait as u64))));
}

/// The reader of a stream holds it back, or lets it go.
#[wasm_bindgen]
pub fn hold(id: u32, held: bool) {
    tell(id, StreamInput::Hold(held));
}

/// Somebody wants a new connection now.
#[wasm_bindgen]
pub fn again(id: u32) {
    tell(id, StreamInput::Again);
}

/// Nobody wants a stream any more.
#[wasm_bindgen(js_name = closeStream)]
pub fn close_stream(id: u32) {
    tell(id, StreamInput::Close);
}

fn tell(id: u32, input: StreamInput) {
    driver().input(Input::Stream(id, input));
}
