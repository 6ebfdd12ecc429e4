//! Hostile and huge streams: what is skipped, what goes on, and what it costs.

use std::time::{Duration, Instant};

use super::reading::{Host, Outcome, PLENTY, event, messages, read_chunks};

fn read(stream: &str, max_event_bytes: usize) -> Outcome {
    let whole = read_chunks([stream.as_bytes()], max_event_bytes);
    assert_eq!(read_chunks(stream.as_bytes().chunks(1), max_event_bytes), whole, "{stream:?}");
    whole
}

#[test]
fn an_event_as_large_as_the_limit_passes_and_one_byte_more_is_skipped() {
    for (stream, bytes) in [
        ("data: 12345678\n\n", 8),
        ("data: 123\ndata: 5678\n\n", 8),
        ("data: 123\ndata:\n\n", 4),
        ("data: 1234\nevent: 56\nid: 78\n\n", 8),
        ("id: 12\nevent: 34\ndata: 5678\n\n", 8),
        ("id: 12\ndata: 56\nevent: 34\ndata: 8\n\n", 8),
        ("data: 1\nevent: 2345678\n\n", 8),
        ("data: 1\nid: 2345678\n\n", 8),
        ("event: 1234567\nevent: 12\nid: 123\nid: 4\ndata: 45\n\n", 7),
        ("data: é\nevent: €\n\n", 5),
        ("data\n\n", 0),
    ] {
        let passed = read(stream, bytes);
        assert_eq!((passed.events.len(), passed.skipped), (1, 0), "{stream:?}");
        if let Some(bytes) = bytes.checked_sub(1) {
            let skipped = read(stream, bytes);
            assert_eq!((skipped.events.len(), skipped.skipped), (0, 1), "{stream:?}");
        }
    }
}

#[test]
fn a_skipped_event_costs_itself_and_its_id_counts() {
    let came = read(
        "data: a\n\nid: 7\nevent: x\ndata: much too long\ndata: b\nevent: y\n\ndata: c\n\ndata: too long again\nid: 8\n\ndata: d\n\n",
        10,
    );

    assert_eq!(came.events, [event("", "", "a"), event("7", "", "c"), event("8", "", "d")]);
    assert_eq!((came.skipped, came.last_id), (2, b"8".to_vec()));
}

#[test]
fn a_large_id_is_taken_from_a_skipped_event_unless_it_is_too_large_itself() {
    assert_eq!(read("id: 1234\ndata: 12345\n\n", 8).last_id, b"1234");
    assert_eq!(read("data: 12345\nid: 12345678\n\n", 8).last_id, b"12345678");

    let came = read("id: 1\ndata: a\n\nid: 123456789\ndata: b\n\ndata: c\n\n", 8);
    assert_eq!(came.events, [event("1", "", "a"), event("1", "", "c")]);
    assert_eq!(came.skipped, 1);
}

#[test]
fn a_block_without_data_is_no_event_however_large() {
    let came = read("event: 123456789\n\nid: 123456789\n\ndata: a\n\n", 8);

    assert_eq!((came.events, came.skipped), (messages(&["a"]), 0));
    // But data may come after what was too large, or before it.
    assert_eq!(read("event: 123456789\ndata: a\n\n", 8).skipped, 1);
    assert_eq!(read("data: a\nevent: 123456789\n\n", 8).skipped, 1);
    assert_eq!(read("data\nid: 123456789\nevent: x\n\n", 8).skipped, 1);
}

#[test]
fn what_is_not_buffered_has_no_limit() {
    let long = "x".repeat(100);

    let came = read(&format!(":{long}\n{long}\n{long}: {long}\ndata: a\n\n"), 8);

    assert_eq!((came.events, came.skipped), (messages(&["a"]), 0));
}

#[test]
fn a_connection_that_ends_in_an_event_that_is_too_large_leaves_no_trace_of_it() {
    let mut host = Host::new(8);

    host.read(b"data: much too long\n");
    host.parser.restart();
    host.read(b"data: a\n\n");

    let came = host.outcome();
    assert_eq!((came.events, came.skipped), (messages(&["a"]), 0));
}

#[test]
fn skipped_events_are_told_once() {
    let mut host = Host::new(1);

    host.parser.push(b"data: ab\n\ndata: cd\n\n", |_| true);
    assert_eq!(host.parser.take_skipped(), 2);
    assert_eq!(host.parser.take_skipped(), 0);
}

/// The best of three, so that a busy machine does not fail a test.
fn time(chunks: &[&[u8]], max_event_bytes: usize) -> Duration {
    let once = || {
        let start = Instant::now();
        let mut host = Host::new(max_event_bytes);
        for chunk in chunks {
            host.parser.push(chunk, |_| true);
        }
        start.elapsed()
    };
    (0..3).map(|_| once()).min().expect("three runs")
}

#[test]
fn work_grows_with_the_bytes_and_not_with_what_is_held() {
    const BYTES: usize = 1 << 20;
    let chunks_of = |stream: &[u8]| {
        let chunks: Vec<&[u8]> = stream.chunks(16).collect();
        time(&chunks, PLENTY)
    };
    let small_events = chunks_of(&b"data: 01234567\n\n".repeat(BYTES / 16)).max(Duration::from_millis(5));

    for (start, more) in
        [("data: ", "x"), ("id: ", "1"), ("event: ", "x"), ("", "data\n"), ("", "id: 1\n"), ("", ":\n"), ("", "\r")]
    {
        let stream = [start, &more.repeat(BYTES / more.len())].concat();
        let one = chunks_of(stream.as_bytes());
        // Were what is held touched again with each chunk, it would be hundreds of times.
        assert!(one < small_events * 30, "{one:?}, small events {small_events:?}: {start}{more}");
    }
}

#[test]
fn chunks_long_and_short_by_turns_cost_no_more_beside_a_large_event() {
    let comment = [b":", &vec![b'c'; 1 << 16][..], b"\n"].concat();
    let turns = [&comment[..], b":\n"].repeat(50);
    let large = [b"data: ", &vec![b'x'; 4 << 20][..], b"\n"].concat();
    let apart = time(&turns, PLENTY) + time(&[&large], PLENTY);

    let together = time(&[&[&large[..]], &turns[..]].concat(), PLENTY);

    assert!(together < apart.max(Duration::from_millis(10)) * 10, "{together:?} together, {apart:?} apart");
}

#[test]
fn a_million_chunks_of_one_byte_are_read() {
    let stream = b"id: 1\nevent: x\ndata: 0123456789\n\n".repeat(1_000_000 / 33);

    let came = read_chunks(stream.chunks(1), PLENTY);

    assert_eq!(came.events.len(), 1_000_000 / 33);
}
