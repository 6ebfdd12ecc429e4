//! Reads streams the way a host does, and streams to read.

use evenkeel::core::events::parser::{Event, Parser, UNCHANGED};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Larger than anything here.
pub const PLENTY: usize = 1 << 30;

/// One delivered event, as a page sees it but for decoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    pub last_id: Vec<u8>,
    pub kind: Vec<u8>,
    pub data: Vec<u8>,
}

/// All that came of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    pub events: Vec<Delivered>,
    pub own_ids: Vec<Option<Vec<u8>>>,
    pub last_id: Vec<u8>,
    pub retry: Option<u64>,
    pub skipped: u32,
}

/// A host: it takes each batch apart before the next chunk.
pub struct Host {
    pub parser: Parser,
    outcome: Outcome,
    told: Vec<u8>,
}

impl Host {
    pub fn new(max_event_bytes: usize) -> Host {
        Host { parser: Parser::new(max_event_bytes), outcome: Outcome::default(), told: Vec::new() }
    }

    pub fn read(&mut self, chunk: &[u8]) {
        self.read_but(chunk, |_| true);
    }

    pub fn read_but(&mut self, chunk: &[u8], keep: impl Fn(Event<'_>) -> bool) {
        let Outcome { events, own_ids, retry, skipped, .. } = &mut self.outcome;
        self.parser.push(chunk, |event| {
            let kept = keep(event);
            if kept {
                own_ids.push(event.id.map(<[u8]>::to_vec));
            }
            kept
        });
        let mut text = self.parser.text();
        for record in self.parser.records().chunks(4) {
            let (parts, rest) = text.split_at(record[0] as usize);
            text = rest;
            events.push(taken_apart(parts, record, &mut self.told));
        }
        assert!(text.is_empty(), "text without a record");
        *retry = self.parser.take_retry().or(*retry);
        *skipped += self.parser.take_skipped();
    }

    pub fn outcome(mut self) -> Outcome {
        self.outcome.last_id = self.parser.last_id().to_vec();
        self.outcome
    }
}

/// From its end: neither a type nor an id can hold LF. What the record says of lengths must agree wherever the bytes
/// are valid UTF-8.
fn taken_apart(parts: &[u8], record: &[u32], told: &mut Vec<u8>) -> Delivered {
    let mut parts = parts.strip_suffix(b"\n").expect("LF after the last part");
    let mut part = || match parts.iter().rposition(|&byte| byte == b'\n') {
        Some(at) => {
            let part = &parts[at + 1..];
            parts = &parts[..at];
            part
        }
        None => panic!("a part is missing"),
    };
    let kind = if record[3] == 0 { &[][..] } else { part() };
    if record[2] != UNCHANGED {
        *told = part().to_vec();
        check_units(told, record[2]);
    }
    check_units(kind, record[3]);
    check_units(parts, record[1]);
    Delivered { last_id: told.clone(), kind: kind.to_vec(), data: parts.to_vec() }
}

fn check_units(part: &[u8], units: u32) {
    if let Ok(text) = std::str::from_utf8(part) {
        assert_eq!(units as usize, text.encode_utf16().count(), "{text:?}");
    }
}

pub fn read_chunks<'a>(chunks: impl IntoIterator<Item = &'a [u8]>, max_event_bytes: usize) -> Outcome {
    let mut host = Host::new(max_event_bytes);
    for chunk in chunks {
        host.read(chunk);
    }
    host.outcome()
}

pub fn read(stream: impl AsRef<[u8]>) -> Outcome {
    read_chunks([stream.as_ref()], PLENTY)
}

/// An event that a fixture expects: last event ID, type, data.
pub fn event(last_id: &str, kind: &str, data: &str) -> Delivered {
    Delivered { last_id: last_id.into(), kind: kind.into(), data: data.into() }
}

/// Events of type `message` without ids.
pub fn messages(data: &[&str]) -> Vec<Delivered> {
    data.iter().map(|data| event("", "", data)).collect()
}

/// Streams in which every rule of the format has something to do.
pub fn any_stream() -> impl Strategy<Value = Vec<u8>> {
    let pieces: &[&[u8]] = &[
        b"data",
        b"data:",
        b"data: ",
        b"data:  ",
        b"event",
        b"event: ",
        b"event:x",
        b"id",
        b"id:",
        b"id: 7",
        b"id: 8\xC3\xA9",
        b"id:\0",
        b"retry:",
        b"retry: 40",
        b"retry:4x",
        b"retry",
        b":",
        b" ",
        b"dat",
        b"datas",
        b"ID: 9",
        b"x",
        b"\0",
        b"\t",
        b"\x0b",
        b"0123456789",
        b"\xEF\xBB\xBF",
        b"\xEF",
        b"\xEF\xBB",
        b"\xC3\xA9",
        b"\xE2\x82\xAC",
        b"\xF0\x9F\x98\x80",
        b"\xF0\x9F",
        b"\xFF",
        b"\x80",
        b"\xED\xA0\x80",
        b"\xE2\x80\xA8",
        b"eight by",
        b"sixteen bytes...",
        b"\x8A\x8D",
    ];
    let ends: &[&[u8]] = &[b"\n", b"\r", b"\r\n", b"\n\n", b"\r\r", b"\r\n\r\n", b"\n\r", b"\ndata: y\n\n"];
    let piece = prop_oneof![3 => select(pieces), 2 => select(ends)];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// The same bytes in pieces, of which some are empty.
pub fn cut<'a>(stream: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
    cuts.sort_unstable();
    let mut chunks = Vec::new();
    let mut start = 0;
    for end in cuts.into_iter().chain([stream.len()]) {
        chunks.push(&stream[start..end]);
        start = end;
    }
    chunks
}
