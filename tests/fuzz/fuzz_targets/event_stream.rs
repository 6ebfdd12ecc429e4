//! Whatever a stream holds and however it is cut, the same comes of it, and no more is held than was allowed.
#![no_main]

use arbitrary::Arbitrary;
use evenkeel::core::events::memory::Memory;
use evenkeel::core::events::parser::{Parser, UNCHANGED};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    limit: Option<u8>,
    /// Sizes of chunks, over and over.
    sizes: [u8; 4],
    /// How many events at the front are refused, in a bit each.
    refused: u16,
    stream: &'a [u8],
}

#[derive(Debug, Default, PartialEq)]
struct Outcome {
    text: Vec<u8>,
    records: Vec<u32>,
    last_id: Vec<u8>,
    retry: Option<u64>,
    skipped: u32,
    asked: u32,
}

fn read<'a>(chunks: impl Iterator<Item = &'a [u8]>, limit: usize, refused: u16) -> Outcome {
    let mut parser = Parser::new(limit);
    let mut outcome = Outcome::default();
    for chunk in chunks {
        parser.push(chunk, |event| {
            assert!(event.data.len() + event.kind.len() + event.id.map_or(0, <[u8]>::len) <= limit);
            assert!(!event.kind.contains(&b'\n') && event.id.is_none_or(|id| !id.contains(&0)));
            outcome.asked += 1;
            refused.checked_shr(outcome.asked - 1).is_none_or(|bits| bits & 1 == 0)
        });
        check_records(parser.text(), parser.records());
        outcome.text.extend_from_slice(parser.text());
        outcome.records.extend_from_slice(parser.records());
        outcome.retry = parser.take_retry().or(outcome.retry);
        outcome.skipped += parser.take_skipped();
        assert!(parser.last_id().len() <= limit);
    }
    outcome.last_id = parser.last_id().to_vec();
    outcome
}

fn check_records(text: &[u8], records: &[u32]) {
    let mut rest = text;
    for record in records.chunks(4) {
        let (event, others) = rest.split_at(record[0] as usize);
        rest = others;
        assert_eq!(event.last(), Some(&b'\n'));
        if let Ok(event) = std::str::from_utf8(event) {
            let id = if record[2] == UNCHANGED { 0 } else { record[2] + 1 };
            let kind = if record[3] == 0 { 0 } else { record[3] + 1 };
            assert_eq!(event.encode_utf16().count(), (record[1] + 1 + id + kind) as usize);
        }
    }
    assert!(rest.is_empty());
}

fuzz_target!(|input: Input| {
    let limit = input.limit.map_or(1 << 20, usize::from);
    let whole = read(std::iter::once(input.stream), limit, input.refused);
    assert!(whole.text.len() <= 2 * input.stream.len() + 2);

    let mut rest = input.stream;
    let mut sizes = input.sizes.iter().cycle();
    let cut = std::iter::from_fn(|| {
        let size = usize::from(*sizes.next()?).max(1).min(rest.len());
        let (chunk, others) = rest.split_at(size);
        rest = others;
        (!chunk.is_empty()).then_some(chunk)
    });
    assert_eq!(read(cut, limit, input.refused), whole);
    assert_eq!(read(input.stream.chunks(1), limit, input.refused), whole);

    // On the next connection the whole of it is a replay, whatever this one broke off: what had an id comes once.
    let mut parser = Parser::new(limit);
    let mut memory = Memory::new(1 << 12, u64::from(input.refused));
    parser.push(input.stream, |event| memory.admit(&event));
    parser.restart();
    memory.source_changed();
    parser.push(input.stream, |event| {
        let admitted = memory.admit(&event);
        assert_eq!(admitted, event.id.is_none_or(<[u8]>::is_empty));
        admitted
    });
});
