//! A reader written from the sentences of HTML section 9.2.6, on decoded text, with no thought of speed.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::reading::{Delivered, PLENTY, any_stream, cut, read_chunks};

#[derive(Debug, Default, PartialEq, Eq)]
struct Read {
    /// Last event ID, type, data.
    events: Vec<(String, String, String)>,
    last_id: String,
    retry: Option<u64>,
}

fn as_specified(stream: &[u8]) -> Read {
    let mut read = Read::default();
    let text = String::from_utf8_lossy(stream);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text).replace("\r\n", "\n").replace('\r', "\n");
    let (mut data, mut kind, mut id) = (String::new(), String::new(), String::new());
    // Behind the last line end there is no line.
    let lines = text.rsplit_once('\n').map_or(Vec::new(), |(lines, _)| lines.split('\n').collect());
    for line in lines {
        if line.is_empty() {
            read.last_id = id.clone();
            if let Some(data) = data.strip_suffix('\n') {
                read.events.push((id.clone(), kind.clone(), data.to_owned()));
            }
            data.clear();
            kind.clear();
            continue;
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "data" => data.extend([value, "\n"]),
            "event" => kind = value.to_owned(),
            "id" if !value.contains('\0') => id = value.to_owned(),
            "retry" if !value.is_empty() && value.chars().all(|c| c.is_ascii_digit()) => {
                read.retry = Some(value.parse().unwrap_or(u64::MAX));
            }
            _ => {}
        }
    }
    read
}

fn decoded(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_stream_reads_as_the_specification_says(stream in any_stream(), cuts in vec(any::<Index>(), 0..6)) {
        let came = read_chunks(cut(&stream, &cuts), PLENTY);

        let events = came.events.iter().map(|Delivered { last_id, kind, data }| (decoded(last_id), decoded(kind), decoded(data)));
        let read = Read { events: events.collect(), last_id: decoded(&came.last_id), retry: came.retry };
        prop_assert_eq!(read, as_specified(&stream), "{}", stream.escape_ascii());
    }

    #[test]
    fn a_limit_skips_what_is_larger_and_nothing_else(stream in any_stream(), max_event_bytes in 0_usize..60) {
        let all = read_chunks([&stream[..]], PLENTY);
        let came = read_chunks([&stream[..]], max_event_bytes);

        prop_assert_eq!(came.events.len() + came.skipped as usize, all.events.len());
        // A part of them, in their order.
        let mut others = all.events.iter().zip(&all.own_ids);
        for event in came.events.iter().map(|event| (&event.kind, &event.data)) {
            prop_assert!(others.any(|(other, _)| (&other.kind, &other.data) == event));
        }
        for (event, own_id) in came.events.iter().zip(&came.own_ids) {
            let own_id = own_id.as_ref().map_or(0, Vec::len);
            prop_assert!(event.data.len() + event.kind.len() + own_id <= max_event_bytes);
        }
        let longest_line = stream.split(|&byte| byte == b'\n' || byte == b'\r').map(<[u8]>::len).max().unwrap_or(0);
        if longest_line <= max_event_bytes {
            prop_assert_eq!(came.last_id, all.last_id, "a skipped event's id counts");
        }
        if stream.len() <= max_event_bytes {
            prop_assert_eq!(came.skipped, 0);
        }
    }
}
