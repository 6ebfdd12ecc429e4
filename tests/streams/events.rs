//! What reaches the app: from which id a connection goes on, what is dropped as a replay, and what is too large.

use evenkeel::core::events::report::{Fire, Status};
use evenkeel::core::hub::{Input, StreamInput};
use evenkeel::core::kind::{End, Kind};

use super::script::{MINUTE, SECOND, open, settings};
use super::world::{STREAM, World, numbered};

/// Reconnects now, to a server that begins with this.
fn reconnect(world: &mut World, replay: &str) {
    world.always(open().says(0, replay));
    world.stream(StreamInput::Again);
    world.run(SECOND);
}

#[test]
fn every_connection_goes_on_from_the_newest_id() {
    let mut world = World::new();
    world.run(SECOND);
    for id in ["a", "b", "c"] {
        world.say(&format!("id: {id}\ndata: x\n\n"));
        world.cut();
        world.run(MINUTE);
    }
    let ids: Vec<_> = world.requests.iter().map(|request| request.last_id.as_str()).collect();
    assert_eq!(ids[..4], ["", "a", "b", "c"]);
}

#[test]
fn a_stream_goes_on_from_where_the_app_left_it() {
    let mut world = World::empty(1, settings, |_| {});
    world.open_from("left-here");
    world.run(SECOND);
    assert_eq!(world.requests[0].last_id, "left-here");
}

#[test]
fn an_empty_id_takes_the_last_one_back() {
    let mut world = World::new();
    world.run(SECOND);
    world.say("id: a\ndata: x\n\nid\ndata: y\n\n");
    reconnect(&mut world, ":\n");
    assert_eq!(world.requests[1].last_id, "");
}

#[test]
fn an_id_that_no_header_can_carry_is_left_out_and_does_not_loop() {
    for id in ["a\x01b".to_owned(), "x".repeat(4_097), "\x7f".to_owned()] {
        let mut world = World::new();
        world.run(SECOND);
        world.say(&format!("id: {id}\ndata: x\n\n"));
        reconnect(&mut world, ":\n");
        assert_eq!((world.requests[1].last_id.as_str(), world.status()), ("", Status::Open));
    }
    let mut world = World::new();
    world.run(SECOND);
    let longest = "x".repeat(4_096);
    world.say(&format!("id: {longest}\ndata: x\n\n"));
    reconnect(&mut world, ":\n");
    assert_eq!(world.requests[1].last_id, longest);
}

#[test]
fn a_block_that_a_connection_did_not_finish_is_dropped_with_its_id() {
    let mut world = World::new();
    world.run(SECOND);
    world.say("id: 1\ndata: 1\n\nid: 2\ndata: 2\n");
    reconnect(&mut world, &numbered(2));
    assert_eq!(world.requests[1].last_id, "1");
    world.assert_got(0, &["1", "2"]);
}

#[test]
fn what_a_server_replays_after_a_reconnect_is_dropped() {
    let mut world = World::new();
    world.run(SECOND);
    world.say(&(1..=5).map(numbered).collect::<String>());
    reconnect(&mut world, &(3..=7).map(numbered).collect::<String>());
    world.assert_got(0, &["1", "2", "3", "4", "5", "6", "7"]);
    assert_eq!(world.page().hub.stream(STREAM).map(|stream| stream.repeated()), Some(3));
}

#[test]
fn a_server_that_uses_its_ids_again_loses_nothing_within_a_connection() {
    let mut world = World::new();
    world.run(SECOND);
    let same = "id: 1\ndata: same\n\n";
    world.say(same);
    world.say(same);
    world.assert_got(0, &["same", "same"]);
    reconnect(&mut world, &format!("{same}{}{same}", numbered(2)));
    world.assert_got(0, &["same", "same", "2", "same"]);
}

#[test]
fn another_type_or_other_data_of_a_known_id_is_news() {
    let mut world = World::new();
    world.run(SECOND);
    world.say("id: 1\ndata: x\n\n");
    reconnect(&mut world, "id: 1\ndata: y\n\nid: 1\nevent: t\ndata: x\n\nid: 1\ndata: x\n\n");
    world.assert_got(0, &["x", "y", "x"]);
}

#[test]
fn events_without_an_id_always_come() {
    let mut world = World::new();
    world.run(SECOND);
    world.say("data: x\n\n");
    reconnect(&mut world, "data: x\n\n");
    world.assert_got(0, &["x", "x"]);
}

#[test]
fn the_memory_is_as_long_as_the_app_wants() {
    for (dedupe_ids, delivered) in [(0, 6), (1, 5), (2, 4), (3, 3), (4, 3)] {
        let mut world = World::with(|settings| settings.dedupe_ids = dedupe_ids);
        world.run(SECOND);
        let all = || (1..=3).map(numbered).collect::<String>();
        world.say(&all());
        // The oldest come last, since the first one that is not known ends the replay.
        reconnect(&mut world, &[3, 2, 1].map(numbered).concat());
        assert_eq!(world.page().got.len(), delivered, "{dedupe_ids}");
    }
}

// ---------------------------------------------------------------- too large

#[test]
fn an_event_that_is_too_large_is_skipped_and_shown_and_the_stream_goes_on() {
    let mut world = World::with(|settings| settings.max_event_bytes = 100);
    world.run(SECOND);
    world.say(&numbered(1));
    let large = "x".repeat(1_000);
    world.say(&format!("id: 2\ndata: {large}\n\n"));
    world.say(&numbered(3));
    world.assert_got(0, &["1", "3"]);
    let shown = world.shown();
    assert_eq!((shown.status, shown.fault.map(|fault| fault.end)), (Status::Open, Some(End::Kind(Kind::TooLarge))));
    assert_eq!((world.fired(), world.requests.len()), (vec![Fire::Open], 1), "no error, the connection lives");
    reconnect(&mut world, ":\n");
    assert_eq!(world.shown().fault, None, "the next one is fresh");
}

#[test]
fn a_large_event_in_many_pieces_is_skipped_too() {
    let mut world = World::with(|settings| settings.max_event_bytes = 100);
    world.run(SECOND);
    world.say("data: ");
    for _ in 0..1_000 {
        world.say("0123456789");
    }
    world.say("\n\n");
    world.say(&numbered(1));
    world.assert_got(0, &["1"]);
    assert_eq!(world.shown().fault.map(|fault| fault.end), Some(End::Kind(Kind::TooLarge)));
}

// ---------------------------------------------------------------- what is late

#[test]
fn bytes_of_an_earlier_connection_are_not_delivered() {
    let mut world = World::new();
    world.run(SECOND);
    world.stream(StreamInput::Again);
    world.run(SECOND);
    world.bytes(0, 1, &numbered(1));
    world.assert_got(0, &[]);
    world.bytes(0, 2, &numbered(2));
    world.assert_got(0, &["2"]);
    world.bytes(0, 3, &numbered(3));
    world.assert_got(0, &["2"]);
}

#[test]
fn bytes_before_the_headers_and_after_the_end_are_not_delivered() {
    let mut world = World::new();
    world.bytes(0, 1, &numbered(1));
    world.run(SECOND);
    world.stream(StreamInput::Close);
    world.bytes(0, 1, &numbered(2));
    world.input(Input::Wake);
    world.assert_got(0, &[]);
}
