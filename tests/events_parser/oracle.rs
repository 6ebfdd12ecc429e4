//! The crate `sse-stream` reads the same streams. Where it gives something else, a sentence of HTML section 9.2 says who
//! is right, and what it gives is brought to that before the two are compared:
//!
//! - It ends at bytes that are not UTF-8. "Streams must be decoded using the UTF-8 decode algorithm", which replaces
//!   them: it is given decoded streams.
//! - It returns blocks without data. "If the data buffer is an empty string, set the data buffer and the event type
//!   buffer to the empty string and return."
//! - Its ids are those of single blocks. The last event ID buffer "is not reset" when an event is dispatched.
//! - An empty type is another than none to it. Only "if the event type buffer has a value other than the empty string"
//!   is the type anything but `message`.

use futures_util::{FutureExt, StreamExt, stream};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use sse_stream::{Sse, SseByteStream};

use super::reading::{Outcome, PLENTY, any_stream, cut, event, read_chunks};

fn read_by_the_other(chunks: &[&[u8]]) -> Outcome {
    let chunks = stream::iter(chunks.iter().map(|chunk| Ok::<_, std::io::Error>(*chunk)));
    let blocks = SseByteStream::new(chunks).collect::<Vec<_>>().now_or_never().expect("nothing to wait for");
    let mut outcome = Outcome::default();
    for block in blocks {
        let Sse { event: kind, data, id, retry } = block.expect("valid UTF-8");
        outcome.retry = retry.or(outcome.retry);
        if let Some(id) = &id {
            outcome.last_id = id.clone().into();
        }
        if let Some(data) = data {
            let last_id = str::from_utf8(&outcome.last_id).expect("it was text");
            outcome.events.push(event(last_id, &kind.unwrap_or_default(), &data));
            outcome.own_ids.push(id.map(String::into_bytes));
        }
    }
    outcome
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn two_readers_that_never_met_agree(stream in any_stream(), cuts in vec(any::<Index>(), 0..6)) {
        let stream = String::from_utf8_lossy(&stream).into_owned();
        // It tells a reconnection time with its block, and this reader at once: all blocks are complete here.
        let stream = format!("{stream}\n\n\n");
        let chunks = cut(stream.as_bytes(), &cuts);

        prop_assert_eq!(read_chunks(chunks.iter().copied(), PLENTY), read_by_the_other(&chunks), "{:?}", stream);
    }
}
