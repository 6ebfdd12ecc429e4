//! The rules of the format, one by one (HTML section 9.2.6).

use super::reading::{Host, PLENTY, event, messages, read};

#[test]
fn a_blank_line_delivers_what_stands_before_it() {
    let came = read("event: add\ndata: 73857293\nid: 4\n\ndata: two\n\n");

    assert_eq!(came.events, [event("4", "add", "73857293"), event("4", "", "two")]);
    assert_eq!(came.own_ids, [Some(b"4".to_vec()), None]);
    assert_eq!(came.last_id, b"4");
}

#[test]
fn data_lines_are_joined_and_the_last_line_end_is_not_theirs() {
    assert_eq!(read("data: YHOO\ndata: +2\ndata: 10\n\n").events, messages(&["YHOO\n+2\n10"]));
    assert_eq!(read("data\n\n").events, messages(&[""]));
    assert_eq!(read("data:\n\n").events, messages(&[""]));
    assert_eq!(read("data\ndata\n\n").events, messages(&["\n"]));
    assert_eq!(read("data: a\ndata:\n\n").events, messages(&["a\n"]));
}

#[test]
fn lines_end_with_lf_cr_or_both() {
    for end in ["\n", "\r", "\r\n"] {
        let stream = "data: a|data: b|id: 1||data: c||:|||data: d|event: e||".replace('|', end);
        assert_eq!(read(stream).events, [event("1", "", "a\nb"), event("1", "", "c"), event("1", "e", "d")], "{end:?}");
    }
    assert_eq!(read("data: a\n\r\ndata: b\r\ndata: c\n\r").events, messages(&["a", "b\nc"]));
    // Other characters that end lines elsewhere do not here.
    let others = "a\u{2028}b\u{2029}c\u{85}d\x0be\x0cf\tg";
    assert_eq!(read(format!("data: {others}\n\n")).events, messages(&[others]));
}

#[test]
fn one_blank_after_the_colon_is_not_the_values() {
    let came = read("data:a\n\ndata: b\n\ndata:  c \n\ndata:\td\n\ndata: :e\n\n");

    assert_eq!(came.events, messages(&["a", "b", " c ", "\td", ":e"]));
}

#[test]
fn a_line_without_a_colon_is_a_name_without_a_value() {
    // An id without a value takes the last one back; a type without a value is `message`.
    let came = read("id: 1\ndata: a\n\nid\nevent: x\nevent\ndata: b\n\nretry\n\n");

    assert_eq!(came.events, [event("1", "", "a"), event("", "", "b")]);
    assert_eq!(came.own_ids, [Some(b"1".to_vec()), Some(Vec::new())]);
    assert_eq!((came.last_id, came.retry), (Vec::new(), None));
}

#[test]
fn comments_and_names_that_nobody_knows_are_passed_over() {
    for line in [
        ":",
        ": data: x",
        ":data: x",
        "dat: x",
        "datax: x",
        "data : x",
        " data: x",
        "Data: x",
        "idx",
        "i",
        "e",
        "da ta",
        "x",
    ] {
        assert_eq!(read(format!("data: a\n{line}\ndata: b\n\n{line}\n\n")).events, messages(&["a\nb"]), "{line}");
    }
    // Bytes that are zero are not an end of the name.
    for line in ["data\0", "data\0: x", "id\0", "id\0: 3", "event\0: x", "dat\0a: x", "retry\0:1"] {
        let came = read(format!("data: a\n{line}\n\n"));
        assert_eq!((came.events, came.retry), (messages(&["a"]), None), "{line:?}");
    }
}

#[test]
fn without_data_there_is_no_event_but_the_id_counts() {
    let came = read("event: lost\nid: 5\n\ndata: a\n\n");

    assert_eq!(came.events, [event("5", "", "a")]);
    assert_eq!(came.own_ids, [None]);
    assert_eq!(read("id: 5\n\n").last_id, b"5");
}

#[test]
fn the_newest_id_and_type_of_a_block_win() {
    let came = read("id: 1\nevent: x\ndata: a\nid: 2\nevent: y\n\ndata: b\n\n");

    assert_eq!(came.events, [event("2", "y", "a"), event("2", "", "b")]);
}

#[test]
fn an_id_with_nul_is_none() {
    let came = read("id: 1\ndata: a\n\nid: 2\0\ndata: b\n\nid: 3\nid: \0\ndata: c\n\nid: 12345678\0\n\n");

    assert_eq!(came.events, [event("1", "", "a"), event("1", "", "b"), event("3", "", "c")]);
    assert_eq!(came.own_ids, [Some(b"1".to_vec()), None, Some(b"3".to_vec())]);
    assert_eq!(came.last_id, b"3");
    // Elsewhere NUL is a character.
    assert_eq!(read("event: \0\ndata: \0\n\n").events, [event("", "\0", "\0")]);
}

#[test]
fn the_reconnection_time_is_digits_and_nothing_else() {
    for (line, expected) in [
        ("retry: 1500", Some(1_500)),
        ("retry:0", Some(0)),
        ("retry: 007", Some(7)),
        ("retry: 99999999999999999999999", Some(u64::MAX)),
        ("retry: 18446744073709551616", Some(u64::MAX)),
        ("retry:", None),
        ("retry", None),
        ("retry: ", None),
        ("retry:  1", None),
        ("retry: 1 ", None),
        ("retry: -1", None),
        ("retry: +1", None),
        ("retry: 1.5", None),
        ("retry: 1e3", None),
        ("retry: ٣", None),
        ("retry: 1\nretry: 2\nretry: x", Some(2)),
    ] {
        // It holds at once: no blank line is needed.
        assert_eq!(read(format!("{line}\n")).retry, expected, "{line}");
    }
    assert_eq!(read("retry: 15").retry, None);
}

#[test]
fn a_reconnection_time_is_told_once() {
    let mut host = Host::new(PLENTY);

    host.parser.push(b"retry: 10\n", |_| true);
    assert_eq!(host.parser.take_retry(), Some(10));
    host.parser.push(b"data: a\n\n", |_| true);
    assert_eq!(host.parser.take_retry(), None);
}

#[test]
fn a_byte_order_mark_counts_as_nothing_at_the_very_start_only() {
    assert_eq!(read("\u{feff}data: a\n\n").events, messages(&["a"]));
    assert_eq!(read("\u{feff}\u{feff}data: a\n\ndata: b\n\n").events, messages(&["b"]));
    assert_eq!(read("data: a\n\n\u{feff}data: b\n\n").events, messages(&["a"]));
    assert_eq!(read("data: \u{feff}a\n\n").events, messages(&["\u{feff}a"]));
    assert_eq!(read("\u{feff}\ndata: a\n\n").events, messages(&["a"]));
    // What only begins like one is a name that nobody knows.
    for start in [&b"\xEF"[..], b"\xEF\xBB", b"\xEF\xBBdata: x", b"\xEFdata: x", b"\xEF\xBB\xBB\xBFdata: x"] {
        let stream = [start, b"\ndata: a\n\n"].concat();
        assert_eq!(read(stream).events, messages(&["a"]), "{start:?}");
    }
}

#[test]
fn what_no_blank_line_ended_is_dropped_with_its_id() {
    let mut host = Host::new(PLENTY);

    host.read(b"id: 1\ndata: a\n\nid: 2\nevent: x\ndata: b\ndata: c");
    host.parser.restart();
    host.read(b"data: d\n\n");

    let came = host.outcome();
    assert_eq!(came.events, [event("1", "", "a"), event("1", "", "d")]);
    assert_eq!(came.own_ids[1], None);
}

#[test]
fn a_connection_starts_afresh_whatever_the_last_one_broke_off() {
    for broken in
        ["data: x\r", "\u{feff}", "id: 9", "id", "event: q\n", "event: q", "retry: 1", ":", "data: é\ndata: ü"]
    {
        let mut host = Host::new(PLENTY);
        host.read(broken.as_bytes());
        host.parser.restart();
        host.read("\u{feff}data: a\n\n\ndata: b\n\n".as_bytes());

        let came = host.outcome();
        assert_eq!((came.events, came.retry), (messages(&["a", "b"]), None), "{broken:?}");
    }
}

#[test]
fn the_last_event_id_outlives_its_connection_and_can_be_set() {
    let mut host = Host::new(PLENTY);

    host.parser.set_last_id(b"7");
    host.read(b"data: a\n\n");
    host.parser.restart();
    assert_eq!(host.parser.last_id(), b"7");
    host.read(b"data: b\n\n");
    host.parser.set_last_id(b"12");
    host.read(b"data: c\n\n");

    assert_eq!(host.outcome().events, [event("7", "", "a"), event("7", "", "b"), event("12", "", "c")]);
}

#[test]
fn what_is_not_utf8_is_delivered_as_it_came() {
    // Continuations only, of which UTF-16 knows nothing: the type must not be taken for none.
    assert_eq!(read(b"event: \x80\ndata: \x80\n\n").events[0].kind, b"\x80");
    let came = read(b"data: \xFF\xE2\x82\nid: \xC3\nevent: \xF0\x9F\ndata: \x80\n\n");

    assert_eq!(came.events[0].data, b"\xFF\xE2\x82\n\x80");
    assert_eq!((&came.events[0].last_id[..], &came.events[0].kind[..]), (&b"\xC3"[..], &b"\xF0\x9F"[..]));
}
