//! What a server replays is not delivered twice, and nothing else is lost.

use evenkeel::core::events::memory::Memory;
use evenkeel::core::events::parser::Event;
use proptest::collection::vec;
use proptest::prelude::*;

const SEED: u64 = 0x5EED;

fn numbered<'a>(id: &'a str, data: &'a str) -> Event<'a> {
    Event { id: Some(id.as_bytes()), kind: b"", data: data.as_bytes() }
}

fn plain(data: &str) -> Event<'_> {
    Event { id: None, kind: b"", data: data.as_bytes() }
}

fn remembering(events: &[Event<'_>]) -> Memory {
    let mut memory = Memory::new(1_024, SEED);
    assert!(events.iter().all(|event| memory.admit(event)));
    memory
}

#[test]
fn a_replay_after_a_reconnect_is_dropped_until_something_new_comes() {
    let (first, second, third) = (numbered("1", "a"), numbered("2", "b"), numbered("3", "c"));
    let mut memory = remembering(&[first, second]);

    memory.source_changed();

    assert!(!memory.admit(&first));
    assert!(!memory.admit(&second));
    assert!(memory.admit(&third));
    // The replay is over: what comes twice now, the server means twice.
    assert!(memory.admit(&second));
    assert!(memory.admit(&third));
}

#[test]
fn within_a_connection_a_server_may_use_its_ids_again() {
    let mut memory = remembering(&[numbered("1", "a"), numbered("1", "a"), numbered("1", "b")]);

    assert!(memory.admit(&numbered("1", "a")));
}

#[test]
fn a_known_id_with_other_contents_is_delivered_and_ends_nothing() {
    let mut memory = remembering(&[numbered("1", "a"), numbered("2", "b")]);
    let of_another_type = Event { kind: b"x", ..numbered("2", "b") };

    memory.source_changed();

    assert!(memory.admit(&numbered("1", "corrected")));
    assert!(memory.admit(&of_another_type));
    assert!(!memory.admit(&numbered("2", "b")));
    // What was delivered since is remembered too.
    assert!(!memory.admit(&numbered("1", "corrected")));
}

#[test]
fn an_event_without_an_id_is_delivered_and_ends_nothing() {
    let mut memory = remembering(&[plain("ping"), numbered("", "reset"), numbered("1", "a")]);

    memory.source_changed();

    assert!(memory.admit(&plain("ping")));
    // An empty id names nothing: a server that sends it with each event would lose equal ones.
    assert!(memory.admit(&numbered("", "reset")));
    assert!(!memory.admit(&numbered("1", "a")));
}

#[test]
fn each_change_of_source_may_replay_again() {
    let mut memory = remembering(&[numbered("1", "a")]);

    memory.source_changed();
    assert!(memory.admit(&numbered("2", "b")));
    memory.source_changed();

    assert!(!memory.admit(&numbered("1", "a")));
    assert!(!memory.admit(&numbered("2", "b")));
}

#[test]
fn only_the_newest_are_remembered() {
    let mut memory = Memory::new(3, SEED);
    for id in ["1", "2", "3", "4", "5"] {
        memory.admit(&numbered(id, "x"));
    }

    memory.source_changed();

    assert!(["3", "4", "5"].iter().all(|id| !memory.admit(&numbered(id, "x"))));
    assert!(memory.admit(&numbered("2", "x")));
}

#[test]
fn a_memory_of_nothing_drops_nothing() {
    let mut memory = Memory::new(0, SEED);
    memory.admit(&numbered("1", "a"));

    memory.source_changed();

    assert!(memory.admit(&numbered("1", "a")));
}

#[test]
fn what_is_forgotten_is_new() {
    let mut memory = remembering(&[numbered("1", "a")]);
    memory.source_changed();

    memory.clear();

    assert!(memory.admit(&numbered("1", "a")));
    assert!(memory.admit(&numbered("1", "a")));
}

#[test]
fn it_counts_where_one_part_ends_and_the_next_begins() {
    let mut memory = remembering(&[Event { id: Some(b"ab"), kind: b"cd", data: b"ef" }]);
    memory.source_changed();

    for (id, kind, data) in [
        ("ab", "c", "def"),
        ("ab", "cde", "f"),
        ("ab", "", "cdef"),
        ("ab", "cd", "ef\0"),
        ("ab", "cd", "\0ef"),
        ("ab", "\0cd", "ef"),
        ("ab", "cd\0", "ef"),
    ] {
        let event = Event { id: Some(id.as_bytes()), kind: kind.as_bytes(), data: data.as_bytes() };
        assert!(memory.admit(&event), "{id} {kind} {data}");
    }
    assert!(memory.admit(&Event { id: Some(b"abc"), kind: b"d", data: b"ef" }));
}

#[test]
fn a_byte_anywhere_makes_another_event() {
    let data: Vec<u8> = (0..100).collect();
    for len in 0..data.len() {
        let event = Event { id: Some(b"1"), kind: b"", data: &data[..len] };
        let mut memory = remembering(&[event]);
        memory.source_changed();
        for at in 0..len {
            let mut other = data[..len].to_vec();
            other[at] ^= 0x80;
            assert!(memory.admit(&Event { data: &other, ..event }), "byte {at} of {len}");
        }
        assert!(!memory.admit(&event));
    }
}

/// Ids and contents of so few kinds that they meet again.
type Told = (Option<u8>, u8, u8);

#[derive(Clone, Debug)]
enum Step {
    Event(Told),
    Changed,
    Clear,
}

/// All of it in the open: whole events, and the newest at the end.
#[derive(Default)]
struct Naive {
    delivered: Vec<Told>,
    replaying: bool,
}

impl Naive {
    fn admit(&mut self, told: Told, capacity: usize) -> bool {
        if told.0.is_none() || capacity == 0 {
            return true;
        }
        if self.replaying && self.delivered.contains(&told) {
            return false;
        }
        if !self.delivered.iter().any(|(id, ..)| *id == told.0) {
            self.replaying = false;
        }
        self.delivered.push(told);
        if self.delivered.len() > capacity {
            self.delivered.remove(0);
        }
        true
    }
}

proptest! {
    #[test]
    fn it_decides_as_if_it_kept_everything_it_should(
        steps in vec(
            prop_oneof![
                12 => (prop::option::weighted(0.8, 0_u8..12), 0_u8..2, 0_u8..3).prop_map(Step::Event),
                2 => Just(Step::Changed),
                1 => Just(Step::Clear),
            ],
            0..200,
        ),
        capacity in 0_usize..10,
        seed: u64,
    ) {
        let mut memory = Memory::new(capacity, seed);
        let mut naive = Naive::default();
        for step in steps {
            match step {
                Step::Event(told) => {
                    let id = told.0.map(|id| [b'a' + id]);
                    let event = Event { id: id.as_ref().map(|id| &id[..]), kind: &[told.1], data: &[told.2] };
                    prop_assert_eq!(memory.admit(&event), naive.admit(told, capacity));
                }
                Step::Changed => {
                    memory.source_changed();
                    naive.replaying = true;
                }
                Step::Clear => {
                    memory.clear();
                    naive = Naive::default();
                }
            }
        }
    }
}
