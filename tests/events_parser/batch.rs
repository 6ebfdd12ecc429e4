//! What a batch looks like to the host that decodes it.

use evenkeel::core::events::parser::{Parser, UNCHANGED};

use super::reading::{Host, PLENTY, event};

fn batch(parser: &mut Parser, chunk: &str) -> (String, Vec<[u32; 4]>) {
    parser.push(chunk.as_bytes(), |_| true);
    let text = String::from_utf8(parser.text().to_vec()).expect("valid in, valid out");
    (text, parser.records().chunks(4).map(|record| [record[0], record[1], record[2], record[3]]).collect())
}

#[test]
fn parts_follow_one_another_with_lf_after_each() {
    let mut parser = Parser::new(PLENTY);

    let (text, records) = batch(&mut parser, "id: 10\nevent: add\ndata: a\ndata: b\n\ndata: c\n\nevent: x\ndata:\n\n");

    assert_eq!(text, "a\nb\n10\nadd\nc\n\nx\n");
    assert_eq!(records, [[11, 3, 2, 3], [2, 1, UNCHANGED, 0], [3, 0, UNCHANGED, 1]]);
}

#[test]
fn lengths_are_those_of_javascript_strings() {
    let mut parser = Parser::new(PLENTY);

    let (text, records) = batch(&mut parser, "id: ü\nevent: 😀€\ndata: é€😀 and some ASCII 😀\ndata: ẞ\n\n");

    assert_eq!(text, "é€😀 and some ASCII 😀\nẞ\nü\n😀€\n");
    assert_eq!(records, [[text.len() as u32, 24, 1, 3]]);
}

#[test]
fn a_batch_holds_what_its_chunk_completed_and_nothing_older() {
    let mut parser = Parser::new(PLENTY);

    assert_eq!(batch(&mut parser, "data: a\n\ndata: b").0, "a\n\n");
    assert_eq!(batch(&mut parser, "c\n"), (String::new(), Vec::new()));
    assert_eq!(batch(&mut parser, "\n").0, "bc\n");
    assert_eq!(batch(&mut parser, ""), (String::new(), Vec::new()));
}

#[test]
fn an_id_is_carried_where_it_changed_and_first_in_a_connection() {
    let mut parser = Parser::new(PLENTY);
    let carried = |parser: &mut Parser, chunk: &str| -> Vec<bool> {
        batch(parser, chunk).1.iter().map(|record| record[2] != UNCHANGED).collect()
    };

    assert_eq!(carried(&mut parser, "data: a\n\ndata: b\n\n"), [true, false]);
    assert_eq!(carried(&mut parser, "id: 1\ndata: c\n\nid: 1\ndata: d\n\n"), [true, false]);
    assert_eq!(carried(&mut parser, "id: 2\n\ndata: e\n\nid\ndata: f\n\nid\ndata: g\n\n"), [true, true, false]);
    parser.set_last_id(b"");
    assert_eq!(carried(&mut parser, "data: h\n\n"), [false]);
    parser.set_last_id(b"3");
    assert_eq!(carried(&mut parser, "data: i\n\n"), [true]);
    parser.restart();
    assert_eq!(carried(&mut parser, "data: j\n\ndata: k\n\n"), [true, false]);
}

#[test]
fn a_refused_event_leaves_no_trace_but_its_id() {
    let mut host = Host::new(PLENTY);

    host.read_but(
        b"id: 1\ndata: a\n\nid: 2\nevent: x\ndata: no\n\ndata: b\n\nevent: y\ndata: no\n\ndata: c\n\n",
        |event| event.data != b"no",
    );

    assert_eq!(host.outcome().events, [event("1", "", "a"), event("2", "", "b"), event("2", "", "c")]);
}

#[test]
fn whoever_decides_sees_the_event_as_it_will_be_delivered() {
    let mut seen = Vec::new();

    Parser::new(PLENTY).push(b"event: x\nid: 1\ndata: a\ndata: b\n\nid\ndata\n\n", |event| {
        seen.push((event.id.map(<[u8]>::to_vec), event.kind.to_vec(), event.data.to_vec()));
        true
    });

    let first = (Some(b"1".to_vec()), b"x".to_vec(), b"a\nb".to_vec());
    assert_eq!(seen, [first, (Some(Vec::new()), Vec::new(), Vec::new())]);
}
