//! However a stream is cut, the same comes of it.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::reading::{PLENTY, any_stream, cut, read, read_chunks};

const NASTY: &[&[u8]] = &[
    b"\xEF\xBB\xBFid: 1\r\nevent: add\r\ndata: first\r\ndata: second\r\n\r\n:\r\n\r\nretry: 1500\r\ndata\r\n\r\n",
    b"\xEF\xBB\xBF\xEF\xBB\xBFdata: x\n\n",
    b"\xEF\xBBdata: x\n\ndata: y\n\n",
    "data: h\u{e9}llo \u{20ac} \u{1f600}\nid: \u{1f600}\nevent: \u{e9}\n\ndata: \u{feff}\n\n".as_bytes(),
    b"data\rdata:\rdata: \rdata:  \r\rid\r\rid:\r\r",
    b"data: a\r\n\ndata: b\r\n\r\r\ndata: c\n\r\n\rdata: d\r\r",
    b"id: 1\0\ndata: a\n\nid: 2\ndata: b\nid: \0\n\nid: 3",
    b"event: one\nevent: two\ndata: twice\nid: 1\nid: 2\n\nevent: gone\n\ndata: plain\n\n",
    b"retry: 1\nretry: 2x\nretry:\nretry: 3\nretry",
    b"dat: a\ndataa: b\n data: c\ndata : d\nida: e\neventt: f\nretr: 1\n:data: g\ndata: h\n\n",
    b"data: \xFF\xE2\x82\ndata: \xC3\nid: \xF0\x9F\n\ndata: \x80\xED\xA0\x80\n\n",
    b"data: seven77\ndata: eight888\ndata: nine99999\ndata: sixteen bytes 16\ndata: seventeen bytes17\n\n",
];

#[test]
fn every_cut_of_a_nasty_stream_reads_the_same() {
    for stream in NASTY {
        let whole = read(stream);
        assert_eq!(read_chunks(stream.chunks(1), PLENTY), whole, "byte by byte");
        for at in 0..=stream.len() {
            let (head, tail) = stream.split_at(at);
            assert_eq!(read_chunks([head, tail], PLENTY), whole, "at {at} of {}", stream.escape_ascii());
            assert_eq!(read_chunks([head, &[], tail], PLENTY), whole, "around nothing at {at}");
        }
        for size in 2..20 {
            assert_eq!(read_chunks(stream.chunks(size), PLENTY), whole, "in chunks of {size}");
        }
    }
}

#[test]
fn a_cr_at_the_end_of_a_chunk_ends_its_line_at_once() {
    let came = read_chunks([&b"data: now\r"[..], b"\r"], PLENTY);

    assert_eq!(came.events.len(), 1);
    // The LF that comes after all does not end another line.
    assert_eq!(read_chunks([&b"data: a\r"[..], b"\ndata: b\r", b"\n\r", b"\n"], PLENTY).events[0].data, b"a\nb");
}

proptest! {
    #[test]
    fn any_cut_of_any_stream_reads_the_same(
        stream in prop_oneof![4 => any_stream(), 1 => vec(any::<u8>(), 0..80)],
        cuts in vec(any::<Index>(), 0..12),
        max_event_bytes in prop_oneof![Just(PLENTY), 0_usize..40],
    ) {
        let whole = read_chunks([&stream[..]], max_event_bytes);

        prop_assert_eq!(&read_chunks(cut(&stream, &cuts), max_event_bytes), &whole);
        prop_assert_eq!(&read_chunks(stream.chunks(1), max_event_bytes), &whole);
    }
}
