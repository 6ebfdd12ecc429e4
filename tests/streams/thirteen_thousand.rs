//! 13,000 pages, each with a stream to one server, lose it in the same moment.
//!
//! The server accepts 1,500 connections a second; what comes beyond is refused at once, as by a full backlog. Each story
//! is also told of pages that do not spread their first wait, which is full jitter from 1 s, doubling to 30 s. The tables
//! are printed, see them with `--no-capture`.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use evenkeel::core::events::report::{Broken, Reply, StreamOutput};
use evenkeel::core::events::streams::StreamsOutput;
use evenkeel::core::hub::{Hub, Input, StreamInput};
use evenkeel::core::origin::Met;
use evenkeel::core::output::Output;
use evenkeel::core::time::Timestamp;

use super::script::{MINUTE, SECOND, busy, events, settings, stream};

const PAGES: usize = 13_000;
const ACCEPTED_A_SECOND: u32 = 1_500;
/// Long enough open to count as stable.
const LOST_AT: u64 = MINUTE;
const STREAM: u32 = 1;
/// How far chance may carry a figure beyond what it was elsewhere.
const CHANCE_PERCENT: u32 = 3;

/// What the server does after the loss.
#[derive(Clone, Copy)]
enum Trouble {
    /// It is back at once.
    Restart,
    /// Nobody is there for so long.
    Gone(u64),
    /// It answers so for so long.
    Busy(u64, Reply),
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Wake,
    Refused(u32),
    Accepted(u32),
    Busy(u32),
    Probed(bool),
}

/// What the pages do.
#[derive(Clone, Copy)]
enum Policy {
    /// The first wait is not spread.
    Unspread,
    Defaults,
    /// The server sends `retry: 10000`.
    Asked,
}

/// What the server saw from the loss on.
#[derive(Debug)]
struct Seen {
    /// In the fullest second.
    peak: u32,
    connects: u32,
    all_back_after: u64,
}

/// What came in one second.
#[derive(Clone, Copy, Default)]
struct Load {
    connects: u32,
    accepted: u32,
    probes: u32,
}

struct Crowd {
    pages: Vec<Hub>,
    timers: Vec<Option<u64>>,
    coming: BinaryHeap<Reverse<(u64, u32, u32, Event)>>,
    arrivals: u32,
    trouble: Trouble,
    policy: Policy,
    /// From the loss on.
    seconds: Vec<Load>,
    open: usize,
    back_at: u64,
}

impl Crowd {
    fn new(trouble: Trouble, policy: Policy) -> Crowd {
        let hub = |page| Hub::new(settings(), page as u64, Timestamp(0), true, true);
        Crowd {
            pages: (0..PAGES).map(hub).collect(),
            timers: vec![None; PAGES],
            coming: BinaryHeap::new(),
            arrivals: 0,
            trouble,
            policy,
            seconds: Vec::new(),
            open: 0,
            back_at: 0,
        }
    }

    /// All are connected and, in one moment, lost; then until all are back.
    fn run(mut self) -> Seen {
        let mut settings = stream();
        if matches!(self.policy, Policy::Unspread) {
            settings.reconnect.spread = settings.reconnect.backoff.base;
        }
        for page in 0..PAGES {
            self.tell(0, page, Input::Stream(STREAM, StreamInput::Open(settings, Vec::new(), None)));
        }
        while self.next_by(LOST_AT - 1) {}
        assert_eq!(std::mem::take(&mut self.open), PAGES, "all are connected");
        for page in 0..PAGES {
            self.tell(LOST_AT, page, Input::Stream(STREAM, StreamInput::Broken(1, Broken::Lost)));
        }
        while self.open < PAGES {
            assert!(self.next_by(u64::MAX), "somebody waits for ever");
        }
        self.print();
        let connects = self.seconds.iter().map(|load| load.connects);
        Seen {
            peak: connects.clone().max().unwrap_or(0),
            connects: connects.sum(),
            all_back_after: self.back_at - LOST_AT,
        }
    }

    fn print(&self) {
        let policy = match self.policy {
            Policy::Unspread => "first wait not spread",
            Policy::Defaults => "defaults",
            Policy::Asked => "and `retry: 10000`",
        };
        let most = |count: fn(&Load) -> u32| self.seconds.iter().map(count).max().unwrap_or(0);
        let (connects, probes) = (most(|load| load.connects), most(|load| load.probes));
        let all = most(|load| load.connects + load.probes);
        let sum: u32 = self.seconds.iter().map(|load| load.connects).sum();
        let back = (self.back_at - LOST_AT).div_ceil(SECOND);
        println!("| {policy} | {connects} | {back} s | {sum} | {probes} | {all} |");
    }

    fn next_by(&mut self, end: u64) -> bool {
        if self.coming.peek().is_none_or(|Reverse((at, ..))| *at > end) {
            return false;
        }
        let Reverse((now, _, page, event)) = self.coming.pop().expect("it was just there");
        let page = page as usize;
        let input = match event {
            Event::Wake if self.timers[page] != Some(now) => return true,
            Event::Wake => Input::Wake,
            Event::Refused(connection) => Input::Stream(STREAM, StreamInput::Broken(connection, Broken::Lost)),
            Event::Busy(connection) => {
                let Trouble::Busy(_, reply) = self.trouble else { unreachable!("only a busy server says so") };
                Input::Stream(STREAM, StreamInput::Answered(connection, reply))
            }
            Event::Accepted(connection) => {
                self.open += 1;
                self.back_at = now;
                self.tell(now, page, Input::Stream(STREAM, StreamInput::Answered(connection, events())));
                let hello: &[u8] =
                    if matches!(self.policy, Policy::Asked) { b"retry: 10000\n\n" } else { b": hello\n\n" };
                self.pages[page].bytes(Timestamp(now), STREAM, connection, hello);
                Input::Wake
            }
            Event::Probed(up) => Input::Probed(if up { Met::Status(200) } else { Met::Broken }),
        };
        self.tell(now, page, input);
        true
    }

    fn tell(&mut self, now: u64, page: usize, input: Input) {
        self.pages[page].handle(Timestamp(now), input);
        while let Some(output) = self.pages[page].poll() {
            match output {
                Output::Streams(StreamsOutput::Stream(_, StreamOutput::Connect(connection))) => {
                    let event = self.connected(now, connection);
                    self.soon(now, page, event);
                }
                Output::Probe => {
                    self.second(now).probes += 1;
                    let up = self.serves(now);
                    self.soon(now, page, Event::Probed(up));
                }
                _ => {}
            }
        }
        let wake = self.pages[page].next_wake().map(|at| at.0);
        if wake != self.timers[page] {
            self.timers[page] = wake;
            if let Some(at) = wake {
                self.soon(at, page, Event::Wake);
            }
        }
    }

    fn soon(&mut self, at: u64, page: usize, event: Event) {
        self.arrivals += 1;
        self.coming.push(Reverse((at, self.arrivals, page as u32, event)));
    }

    /// What becomes of a connection.
    fn connected(&mut self, now: u64, connection: u32) -> Event {
        if now < LOST_AT {
            return Event::Accepted(connection);
        }
        let serves = self.serves(now);
        let load = self.second(now);
        load.connects += 1;
        if serves && load.accepted < ACCEPTED_A_SECOND {
            load.accepted += 1;
            return Event::Accepted(connection);
        }
        match self.trouble {
            Trouble::Busy(..) if !serves => Event::Busy(connection),
            _ => Event::Refused(connection),
        }
    }

    fn second(&mut self, now: u64) -> &mut Load {
        let second = ((now - LOST_AT) / SECOND) as usize;
        self.seconds.resize(self.seconds.len().max(second + 1), Load::default());
        &mut self.seconds[second]
    }

    fn serves(&self, now: u64) -> bool {
        match self.trouble {
            Trouble::Restart => true,
            Trouble::Gone(time) | Trouble::Busy(time, _) => now >= LOST_AT + time,
        }
    }
}

fn lose(what: &str, trouble: Trouble) -> [Seen; 3] {
    println!(
        "| {what} | most connects/s | all back after | connects | most probes/s | most of both/s |\n|---|---|---|---|---|---|"
    );
    [Policy::Unspread, Policy::Defaults, Policy::Asked].map(|policy| Crowd::new(trouble, policy).run())
}

#[track_caller]
fn assert_peak(seen: &Seen, most: u32) {
    assert!(seen.peak <= most + most * CHANCE_PERCENT / 100, "at most {most} connects a second: {seen:?}");
}

#[track_caller]
fn assert_back_after(seen: &Seen, seconds: u64) {
    assert!(seen.all_back_after <= seconds * SECOND, "all are back after {seconds} s: {seen:?}");
}

#[test]
fn a_restarted_server_is_come_back_to_over_ten_seconds() {
    let [unspread, alone, asked] = lose("restart", Trouble::Restart);
    assert!(unspread.peak >= PAGES as u32, "what the spread is there for: {unspread:?}");
    assert_peak(&alone, 1_370);
    assert_back_after(&alone, 10);
    assert_peak(&asked, 1_370);
    assert_back_after(&asked, 20);
    assert_eq!((alone.connects, asked.connects), (PAGES as u32, PAGES as u32), "nobody is refused");
}

#[test]
fn a_server_that_is_gone_for_a_minute_is_not_stormed_meanwhile_or_after() {
    let [unspread, alone, asked] = lose("gone for 60 s", Trouble::Gone(MINUTE));
    assert!(unspread.peak >= PAGES as u32, "what the spread is there for: {unspread:?}");
    assert_peak(&alone, 5_200);
    assert_back_after(&alone, 60 + 30);
    assert!(alone.connects < 112_000, "{alone:?}");
    assert_peak(&asked, 1_360);
    assert_back_after(&asked, 60 + 40);
    assert!(asked.connects < 48_000, "{asked:?}");
}

#[test]
fn a_server_that_asks_for_half_a_minute_is_left_alone_for_it() {
    let [_, alone, asked] = lose("503 with Retry-After: 30 for 60 s", Trouble::Busy(MINUTE, busy(30 * SECOND)));
    assert_peak(&alone, 1_370);
    assert_peak(&asked, 1_370);
    // In the spread, half a minute later, and once more: nobody asks in between.
    assert!(alone.connects <= 3 * PAGES as u32, "{alone:?}");
    assert!(asked.connects <= 3 * PAGES as u32, "{asked:?}");
}
