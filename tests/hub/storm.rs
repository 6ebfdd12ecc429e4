//! What many pages do to one server, and one page to a server that is down.

use std::collections::BTreeMap;

use evenkeel::core::flight::Call;
use evenkeel::core::hub::{Hub, Input};
use evenkeel::core::kind::End;
use evenkeel::core::output::{Attempt, Output};
use evenkeel::core::requests::{Answer, Body};
use evenkeel::core::settings::Settings;
use evenkeel::core::time::Timestamp;

use super::script::{But, LATENCY, MINUTE, SECOND, get, ms, settings, silence, status};
use super::world::World;

const PAGES: usize = 13_000;

enum Event {
    Wake,
    Call(Call),
    Answered(Attempt, Answer),
    Read(Attempt),
}

/// Many pages and one server.
struct Crowd {
    pages: Vec<Hub>,
    timers: Vec<Option<u64>>,
    events: BTreeMap<(u64, u64), (usize, Event)>,
    arrivals: u64,
    calls: usize,
    /// Requests in each second.
    requests: Vec<u32>,
    succeeded: usize,
    ended: usize,
}

impl Crowd {
    fn new(pages: usize, change: impl Fn(&mut Settings)) -> Crowd {
        let hub = |page| {
            let mut settings = settings();
            change(&mut settings);
            Hub::new(settings, page as u64, Timestamp(0), true, true)
        };
        Crowd {
            pages: (0..pages).map(hub).collect(),
            timers: vec![None; pages],
            events: BTreeMap::new(),
            arrivals: 0,
            calls: 0,
            requests: Vec::new(),
            succeeded: 0,
            ended: 0,
        }
    }

    fn call(&mut self, at: u64, page: usize, call: Call) {
        self.calls += 1;
        let id = self.calls as u32;
        self.soon(at, page, Event::Call(Call { id, ..call }));
    }

    fn soon(&mut self, at: u64, page: usize, event: Event) {
        self.arrivals += 1;
        self.events.insert((at, self.arrivals), (page, event));
    }

    /// Runs until every call has ended. The server is told how many requests came before in this second.
    fn run(&mut self, mut server: impl FnMut(u64, u32) -> Answer) {
        while self.ended < self.calls {
            let ((now, _), (page, event)) = self.events.pop_first().expect("an event, while somebody waits");
            let input = match event {
                Event::Wake if self.timers[page] != Some(now) => continue,
                Event::Wake => Input::Wake,
                Event::Call(call) => Input::Call(call),
                Event::Answered(attempt, answer) => Input::Answered(attempt, answer),
                Event::Read(attempt) => Input::Read(attempt, Body::Whole),
            };
            self.pages[page].handle(Timestamp(now), input);
            while let Some(output) = self.pages[page].poll() {
                match output {
                    Output::Send(attempt) => {
                        let second = (now / SECOND) as usize;
                        self.requests.resize(self.requests.len().max(second + 1), 0);
                        let answer = server(now, self.requests[second]);
                        self.requests[second] += 1;
                        self.soon(now + LATENCY, page, Event::Answered(attempt, answer));
                    }
                    Output::Read(attempt) => self.soon(now, page, Event::Read(attempt)),
                    Output::Settle(settled) => {
                        self.ended += 1;
                        self.succeeded += usize::from(settled.end == End::Ok);
                    }
                    _ => {}
                }
            }
            self.timers[page] = self.pages[page].next_wake().map(|at| at.0);
            if let Some(at) = self.timers[page] {
                self.soon(at, page, Event::Wake);
            }
        }
    }

    fn peak_from(&self, second: usize) -> u32 {
        self.requests[second..].iter().copied().max().unwrap_or(0)
    }
}

fn overloaded(wait: u64) -> Answer {
    Answer { status: 503, retry_after: Some(ms(wait)), ..Answer::default() }
}

fn fine() -> Answer {
    Answer { status: 200, ..Answer::default() }
}

#[test]
fn thirteen_thousand_pages_that_are_told_the_same_time_come_back_spread() {
    // All in the same second, and all are asked to come back in 20 s.
    let mut crowd = Crowd::new(PAGES, |_| {});
    for page in 0..PAGES {
        let at = (page as u64 * SECOND) / PAGES as u64;
        crowd.call(at, page, get("/meals"));
    }
    crowd.run(|now, _| if now < SECOND { overloaded(20 * SECOND) } else { fine() });
    assert_eq!((crowd.succeeded, crowd.requests[0]), (PAGES, PAGES as u32));
    assert_eq!(crowd.requests[1..20].iter().sum::<u32>(), 0, "nobody comes early");
    // Half of 20 s is the spread: 1,300 in each second, and not 13,000 in one.
    assert!(crowd.peak_from(1) < 1_500, "{:?}", crowd.requests);
    assert!(crowd.requests.len() <= 33, "and all are back in half the time more");
}

#[test]
fn an_overloaded_server_is_let_recover() {
    // A thousand a second are served; the others are told to come back in 10 s, again and again.
    let mut crowd = Crowd::new(PAGES, |_| {});
    for page in 0..PAGES {
        crowd.call(0, page, get("/meals"));
    }
    crowd.run(|_, before| if before < 1_000 { fine() } else { overloaded(10 * SECOND) });
    assert_eq!(crowd.ended, PAGES);
    // 13,000 at first, 2,600 when they come back the first time, less and less then.
    assert!(crowd.peak_from(1) < 3_000, "{:?}", crowd.requests);
    assert!(crowd.succeeded > PAGES * 99 / 100, "{} got through", crowd.succeeded);
    let total: u32 = crowd.requests.iter().sum();
    assert!(total < PAGES as u32 * 3, "{total} requests for {PAGES} calls");
}

#[test]
fn a_server_that_is_down_is_asked_by_each_page_about_once_a_minute() {
    // Each page calls ten different routes every ten seconds for ten minutes, and all of it is answered with 503.
    const SOME: usize = 130;
    let mut crowd = Crowd::new(SOME, |_| {});
    for page in 0..SOME {
        for nth in 0..600 {
            let (round, route) = (nth / 10, nth % 10);
            let at = round * 10 * SECOND + (page as u64 * 10 * SECOND) / SOME as u64;
            crowd.call(at, page, get(&format!("/api/route{route}")));
        }
    }
    crowd.run(|_, _| Answer { status: 503, ..Answer::default() });
    assert_eq!(crowd.ended, SOME * 600);
    let first: u32 = crowd.requests[..60].iter().sum();
    let later: u32 = crowd.requests[300..].iter().sum();
    let each = |total: u32| f64::from(total) / SOME as f64;
    // 12 where the calls alone would be 60, and 3.6 where they would be 300.
    assert!(each(first) < 15.0, "{}", each(first));
    assert!(each(later) < 5.0, "{}", each(later));
    // Then 13,000 pages are about 160 requests a second, where their calls alone would be 13,000.
    assert!(each(later) * PAGES as f64 / 300.0 < 220.0);
}

#[test]
fn retries_add_a_budget_to_the_load_and_no_more() {
    let mut world = World::with(|settings| settings.breaker = None);
    world.always(status(503));
    for _ in 0..1_000 {
        world.call(get("/meals"));
        world.run(100);
    }
    world.run_dry();
    assert_eq!(world.requests.len(), 1_000 + 30);
}

#[test]
fn a_server_that_goes_silent_gets_no_more_than_its_slots_and_a_few_probes() {
    let mut world = World::new();
    world.always(silence());
    for nth in 0..6_000 {
        world.call(get(&format!("/api/route{}", nth % 10)));
        world.run(100);
    }
    world.run_dry();
    // Ten minutes of ten calls a second.
    assert!(world.requests.len() < 40, "{}", world.requests.len());
    let later = world.sends().into_iter().filter(|at| *at >= 5 * MINUTE).count();
    assert!(later < 10, "{later} in the last five minutes");
    assert!(world.log.iter().all(|(_, output)| !matches!(output, Output::Settle(settled) if settled.end == End::Ok)));
}

#[test]
fn a_page_that_loops_is_slowed_to_the_rate_limit() {
    let mut world = World::new();
    for _ in 0..3_000 {
        world.call(get("/meals").retries(0));
        world.run(1);
    }
    world.run_dry();
    let seconds = world.now as usize / SECOND as usize;
    assert!(world.requests.len() <= 100 + 50 * (seconds + 1), "{} in {seconds} s", world.requests.len());
}
